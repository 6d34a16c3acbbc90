"""How often intervals hold what they are about, for each metric that has one.

    python -m tests.scoring.interval_coverage [TEXT]     # prints the table of docs/intervals.md; only rows with TEXT

Latents of the population are bounded, or normal ones around the factors, which have no bounds. The bins
of these move with the smallest and the largest of the rows drawn, so that the population is cut anew for
each sample, into that sample's bins.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

import disentangle_metrics as dm

Truth = Literal["population", "population in these bins", "as many rows", "many votes"]


@dataclass(frozen=True)
class Row:
    """Metrics whose coverage is measured on the same samples.

    Parameters
    ----------
    truth
        What an interval should hold: the score of the whole population, in its own bins or in those
        of the sample; the mean score of further samples of as many rows, where the number of rows that
        a probe learns from is part of the score; or the score of many more votes on the same rows.
    noise
        Standard deviation of normal latents; None: the bounded ones.
    """

    name: str
    metrics: tuple[dm.Metric, ...]
    samples: int
    rows: int = 1_000
    size: int = 200_000
    truth: Truth = "population"
    posterior: bool = False
    noise: float | None = None
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Coverage:
    """Of one key: the share of samples whose interval held the truth."""

    key: str
    share: float
    samples: int
    truth: float
    mean: float
    width: float


def population(
    size: int, noise: float | None = None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Latents and factors of as many rows; latents are bounded, or normal of deviation `noise`."""
    rng = np.random.default_rng(0)
    factors = np.column_stack([rng.integers(n, size=size) for n in (3, 4, 6)])
    if noise is not None:  # each factor in a latent of its own, and one latent that tells of none
        clear = np.column_stack([factors, np.zeros(size)])
        return clear + noise * rng.normal(size=clear.shape), factors
    a, b, c = factors.T
    jitter = rng.uniform(-1.7, 1.7, size=(4, size))
    latents = np.column_stack(
        [a + 0.5 * jitter[0], b + 0.4 * a + 0.7 * jitter[1], c + 1.2 * jitter[2], c + 2.5 * jitter[3]]
    )
    return latents, factors


def _all(names: str) -> tuple[dm.Metric, ...]:
    return tuple(dm.Metric(name) for name in names.split())


COUNTS = "mig mig_sup jemmig dcimig sufficiency minimality dmig xmig dlig"
FEW = {"replicates": 40}  # the fewest with quantiles for 95 percent, where 200 take long
VOTES = {"votes": (2_000, 300), "rows": 4}
ROWS = (
    Row("counts", _all(COUNTS), 100),
    *(
        Row(
            f"counts of normal latents, {noise}",
            # Of so little noise nearly every sample scores 1 throughout, and has no interval.
            _all(COUNTS.replace("sufficiency ", "") if noise == 0.1 else COUNTS),
            100,
            size=100_000,
            truth="population in these bins",
            noise=noise,
        )
        for noise in (0.1, 0.3, 0.7)
    ),
    Row("moments", _all("irs mcc total_correlation wasserstein_correlation active_units omes"), 150),
    Row("posteriors in bins", _all("rmig rjemmig"), 60, size=20_000, posterior=True, options=FEW),
    Row("densities of posteriors", _all("informativeness"), 60, size=20_000, posterior=True, options=FEW),
    Row(
        "neighbours",
        (dm.Metric("mig", estimator="nearest_neighbours"),),
        100,
        rows=500,
        size=20_000,
        options=FEW,
    ),
    Row("linear SVM", _all("sap"), 100, truth="as many rows"),
    Row("correlation", (dm.Metric("sap", kind="regression"),), 200, truth="as many rows"),
    Row("logistic regression", _all("explicitness"), 60, truth="as many rows"),
    Row("neighbours and logistic regression", _all("infomec"), 60, truth="as many rows"),
    Row("Lasso", (dm.Metric("dci", probe="lasso", alpha=0.02),), 100, truth="as many rows"),
    *(
        Row(f"votes of {name}", (dm.Metric(name, **VOTES),), 100, truth="many votes")
        for name in ("factor_vae", "beta_vae", "z_max_variance")
    ),
    Row("boosted trees", _all("dci"), 40, truth="as many rows"),
)


def measure(row: Row) -> dict[str, Coverage]:
    """The coverage of every key of the row that has an interval."""
    latents, factors = population(row.size, row.noise)
    logvar = np.random.default_rng(2).uniform(-3, -1, size=latents.shape)
    metrics = row.metrics

    def score(
        rows: npt.NDArray[np.int64], code: npt.NDArray[np.float64] = latents, **options: Any
    ) -> dm.Report:
        chosen: Any = dm.GaussianPosterior(code[rows], logvar[rows]) if row.posterior else code[rows]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dm.ScoreWarning)
            return dm.score(chosen, factors[rows], anchors=False, **{"metrics": metrics, **options})

    rng = np.random.default_rng(1)
    interval: dict[str, Any] = {"confidence": 0.95, **row.options}
    if row.truth == "many votes":
        drawn = rng.choice(row.size, row.rows, replace=False)
        reports = [score(drawn, seed=seed, **interval) for seed in range(row.samples)]
        many = [_with_votes(metric, 100_000) for metric in metrics]
        truths = [score(drawn, metrics=many)]
    else:
        samples = [rng.choice(row.size, row.rows, replace=False) for _ in range(row.samples)]
        reports = [score(drawn, seed=seed, **interval) for seed, drawn in enumerate(samples)]
        if row.truth == "population":
            truths = [score(np.arange(row.size))]
        elif row.truth == "population in these bins":
            # Clipped, it has the sample's smallest and largest values, and so the sample's edges.
            ends = [(latents[drawn].min(axis=0), latents[drawn].max(axis=0)) for drawn in samples]
            truths = [score(np.arange(row.size), np.clip(latents, low, high)) for low, high in ends]
        else:
            further = [rng.choice(row.size, row.rows, replace=False) for _ in range(row.samples)]
            truths = [score(drawn, seed=row.samples + seed) for seed, drawn in enumerate(further)]
    found = {}
    for key in reports[0]:
        # A sample without its interval counts as one that missed.
        low, high = np.array([report[key].interval or (np.nan, np.nan) for report in reports]).T
        if np.isnan(low).all():
            continue
        truth = np.array([report[key].value for report in truths])
        if row.truth != "population in these bins":  # where each sample has a truth of its own
            truth = truth.mean(keepdims=True)
        found[key] = Coverage(
            key,
            float(np.mean((low <= truth) & (truth <= high))),
            row.samples,
            float(truth.mean()),
            float(np.mean([report[key].value for report in reports])),
            float(np.nanmean(high - low)),
        )
    return found


def _with_votes(metric: dm.Metric, votes: int) -> dm.Metric:
    """The same metric, tested by more votes."""
    settings = dict(metric.settings)
    return dm.Metric(metric.name, **{**settings, "votes": (settings["votes"][0], votes)})


def lines(row: Row, measured: dict[str, Coverage]) -> Iterator[str]:
    """The lines of the table for what was measured of a row."""
    latents = "bounded" if row.noise is None else f"normal, {row.noise}"
    for found in measured.values():
        (metric,) = [m for m in row.metrics if m.name == found.key] or row.metrics[:1]
        settings = ", ".join(f"{name}={value!r}" for name, value in metric.settings.items())
        name = f"`{found.key}`" + (f" (`{settings}`)" if settings else "")
        yield (
            f"| {name} | {latents} | {row.truth} | {row.rows:,} | {found.samples} | {found.share:.3f} | "
            f"{found.truth:.3f} | {found.mean:.3f} | {found.width:.3f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("text", nargs="?", default="", help="only rows whose name has this text")
    text = parser.parse_args().text
    print("| score | latents | truth | rows | samples | coverage | truth's value | mean score | mean width |")
    print("|---|---|---|---:|---:|---:|---:|---:|---:|")
    for row in ROWS:
        if text in row.name:
            for line in lines(row, measure(row)):
                print(line, flush=True)


if __name__ == "__main__":
    main()
