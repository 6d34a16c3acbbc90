"""How often intervals hold what they are about, for each metric that has one.

    python -m tests.interval_coverage [TEXT]     # prints the table of docs/intervals.md; only rows with TEXT

Latents of the population are bounded, since the bins of unbounded ones move with the number of rows.
"""

from __future__ import annotations

import argparse
import functools
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

import disentangle_metrics as dm

Truth = Literal["population", "as many rows", "many votes"]


@dataclass(frozen=True)
class Row:
    """Metrics whose coverage is measured on the same samples.

    Parameters
    ----------
    truth
        What an interval should hold: the score of the whole population; the mean score of further
        samples of as many rows, where the number of rows that a probe learns from is part of the
        score; or the score of many more votes on the same rows.
    """

    name: str
    metrics: tuple[dm.Metric, ...]
    samples: int
    rows: int = 1_000
    size: int = 200_000
    truth: Truth = "population"
    posterior: bool = False
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


def population(size: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Latents and factors of as many rows."""
    rng = np.random.default_rng(0)
    factors = np.column_stack([rng.integers(n, size=size) for n in (3, 4, 6)])
    a, b, c = factors.T
    noise = rng.uniform(-1.7, 1.7, size=(4, size))
    latents = np.column_stack(
        [a + 0.5 * noise[0], b + 0.4 * a + 0.7 * noise[1], c + 1.2 * noise[2], c + 2.5 * noise[3]]
    )
    return latents, factors


def _all(names: str) -> tuple[dm.Metric, ...]:
    return tuple(dm.Metric(name) for name in names.split())


FEW = {"replicates": 40}  # the fewest with quantiles for 95 percent, where 200 take long
VOTES = {"votes": (2_000, 300), "rows": 4}
ROWS = (
    Row("counts", _all("mig mig_sup jemmig dcimig sufficiency minimality dmig xmig dlig"), 100),
    Row("moments", _all("irs mcc total_correlation wasserstein_correlation active_units omes"), 150),
    Row("posteriors in bins", _all("rmig"), 60, size=20_000, posterior=True, options=FEW),
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
    latents, factors = population(row.size)
    logvar = np.random.default_rng(2).uniform(-3, -1, size=latents.shape)
    metrics = row.metrics

    def score(rows: npt.NDArray[np.int64], **options: Any) -> dm.Report:
        chosen: Any = dm.GaussianPosterior(latents[rows], logvar[rows]) if row.posterior else latents[rows]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dm.ScoreWarning)
            return dm.score(chosen, factors[rows], anchors=False, **{"metrics": metrics, **options})

    rng = np.random.default_rng(1)
    with_interval = functools.partial(score, confidence=0.95, **row.options)
    if row.truth == "many votes":
        drawn = rng.choice(row.size, row.rows, replace=False)
        reports = [with_interval(drawn, seed=seed) for seed in range(row.samples)]
        many = [_with_votes(metric, 100_000) for metric in metrics]
        truths = [score(drawn, metrics=many)]
    else:
        samples = [rng.choice(row.size, row.rows, replace=False) for _ in range(row.samples)]
        reports = [with_interval(drawn, seed=seed) for seed, drawn in enumerate(samples)]
        if row.truth == "population":
            truths = [score(np.arange(row.size))]
        else:
            further = [rng.choice(row.size, row.rows, replace=False) for _ in range(row.samples)]
            truths = [score(drawn, seed=row.samples + seed) for seed, drawn in enumerate(further)]
    found = {}
    for key in reports[0]:
        ends = np.array([report[key].interval for report in reports if report[key].interval is not None])
        if len(ends):
            truth = float(np.mean([report[key].value for report in truths]))
            held = (ends[:, 0] <= truth) & (truth <= ends[:, 1])
            # A sample without its interval counts as one that missed.
            found[key] = Coverage(
                key,
                float(held.sum()) / row.samples,
                row.samples,
                truth,
                float(np.mean([report[key].value for report in reports])),
                float(np.mean(ends[:, 1] - ends[:, 0])),
            )
    return found


def _with_votes(metric: dm.Metric, votes: int) -> dm.Metric:
    """The same metric, tested by more votes."""
    settings = dict(metric.settings)
    return dm.Metric(metric.name, **{**settings, "votes": (settings["votes"][0], votes)})


def lines(row: Row, measured: dict[str, Coverage]) -> Iterator[str]:
    """The lines of the table for what was measured of a row."""
    for found in measured.values():
        (metric,) = [m for m in row.metrics if m.name == found.key] or row.metrics[:1]
        settings = ", ".join(f"{name}={value!r}" for name, value in metric.settings.items())
        name = f"`{found.key}`" + (f" (`{settings}`)" if settings else "")
        yield (
            f"| {name} | {row.truth} | {row.rows:,} | {found.samples} | {found.share:.3f} | "
            f"{found.truth:.3f} | {found.mean:.3f} | {found.width:.3f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("text", nargs="?", default="", help="only rows whose name has this text")
    text = parser.parse_args().text
    print("| score | truth | rows | samples | coverage | truth's value | mean score | mean width |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for row in ROWS:
        if text in row.name:
            for line in lines(row, measure(row)):
                print(line, flush=True)


if __name__ == "__main__":
    main()
