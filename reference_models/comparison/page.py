"""The results of a comparison as one page of Markdown: what was run, the tables, the figures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import pandas as pd

from reference_models.comparison import results
from reference_models.comparison.figures import LABELS
from reference_models.comparison.results import METRICS, NO_PROGRESSION, PROPOSED
from reference_models.trained.information_flow import NEAR_CEILING

COMPARED = """\
Scores by the protocol `li2020`. Reconstruction error in nats per image. In brackets stands the 95 percent \
interval of the mean over seeds, from three seeds on. *best* is the mean of the best three of more seeds, as \
in the paper. It selects by the very score that it shows, and so lifts every model.
"""
PARTLY = """\
A number of seeds behind a score: in the others the score has no value.
"""
DIFFERENCES = """\
At the same beta: pro-VLAE minus the other, mean over betas, with its 95 percent interval. g is Hedges' g. \
p is two-sided, from exchanging runs within a beta in every way. p (Holm) is corrected for all rows of this \
table.
"""
EQUAL = """\
At the same reconstruction error: each model is a curve in the figure above, score over error through its \
betas. The difference is the mean over the errors that both curves reach, with its 95 percent interval. p is \
Student's, corrected as above.
"""
OTHERS = "Every score of the default protocol, on posterior means and all factors: mean over seeds and betas."
TOO_FEW = "Models with fewer than three seeds at every beta are left out."
EFFECTS = "The figure sets the differences against the spread of seeds. It describes, and tests nothing.\n"
ABLATED = """\
The whole model minus each variant, seed by seed. Runs of one seed share their first weights, their batches \
and all that comes before the change. In brackets stands the 95 percent interval of the mean difference. \
p is two-sided, from exchanging the two runs of each seed. Five seeds give 0.06 at the least, so look at the \
intervals.
"""
RATES = """\
Caution: {other} has the learning rate {rate:g} from the first step on, and {proposed} {own:g}. Its \
differences are those of the rate too.
"""
STAGES = """\
Mean over seeds of each score after each stage. Thin lines in the figure are single seeds.
"""
INFORMATION = """\
I(x; z) in nats, mean over seeds, from the aggregate posterior by Monte Carlo. The layers are numbered from \
the lowest. The highest trains first. N images cannot show more than log N nats. A star marks a mean within \
0.1 of that: the layer may know much more.
"""
PILOTS = """\
Each rate has one pilot run, with a seed of its own. All runs of a model have the rate with the smallest \
objective: reconstruction plus beta times KL, which knows nothing of the factors.
"""
BOTH = """\
Each point is a run, ablations included. Above the line latents are specialised, but factors are spread over \
several. Below it factors have a latent of their own, which holds other factors too.
"""


def page(tables: Mapping[str, pd.DataFrame], drawn: Iterable[str]) -> str:
    """The page of :func:`results.tables`, which shows those of the figures that were `drawn`."""
    runs, stages, suite = (tables[name] for name in ("runs", "stages", "suite"))
    figures = set(drawn)
    parts = [
        (f"# The comparison on {runs['dataset'].iloc[0]}", state(runs), ""),
        ("## Scores and reconstruction", scores(tables), "reconstruction.png"),
        (f"## Is {PROPOSED} better?", better(tables["differences"]), ""),
        (
            "## What other scores say",
            other_scores(suite, drawn="other_scores.png" in figures),
            "other_scores.png",
        ),
        (
            "## What progression, fade-in and pre-training KL do",
            ablation(stages, runs, tables["ablation"]),
            "ablation.png",
        ),
        ("## Where the information is", information(tables["information"]), ""),
        ("## MIG and MIG-sup", agreement(runs), "mig_and_mig_sup.png"),
        ("## How learning rates were chosen", pilots(tables["pilots"]), ""),
    ]
    return "\n".join(
        f"{title}\n\n{text}" + (f"\n![{title.strip('# ')}]({figure})\n" if figure in figures else "")
        for title, text, figure in parts
        if text
    )


def state(runs: pd.DataFrame) -> str:
    """What the page is made of."""
    schedules = runs[["iterations", "batch_size", "side"]].drop_duplicates().itertuples(index=False)
    schedule = " or ".join(
        f"{row.iterations:,} steps of {row.batch_size} images of {row.side}x{row.side}" for row in schedules
    )
    done = f"{len(runs)} finished runs of {schedule}{results.cpu_hours(runs)}."
    counts = runs[runs["purpose"] != "pilot"]
    if not len(counts):
        return f"{done} All of them are pilots.\n"
    names = counts["variant"].where(counts["variant"] != "", counts["model"])
    seeds = counts.assign(run=names).pivot_table(
        index="run", columns="beta", values="seed", aggfunc="count", fill_value=0
    )
    seeds.columns = [f"beta {beta:g}" for beta in seeds.columns]
    return f"{done} Seeds of each model, pilots not counted:\n\n{markdown(seeds.reset_index())}"


def scores(tables: Mapping[str, pd.DataFrame]) -> str:
    """A line for each model and beta; empty while there are only pilots."""
    compared = tables["runs"].query("purpose == 'comparison'")
    if not len(compared):
        return ""
    cells = compared.groupby(["model", "beta"], as_index=False)
    shown = cells.agg(seeds=("seed", "size"), reconstruction=("reconstruction", "mean"))
    shown = shown.round({"reconstruction": 1})
    counts = []
    for metric in METRICS:
        found = tables[f"means_{metric}"]
        values = spans(found, "mean", "low", "high")
        shown[LABELS[metric]] = with_counts(values, found["seeds"], shown["seeds"])
        shown[f"best {LABELS[metric]}"] = found["best"].map(number)
        counts.append(found["seeds"])
    return f"{COMPARED}{partly(counts, shown['seeds'])}\n{markdown(shown)}"


def with_counts(values: Iterable[str], counts: Iterable[int], seeds: Iterable[int]) -> list[str]:
    """Values with the number of seeds behind them, where that is not all."""
    return [
        value if count == all_seeds else f"{value.strip()} ({count} of {all_seeds} seeds)"
        for value, count, all_seeds in zip(values, counts, seeds, strict=True)
    ]


def partly(counts: Iterable[pd.Series], seeds: pd.Series) -> str:
    """What a number of seeds behind a score is; empty if each score has all."""
    return PARTLY if any((count.to_numpy() < seeds.to_numpy()).any() for count in counts) else ""


def better(found: pd.DataFrame) -> str:
    """The proposed model against the others, at the same beta and at the same error; empty if untested."""
    if not len(found):
        return ""
    return f"{DIFFERENCES}\n{at_same_beta(found)}{at_same_error(found)}"


def at_same_beta(found: pd.DataFrame) -> str:
    lines = {
        "score": found["metric"].map(LABELS),
        "against": found["other"],
        "runs": found["runs"],
        "difference": spans(found, "difference", "low", "high"),
        "g": found["effect"].map(lambda value: number(value, 2)),
        "p": found["p"].map(probability),
        "p (Holm)": found["p_holm"].map(probability),
    }
    return markdown(pd.DataFrame(lines))


def at_same_error(found: pd.DataFrame) -> str:
    """Empty where no two models share reconstruction errors, as at one beta."""
    found = found.dropna(subset=["equal_difference"])
    if not len(found):
        return ""
    lines = {
        "score": found["metric"].map(LABELS),
        "against": found["other"],
        "errors": found[["error_low", "error_high"]].agg(
            lambda ends: "{:.1f} to {:.1f}".format(*ends), axis=1
        ),
        "difference": spans(found, "equal_difference", "equal_low", "equal_high"),
        "p": found["equal_p"].map(probability),
        "p (Holm)": found["equal_p_holm"].map(probability),
    }
    return f"\n{EQUAL}\n{markdown(pd.DataFrame(lines))}"


def other_scores(suite: pd.DataFrame, *, drawn: bool) -> str:
    """Each score's mean for each model that has enough seeds, over the betas at which all of these have.

    No table while there is no such beta; what the figure shows if it was `drawn`, which sets two models
    at a time side by side.
    """
    effects = EFFECTS if drawn else ""
    if not len(suite):
        return effects
    seeds = suite.groupby(["beta", "model"]).size().unstack(fill_value=0)
    enough = seeds >= results.FEWEST
    models = seeds.columns[enough.any()]
    complete = seeds.index[enough[models].all(axis=1)]
    if not len(models) or not len(complete):
        return effects
    counted = suite[suite["beta"].isin(complete) & suite["model"].isin(models)]
    of_beta = counted.groupby(["model", "beta"]).mean().drop(columns="seed")
    means = of_beta.groupby("model").mean().T
    better = ["lower" if key in results.LOWER_IS_BETTER else "higher" for key in means.index]
    shown = means.map(number).rename_axis("score").reset_index()
    shown.insert(1, "better", better)
    words = [OTHERS, TOO_FEW if len(models) < seeds.shape[1] else "", effects]
    return f"{' '.join(filter(None, words)).rstrip()}\n\n{markdown(shown)}"


def ablation(stages: pd.DataFrame, runs: pd.DataFrame, paired: pd.DataFrame) -> str:
    """Scores after each stage, and the whole model against each variant."""
    if not (len(stages) and (stages["variant"] != "").any()):
        return ""
    beta = stages.loc[stages["variant"] != "", "beta"].iloc[0]
    of_beta = stages[stages["beta"] == beta].replace({"variant": {"": PROPOSED}})
    means = of_beta.groupby(["variant", "stage"], as_index=False).agg(
        seeds=("seed", "count"),
        reconstruction=("reconstruction", "mean"),
        **{metric: (metric, "mean") for metric in METRICS},
        **{f"seeds of {metric}": (metric, "count") for metric in METRICS},
    )
    ablated = results.ablated(runs)
    level = ablated[ablated["model"] == NO_PROGRESSION]
    if len(level):
        last = {"variant": NO_PROGRESSION, "stage": "-", "seeds": len(level)}
        last |= {column: level[column].mean() for column in ("reconstruction", *METRICS)}
        last |= {f"seeds of {metric}": level[metric].count() for metric in METRICS}
        means = pd.DataFrame([*means.to_dict("records"), last])
    means = means.round({"reconstruction": 1})
    counts = [means.pop(f"seeds of {metric}") for metric in METRICS]
    for metric, of_metric in zip(METRICS, counts, strict=True):
        means[metric] = with_counts(means[metric].map(number), of_metric, means["seeds"])
    rest = partly(counts, means["seeds"])
    text = f"At beta {beta:g}. {STAGES}{rest}\n{markdown(means.rename(columns=LABELS))}"
    if not len(paired):
        return text
    lines = {
        "score": paired["metric"].map(LABELS),
        "without": paired["other"],
        "seeds": paired["seeds"],
        "difference": spans(paired, "difference", "low", "high"),
        "p": paired["p"].map(probability),
        "p (Holm)": paired["p_holm"].map(probability),
    }
    return f"{text}\n{ABLATED}{other_rates(ablated)}\n{markdown(pd.DataFrame(lines))}"


def other_rates(ablated: pd.DataFrame) -> str:
    """Which models of an ablation have another learning rate than the whole one."""
    rates = ablated.groupby("model")["learning_rate"].first()
    own = rates[PROPOSED]
    return "".join(
        RATES.format(other=other, rate=rate, proposed=PROPOSED, own=own)
        for other, rate in rates.items()
        if rate != own
    )


def information(found: pd.DataFrame) -> str:
    """Layers as columns, for the models that have several; log N beside them."""
    if not len(found):
        return ""
    layered = found.groupby("model")["layer"].transform("nunique") > 2  # a flat model has one, and "all"
    cells = ["model", "beta", "stage"]
    means = found[layered].groupby([*cells, "layer"], as_index=False)[["nats", "ceiling"]].mean()
    if not len(means):
        return ""
    near = means["nats"] > means["ceiling"] - NEAR_CEILING
    means["shown"] = means["nats"].map(lambda value: number(value, 2)) + near.map({True: "*", False: ""})
    shown = means.pivot(index=cells, columns="layer", values="shown")
    shown["log N"] = means.groupby(cells)["ceiling"].first().map(lambda value: number(value, 2))
    shown = shown.reset_index().rename(columns=lambda name: f"layer {name}" if name.isdigit() else name)
    return f"{INFORMATION}\n{markdown(shown)}"


def agreement(runs: pd.DataFrame) -> str:
    """How alike the two gaps order the runs."""
    trained = runs[runs["purpose"] != "pilot"].dropna(subset=["mig", "mig_sup"])
    if len(trained) < 3:
        return ""
    rank = trained["mig"].corr(trained["mig_sup"], method="spearman")
    return f"{BOTH}\nRank correlation of the two over {len(trained)} runs: {rank:.2f}.\n"


def pilots(found: pd.DataFrame) -> str:
    """The objectives that the rates were chosen by."""
    if not len(found):
        return ""
    numbers = {
        name: found[name].map(lambda value: number(value, 1))
        for name in ("reconstruction", "kl", "objective")
    }
    shown = found.assign(**numbers, chosen=found["chosen"].map({True: "yes", False: ""}))
    return f"{PILOTS}\n{markdown(shown)}"


def markdown(table: pd.DataFrame) -> str:
    """A Markdown table, numbers as they are."""
    if "beta" in table:
        table = table.assign(beta=table["beta"].map("{:g}".format))
    text: str = table.to_markdown(index=False, disable_numparse=True)
    return text + "\n"


def spans(table: pd.DataFrame, middle: str, low: str, high: str) -> list[str]:
    """Value and interval of each line."""
    return [
        f"{number(value)} {interval(*ends)}"
        for value, *ends in table[[middle, low, high]].itertuples(index=False, name=None)
    ]


def interval(low: float, high: float) -> str:
    """The two ends, or nothing where there are none."""
    return f"[{number(low)}, {number(high)}]" if math.isfinite(low) else ""


def probability(p: float) -> str:
    """A dash where there was no spread to judge by."""
    return f"{p:.2g}" if math.isfinite(p) else "-"


def number(value: float, digits: int = 3) -> str:
    """A dash for what has no value."""
    return f"{value:.{digits}f}" if math.isfinite(value) else "-"
