"""The figures of a comparison, drawn from its tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from reference_models.comparison.results import (
    METRICS,
    NO_PROGRESSION,
    PROPOSED,
    effects,
    means,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LABELS = {"factor_vae": "FactorVAE score", "mig": "MIG", "mig_sup": "MIG-sup"}
# Colours that differ for the colour-blind too, and a marker each for print.
STYLES = {
    "beta-vae": ("#0072B2", "s"),
    "vlae": ("#E69F00", "^"),
    "teacher-student": ("#009E73", "D"),
    PROPOSED: ("#D55E00", "o"),
}
OTHER = ("#555555", "x")
VARIANT_COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00")


def figure(columns: int) -> tuple[Figure, list[Axes]]:
    """A row of panels, independent of any global figure."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(4.2 * columns, 3.8), layout="constrained", dpi=150)
    return drawn, list(drawn.subplots(1, columns, squeeze=False)[0])


def legend_below(drawn: Figure, axis: Axes) -> None:
    """One legend for all panels, where it hides nothing."""
    handles, labels = axis.get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside lower center", ncols=len(handles), fontsize=8)


def reconstruction_against_scores(runs: pd.DataFrame) -> Figure:
    """Reconstruction error against each metric, a point for each model and beta.

    Filled with error bars: mean over all seeds and its 95 percent interval. Hollow: the best three.
    """
    drawn, axes = figure(len(METRICS))
    for axis, metric in zip(axes, METRICS, strict=True):
        points = means(runs, metric)
        for model, group in points.groupby("model"):
            colour, marker = STYLES.get(str(model), OTHER)
            group = group.sort_values("beta")
            spread = [group["mean"] - group["low"], group["high"] - group["mean"]]
            axis.errorbar(
                group["reconstruction"], group["mean"], spread, color=colour, marker=marker,
                linewidth=1, capsize=2, label=str(model),
            )  # fmt: skip
            axis.plot(
                group["best_reconstruction"], group["best"], marker, color=colour, fillstyle="none", alpha=0.8
            )
            for _, point in group.iterrows():  # the beta below its point: the best three are above
                axis.annotate(
                    f"β={point['beta']:g}", (point["reconstruction"], point["mean"]),
                    textcoords="offset points", xytext=(5, -9), fontsize=7, color=colour,
                )  # fmt: skip
        axis.set(xlabel="reconstruction error, nats per image", ylabel=LABELS[metric])
        axis.margins(0.12)  # room for the betas
        low, high = axis.get_ylim()
        axis.set_ylim(max(low, -0.02), min(high, 1.02))  # intervals may leave a score's range; no score does
        axis.grid(alpha=0.25)
    axes[0].plot([], [], "o", color="#555555", label="all seeds, 95% interval")
    axes[0].plot([], [], "o", color="#555555", fillstyle="none", label="best three seeds")
    legend_below(drawn, axes[0])
    return drawn


def mig_against_mig_sup(runs: pd.DataFrame) -> Figure:
    """Every run as a point: where one metric is high and the other is low, they see different things."""
    drawn, (axis,) = figure(1)
    for model, group in runs.groupby("model"):
        colour, marker = STYLES.get(str(model), OTHER)
        axis.scatter(group["mig"], group["mig_sup"], 18, color=colour, marker=marker, alpha=0.7, label=model)
    end = 1.05 * max(runs["mig"].max(), runs["mig_sup"].max())
    axis.plot([0, end], [0, end], color="#999999", linewidth=0.8)
    axis.set(xlabel="MIG", ylabel="MIG-sup", xlim=(0, end), ylim=(0, end), aspect="equal")
    axis.grid(alpha=0.25)
    axis.legend(fontsize=8)
    return drawn


def scores_after_stages(stages: pd.DataFrame, baseline: pd.DataFrame) -> Figure:
    """Each metric after each stage of each ablation variant; thin lines are seeds, thick ones their mean.

    `baseline` holds the runs of the same network without progression, drawn as a level.
    """
    drawn, axes = figure(len(METRICS))
    variants = sorted(stages["variant"].unique(), key=lambda name: (len(name), name))
    for axis, metric in zip(axes, METRICS, strict=True):
        for number, (colour, variant) in enumerate(zip(VARIANT_COLOURS, variants, strict=False)):
            of_variant = stages[stages["variant"] == variant]
            # Variants differ so little that they would hide each other.
            aside = 0.06 * (number - (len(variants) - 1) / 2)
            for _, run in of_variant.groupby("seed"):
                axis.plot(run["stage"] + aside, run[metric], color=colour, linewidth=0.6, alpha=0.4)
            mean = of_variant.groupby("stage")[metric].mean()
            label = variant or "pro-VLAE"
            axis.plot(mean.index + aside, mean, color=colour, marker="o", linewidth=2, label=label)
        if len(baseline):
            axis.axhline(
                baseline[metric].mean(),
                color=STYLES["vlae"][0],
                linestyle="--",
                label=NO_PROGRESSION,
            )
        axis.set(xlabel="stage", ylabel=LABELS[metric], xticks=sorted(stages["stage"].unique()))
        axis.grid(alpha=0.25)
    legend_below(drawn, axes[0])
    return drawn


def effects_by_score(effects: pd.DataFrame) -> Figure:
    """Hedges' g of the proposed model against each other one, a cell for each score and other model."""
    from matplotlib.figure import Figure

    drawn = Figure(
        figsize=(2.6 + 1.3 * effects.shape[1], 1.2 + 0.26 * len(effects)), layout="constrained", dpi=150
    )
    axis = drawn.subplots()
    values = effects.to_numpy(float)
    image = axis.imshow(values, cmap="PuOr", vmin=-4, vmax=4, aspect="auto")
    for (line, column), value in np.ndenumerate(values):
        text = f"{value:.1f}" if np.isfinite(value) else "-"
        light = abs(value) > 2.8
        axis.text(
            column, line, text, ha="center", va="center", fontsize=7, color="white" if light else "black"
        )
    axis.set_xticks(range(effects.shape[1]), effects.columns, fontsize=8)
    axis.set_yticks(range(len(effects)), effects.index, fontsize=8)
    axis.tick_params(length=0)
    axis.set_title(f"{PROPOSED} against", fontsize=9)
    bar = drawn.colorbar(image, extend="both", location="bottom", aspect=30)
    bar.set_label(f"Hedges' g; above 0: {PROPOSED} better", fontsize=8)
    return drawn


def all_figures(tables: Mapping[str, pd.DataFrame]) -> dict[str, Figure]:
    """File name -> figure of :func:`results.tables`, those for which there are runs."""
    runs, stages = tables["runs"], tables["stages"]
    compared = runs[runs["purpose"] == "comparison"]
    figures: dict[str, Figure] = {}
    if len(compared):
        figures["reconstruction.png"] = reconstruction_against_scores(compared)
        both = runs[runs["purpose"] != "pilot"].dropna(subset=["mig", "mig_sup"])
        if len(both):
            figures["mig_and_mig_sup.png"] = mig_against_mig_sup(both)
        if len(by_score := effects(tables["suite"])):
            figures["other_scores.png"] = effects_by_score(by_score)
    ablated = stages[stages["variant"] != ""] if len(stages) else stages
    if len(ablated):
        beta = ablated["beta"].iloc[0]
        level = compared[(compared["model"] == "vlae") & (compared["beta"] == beta)]
        figures["ablation.png"] = scores_after_stages(stages[stages["beta"] == beta], level)
    return figures
