"""The rows of a comparison as a table, and the means and tests that are read off it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics import InputError
from disentangle_metrics.kit import holm
from reference_models.comparison.statistics import (
    equal_error_difference,
    hedges_g,
    influences,
    permutation_p,
    shared_range,
    sign_flip_p,
    stratified_difference,
    student,
)

if TYPE_CHECKING:
    import pandas as pd

METRICS = ("factor_vae", "mig", "mig_sup")  # the paper's, all of them better when higher
PROPOSED = "pro-vlae"
NO_PROGRESSION = "no progression (VLAE)"
BEST = 3  # seeds in the paper's mean
LOWER_IS_BETTER = {"total_correlation", "wasserstein_correlation", "mean_pairwise_mi"}
NO_QUALITY = {"active_units"}  # a size: neither more nor less is better
FEWEST = 3  # seeds for an interval or a test: two against two cannot give a p below 0.33
RUN = ("purpose", "model", "variant", "beta", "seed")  # what a table has one run of


def tables(rows: Iterable[Mapping[str, Any]]) -> dict[str, pd.DataFrame]:
    """Every table of a comparison by name, what the figures and the page are made of.

    One that there are no runs for is empty. Raises InputError if no run has finished, if the rows are
    of several data sets, or if their runs are not of one schedule, each there once.
    """
    rows = list(rows)
    runs = finished(rows)
    if len(datasets := sorted(runs["dataset"].unique())) > 1:
        raise InputError(f"the rows are of several data sets ({', '.join(datasets)}); draw one at a time")
    check_one_schedule(rows)
    compared = runs[runs["purpose"] == "comparison"]
    return {
        "runs": runs,
        "pilots": pilots(rows),
        "stages": stages(rows),
        "information": information(rows),
        "differences": differences(compared),
        "ablation": seed_by_seed(ablated(runs)),
        "suite": suite(rows),
        **{f"means_{metric}": means(compared, metric) for metric in METRICS},
    }


def check_one_schedule(rows: Iterable[Mapping[str, Any]]) -> None:
    """Raise InputError unless all finished runs but pilots have one schedule, and no run is there twice.

    Means and tests take runs of one model and beta as alike but for the seed. Runs in another precision
    count as another schedule: plans never mix them.
    """
    counted = [row for row in rows if "error" not in row and row["purpose"] != "pilot"]
    values = {
        "iterations": {row["iterations"] for row in counted},
        "batch_size": {row["batch_size"] for row in counted},
        "side": {row["arguments"]["image_shape"][-1] for row in counted},
        "precision": {row.get("precision", "float32") for row in counted},  # the first rows have none
    }
    several = [
        f"{name} {', '.join(map(str, sorted(found)))}" for name, found in values.items() if len(found) > 1
    ]
    if several:
        raise InputError(
            f"the runs are of several schedules ({'; '.join(several)}); draw the rows of one at a time "
            "(examples/lengths_of_training.py sets lengths side by side)"
        )
    alike: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in counted:
        alike.setdefault(tuple(row[name] for name in RUN), []).append(row)
    for (_, model, variant, beta, seed), same in alike.items():
        if len(same) > 1:
            rates = ", ".join(f"{row['learning_rate']:g}" for row in same)
            raise InputError(
                f"{variant or model} at beta {beta:g} with seed {seed} is there {len(same)} times, with the "
                f"learning rates {rates}; a run counts once, so keep the rows of one: "
                f"{', '.join(row['key'] for row in same)}"
            )


def finished(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """One line for each finished run: what it is, reconstruction, KL, and the published protocol's scores.

    Raises InputError if no run has finished.
    """
    import pandas as pd

    ended = [row for row in rows if "error" not in row]
    if not ended:
        raise InputError("no run of the comparison has finished")
    what = (
        "purpose", "dataset", "model", "variant", "beta", "seed",
        "learning_rate", "iterations", "batch_size",
    )  # fmt: skip
    return pd.DataFrame(
        {
            **{name: row[name] for name in what},
            "side": row["arguments"]["image_shape"][-1],  # pixels
            "reconstruction": row["reconstruction"],
            "kl": sum(row["kl"]),
            "active_latents": row["active_latents"],
            **{metric: value_of(row, metric) for metric in METRICS},
            "seconds": row["seconds"] + row["measuring_seconds"],
            "cpu_seconds": cpu_seconds(row),
        }
        for row in ended
    )


def cpu_seconds(row: Mapping[str, Any]) -> float:
    """CPU time of a run's training; NaN if only that of a process with several runs is known.

    Rows say with ``cpu_seconds_of`` that the time is the run's own. Those from before that are of one
    process for each run, but on GPUs. The first rows have only the seconds that passed.
    """
    shared = str(row.get("device")).startswith("cuda") and row.get("cpu_seconds_of") != "run"
    return np.nan if shared else row.get("cpu_seconds", row["seconds"])


def cpu_hours(runs: pd.DataFrame) -> str:
    """The CPU time of all runs as the end of a sentence; empty if that of a run is not known."""
    hours = runs["cpu_seconds"].sum(skipna=False) / 3600
    return "" if np.isnan(hours) else f", {hours:.1f} CPU hours of training"


def value_of(measured: Mapping[str, Any], metric: str) -> float:
    """A score of the published protocol; NaN if it has no value."""
    value = measured["published"][metric]["value"]
    return np.nan if value is None else float(value)


def means(runs: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Reconstruction and a metric of each model and beta, over all seeds and over the best three.

    Columns ``seeds``, ``mean``, ``low`` and ``high`` (95 percent Student interval of the mean; NaN
    for fewer than three seeds), ``reconstruction``, ``best`` and ``best_reconstruction``. The best
    three are those with the highest value of this very metric, as in the paper: a rule that lifts
    every model. NaN where there are no more than three. All columns are of the runs in which the
    metric has a value; ``seeds`` says how many these are.
    """
    import pandas as pd
    from scipy.stats import t

    found = []
    for (model, beta), every_run in runs.groupby(["model", "beta"]):
        group = every_run.dropna(subset=[metric])
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
    other), ``low`` and ``high`` its 95 percent interval, ``effect`` Hedges' g with the spread within
    betas. ``p`` comes from a two-sided permutation test that exchanges runs within a beta, and
    ``p_holm`` corrects it for all rows of this table.

    ``equal_difference`` is the mean difference of the two models' curves, score over reconstruction
    error through their betas, from ``error_low`` to ``error_high``, the errors that both curves
    reach; NaN where there are none. ``equal_low``, ``equal_high`` and ``equal_p`` are Student's, and
    ``equal_p_holm`` corrects these for all rows.

    Only betas at which both models have three runs or more count.
    """
    import pandas as pd

    rng = np.random.default_rng(seed)
    found = []
    for metric in METRICS:
        for other in sorted(set(runs["model"]) - {PROPOSED}):
            pair = against(runs, other, metric)
            if pair is None:
                continue
            values = pair[metric].to_numpy(float)
            errors = pair["reconstruction"].to_numpy(float)
            groups = of_pair(pair)
            difference = stratified_difference(values, *groups)
            low, high, _ = student(difference, influences(values, *groups), *groups)
            equal, moved = equal_error_difference(values, errors, *groups)
            equal_low, equal_high, equal_p = student(equal, moved, *groups)
            error_low, error_high = shared_range(errors, *groups)
            found.append(
                {
                    "metric": metric,
                    "other": other,
                    "runs": len(values),
                    "difference": difference,
                    "low": low,
                    "high": high,
                    "effect": hedges_g(values, *groups, difference),
                    "p": permutation_p(values, *groups, rng),
                    "error_low": error_low,
                    "error_high": error_high,
                    "equal_difference": equal,
                    "equal_low": equal_low,
                    "equal_high": equal_high,
                    "equal_p": equal_p,
                }
            )
    result = pd.DataFrame(found)
    for p in ("p", "equal_p"):
        if len(result):
            result.insert(result.columns.get_loc(p) + 1, f"{p}_holm", holm(result[p].to_numpy()))
    return result


def against(runs: pd.DataFrame, other: str, metric: str) -> pd.DataFrame | None:
    """The runs of the proposed model and another, at the betas where both have enough; None without any."""
    pair = runs[runs["model"].isin([PROPOSED, other])].dropna(subset=[metric])
    counts = pair.groupby(["beta", "model"]).size().unstack(fill_value=0)
    if counts.shape[1] < 2:
        return None
    pair = pair[pair["beta"].isin(counts.index[(counts >= FEWEST).all(axis=1)])]
    return None if pair.empty else pair


def of_pair(pair: pd.DataFrame) -> tuple[NDArray[np.bool_], NDArray[np.int_]]:
    """Whether each run is of the proposed model, and the number of its beta, as statistics take them."""
    proposed = (pair["model"] == PROPOSED).to_numpy()
    return proposed, pair["beta"].astype("category").cat.codes.to_numpy().astype(int)


def suite(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Every score of the default protocol, a column each, of every finished run of the comparison.

    Columns ``model``, ``beta``, ``seed``, and the scores' keys; NaN where a score has no value.
    """
    import pandas as pd

    compared = [row for row in rows if "error" not in row and row["purpose"] == "comparison"]
    scores = [
        {key: score["value"] for key, score in row["metrics"].items() if key not in NO_QUALITY}
        for row in compared
    ]
    what = [{name: row[name] for name in ("model", "beta", "seed")} for row in compared]
    return pd.DataFrame(what).join(pd.DataFrame(scores, dtype=float))


def effects(suite: pd.DataFrame) -> pd.DataFrame:
    """Hedges' g of the proposed model against each other one, by each score of the :func:`suite`.

    A line for each score, a column for each other model; above 0 where the proposed model is better,
    also for scores that fall with quality. Only betas at which both models have three runs or more
    count; NaN where there is none, or no spread. They describe, and are not tests.
    """
    import pandas as pd

    found: dict[str, dict[str, float]] = {}
    for key in suite.columns.drop(["model", "beta", "seed"]):
        sign = -1 if key in LOWER_IS_BETTER else 1
        for other in sorted(set(suite["model"]) - {PROPOSED}):
            pair = against(suite, other, key)
            if pair is not None:
                values, groups = sign * pair[key].to_numpy(float), of_pair(pair)
                difference = stratified_difference(values, *groups)
                found.setdefault(key, {})[other] = hedges_g(values, *groups, difference)
    return pd.DataFrame.from_dict(found, orient="index")


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

    The last stage is the trained model; models without progression have no other. ``ceiling`` is
    log N of the N images that q(z) was summed over, the most that can be seen.
    """
    import pandas as pd

    return pd.DataFrame(
        {
            **{name: row[name] for name in ("dataset", "model", "beta", "seed")},
            "stage": stage,
            **layer,
            "ceiling": math.log(layer["images"]),
        }
        for row in rows
        if "error" not in row and row["purpose"] == "comparison"
        for stage, measured in enumerate([*row.get("stages", []), row], 1)
        for layer in measured["information"]
    )


def seed_by_seed(ablated: pd.DataFrame) -> pd.DataFrame:
    """The whole model minus each variant of an ablation, of the same seed.

    Runs of one seed share their first weights, their batches and what comes before the change, though
    not always the learning rate, so that differences vary less than scores do. ``difference`` is their
    mean over ``seeds``, ``low`` and ``high`` its 95 percent interval (Student's), ``p`` from exchanging
    the two runs of each seed, two-sided and exact, ``p_holm`` corrected for all rows. Variants with
    fewer than three seeds are left out.
    """
    import pandas as pd

    found = []
    for metric in METRICS:
        of_seed = ablated.pivot(index="seed", columns="model", values=metric)
        for other in of_seed.columns.drop(PROPOSED) if PROPOSED in of_seed else ():
            values = (of_seed[PROPOSED] - of_seed[other]).dropna().to_numpy()
            if len(values) < FEWEST:
                continue
            difference, one_cell = values.mean(), (np.ones(len(values), bool), np.zeros(len(values), int))
            low, high, _ = student(difference, values - difference, *one_cell)
            found.append(
                {
                    "metric": metric,
                    "other": other,
                    "seeds": len(values),
                    "difference": difference,
                    "low": low,
                    "high": high,
                    "p": sign_flip_p(values),
                }
            )
    result = pd.DataFrame(found)
    return result.assign(p_holm=holm(result["p"].to_numpy())) if len(result) else result


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
