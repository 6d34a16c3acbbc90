"""The rows of a comparison as a table, and the means and tests that are read off it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from disentangle_metrics import InputError
from reference_models.comparison.statistics import (
    adjusted_difference,
    basic_interval,
    hedges_g,
    holm,
    permutation_p,
    resampled,
    runs_in_shared_range,
    stratified_difference,
)

if TYPE_CHECKING:
    import pandas as pd

METRICS = ("factor_vae", "mig", "mig_sup")  # the paper's, all of them better when higher
PROPOSED = "pro-vlae"
NO_PROGRESSION = "no progression (VLAE)"
BEST = 3  # seeds in the paper's mean
FEWEST = 3  # seeds for an interval or a test: two against two cannot give a p below 0.33
REPLICATES = 5_000


def table(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """One line for each finished run: what it is, reconstruction, KL, and the published protocol's scores.

    Raises InputError if no run has finished.
    """
    import pandas as pd

    finished = [row for row in rows if "error" not in row]
    if not finished:
        raise InputError("no run of the comparison has finished")
    what = (
        "purpose", "dataset", "model", "variant", "beta", "seed",
        "learning_rate", "iterations", "batch_size",
    )  # fmt: skip
    return pd.DataFrame(
        {
            **{name: row[name] for name in what},
            "reconstruction": row["reconstruction"],
            "kl": sum(row["kl"]),
            "active_latents": row["active_latents"],
            **{metric: value_of(row, metric) for metric in METRICS},
            "seconds": row["seconds"] + row["measuring_seconds"],
            "cpu_seconds": row.get("cpu_seconds", row["seconds"]),  # the first rows kept only the latter
        }
        for row in finished
    )


def value_of(measured: Mapping[str, Any], metric: str) -> float:
    """A score of the published protocol; NaN if it has no value."""
    value = measured["published"][metric]["value"]
    return np.nan if value is None else float(value)


def means(runs: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Reconstruction and a metric of each model and beta, over all seeds and over the best three.

    Columns ``seeds``, ``mean``, ``low`` and ``high`` (95 percent Student interval of the mean; NaN
    for fewer than three seeds), ``reconstruction``, ``best`` and ``best_reconstruction``. The best
    three are those with the highest value of this very metric, as in the paper: a rule that lifts
    every model. NaN where there are no more than three.
    """
    import pandas as pd
    from scipy.stats import t

    found = []
    for (model, beta), group in runs.groupby(["model", "beta"]):
        values, n = group[metric], len(group)
        half = t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n) if n >= FEWEST else np.nan
        best = group.nlargest(BEST, metric) if n > BEST else group.head(0)
        found.append(
            {
                "model": model,
                "beta": beta,
                "seeds": n,
                "mean": values.mean(),
                "low": values.mean() - half,
                "high": values.mean() + half,
                "reconstruction": group["reconstruction"].mean(),
                "best": best[metric].mean(),
                "best_reconstruction": best["reconstruction"].mean(),
            }
        )
    return pd.DataFrame(found)


def differences(runs: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Does the proposed model differ from each other one, metric by metric?

    ``difference`` is the mean over betas of the difference of the means over seeds (proposed minus
    other); ``low`` and ``high`` are its 95 percent interval (basic bootstrap within model and beta);
    ``effect`` is Hedges' g with the spread within betas. ``p`` comes from a two-sided permutation
    test that exchanges runs within a beta, and ``p_holm`` corrects it for all rows of this table.
    ``at_equal_reconstruction`` is the difference that is left when a common linear slope of the
    metric on the reconstruction error is taken out, with its bootstrap interval. It extrapolates if
    few runs are ``in_shared_range``: have an error between the smallest and the largest of the other
    model too.

    Only betas at which both models have three runs or more count.
    """
    import pandas as pd

    rng = np.random.default_rng(seed)
    found = []
    for metric in METRICS:
        for other in sorted(set(runs["model"]) - {PROPOSED}):
            pair = runs[runs["model"].isin([PROPOSED, other])].dropna(subset=[metric])
            counts = pair.groupby(["beta", "model"]).size().unstack(fill_value=0)
            if counts.shape[1] < 2:
                continue
            pair = pair[pair["beta"].isin(counts.index[(counts >= FEWEST).all(axis=1)])]
            if pair.empty:
                continue
            values = pair[metric].to_numpy(float)
            errors = pair["reconstruction"].to_numpy(float)
            proposed = (pair["model"] == PROPOSED).to_numpy()
            strata = pair["beta"].astype("category").cat.codes.to_numpy()
            difference = float(stratified_difference(values, proposed, strata))
            drawn = resampled(proposed, strata, REPLICATES, rng)
            plain = stratified_difference(values[drawn], proposed, strata)
            adjusted = float(adjusted_difference(values, errors, proposed))
            around = adjusted_difference(values[drawn], errors[drawn], proposed)
            low, high = basic_interval(difference, plain)
            adjusted_low, adjusted_high = basic_interval(adjusted, around)
            found.append(
                {
                    "metric": metric,
                    "other": other,
                    "runs": len(values),
                    "difference": difference,
                    "low": low,
                    "high": high,
                    "effect": hedges_g(values, proposed, strata, difference),
                    "p": permutation_p(values, proposed, strata, rng),
                    "at_equal_reconstruction": adjusted,
                    "equal_low": adjusted_low,
                    "equal_high": adjusted_high,
                    "in_shared_range": runs_in_shared_range(errors, proposed),
                }
            )
    result = pd.DataFrame(found)
    if len(result):
        result.insert(result.columns.get_loc("p") + 1, "p_holm", holm(result["p"].to_numpy()))
    return result


def stages(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Every stage of every finished progressive run: variant, beta, seed, stage, and its scores.

    The first stage is number 1, the trained model the last.
    """
    import pandas as pd

    lines = []
    for row in rows:
        if row.get("model") != PROPOSED or "error" in row or row["purpose"] == "pilot":
            continue
        for number, measured in enumerate([*row["stages"], row], 1):
            lines.append(
                {
                    **{name: row[name] for name in ("dataset", "variant", "beta", "seed")},
                    "stage": number,
                    "reconstruction": measured["reconstruction"],
                    **{metric: value_of(measured, metric) for metric in METRICS},
                    **{f"kl_{layer}": kl for layer, kl in enumerate(measured["kl"], 1)},
                }
            )
    return pd.DataFrame(lines)


def information(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """I(x; z) in nats per layer, after each stage, of every finished run of a comparison, in long form.

    The last stage is the trained model; models without progression have no other.
    """
    import pandas as pd

    return pd.DataFrame(
        {**{name: row[name] for name in ("dataset", "model", "beta", "seed")}, "stage": stage, **layer}
        for row in rows
        if "error" not in row and row["purpose"] == "comparison"
        for stage, measured in enumerate([*row.get("stages", []), row], 1)
        for layer in measured["information"]
    )


def pilots(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """The runs that chose learning rates: the objective of each, and whether it was the smallest."""
    import pandas as pd

    columns = ["model", "beta", "seed", "learning_rate", "reconstruction", "kl", "objective"]
    found = pd.DataFrame(
        [{**row, "kl": sum(row["kl"])} for row in rows if row["purpose"] == "pilot" and "error" not in row],
        columns=columns,
    ).sort_values(["model", "learning_rate"], ignore_index=True)
    smallest = found.groupby("model")["objective"].transform("min")
    return found.assign(chosen=found["objective"] == smallest)


def ablated(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs of an ablation, as of so many models: the whole one, its variants, and no progression.

    The last is VLAE, the same network trained without stages. Only the beta of the ablation counts.
    """
    betas = runs.loc[runs["variant"] != "", "beta"].unique()
    kept = runs[
        (runs["purpose"] != "pilot") & runs["beta"].isin(betas) & runs["model"].isin([PROPOSED, "vlae"])
    ]
    names = kept["variant"].where(kept["variant"] != "", kept["model"])
    return kept.assign(model=names.replace("vlae", NO_PROGRESSION))
