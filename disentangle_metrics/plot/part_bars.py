"""The parts that a score is the mean of: a bar for each factor, and for each latent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from disentangle_metrics.errors import InputError
from disentangle_metrics.plot.style import (
    COLUMN,
    HATCHES,
    INK,
    SERIES,
    by_name,
    figure_of,
    label_below,
    legend_above,
    legend_height,
    metric_of,
    picture,
    score_of,
    styled,
)
from disentangle_metrics.reporting.literature import paper_name

if TYPE_CHECKING:
    from disentangle_metrics.scoring.report import Score

LINE, SPARE = 0.16, 0.6  # inches for a bar, and around them
AXES = {"per_factor": "factors", "per_latent": "latents"}


def parts(
    scores: Any, *, metric: str | None = None, ax: Axes | None = None, axes: Sequence[Axes] | None = None
) -> Figure:
    """A score's parts: a bar for each factor, and for each latent, and a line for the score itself.

    Parameters
    ----------
    scores : Score, Report, or mapping
        What to draw; several as a mapping from the names of the representations.
    metric : str, optional
        Which score of a report; by default the first that has parts.
    ax, axes : Axes, optional
        Where to draw, one for the factors and one for the latents, as far as there are both.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the score has no parts, or the scores are of several metrics.
    """
    several = {name: score_of(item, metric, _has_parts) for name, item in by_name(scores, "scores").items()}
    metric = metric_of(several)
    present = [name for name in AXES if any(getattr(score, name) is not None for score in several.values())]
    if not present:
        raise InputError(f"{next(iter(several.values())).key} has no parts by factor or latent to draw")
    if axes is None and ax is not None:
        axes = [ax]
    if axes is not None and len(axes) != len(present):
        found = " and ".join(AXES[name] for name in present)
        raise InputError(f"`axes` must be {len(present)}, for {found}, got {len(axes)}")
    with styled():
        own = axes is None
        if axes is None:
            lines = [
                max(len(getattr(s, name)) for s in several.values() if getattr(s, name) is not None)
                for name in present
            ]
            heights = [LINE * max(1.0, 0.62 * len(several)) * count for count in lines]
            figure = picture(sum(heights) + SPARE * len(heights) + legend_height(list(several)), COLUMN)
            axes = [row[0] for row in figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)]
        for place, name in zip(axes, present, strict=True):
            _draw(place, several, name, paper_name(metric), own=own)
        if len(several) > 1:
            marks = {name: Patch(**_style(place, len(several))) for place, name in enumerate(several)}
            legend_above(axes[0], marks, own=own)
    return figure_of(axes[0])


def _has_parts(score: Score) -> bool:
    return score.per_factor is not None or score.per_latent is not None


def _style(number: int, count: int) -> dict[str, Any]:
    """How the bars of one representation of so many look."""
    hatch = HATCHES[number] if count > 1 else ""
    return {"facecolor": SERIES[number][0], "edgecolor": "white", "linewidth": 0.4, "hatch": hatch}


def _draw(axes: Axes, several: Mapping[str, Score], attribute: str, metric: str, *, own: bool) -> None:
    names: dict[str, None] = {}
    for score in several.values():
        part = getattr(score, attribute)
        names.update(dict.fromkeys([] if part is None else map(str, part.index)))
    height = 0.8 / len(several)
    for number, score in enumerate(several.values()):
        part = getattr(score, attribute)
        if part is None:
            continue
        colour, _ = SERIES[number]
        values = {str(key): float(value) for key, value in part.items()}
        lengths = np.array([values.get(key, np.nan) for key in names])
        lines = np.arange(len(names)) + (number - (len(several) - 1) / 2) * height
        axes.barh(lines, np.nan_to_num(lengths), height, **_style(number, len(several)))
        for line, length in zip(lines, lengths, strict=True):
            if np.isnan(length):
                axes.text(0.0, line, " no value", va="center", fontsize=6, color=INK)
        if np.isfinite(score.value):
            axes.axvline(
                score.value, color=colour if len(several) > 1 else INK, linewidth=0.8, linestyle=(0, (4, 2))
            )
    axes.set_yticks(range(len(names)), list(names))
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    first = next(iter(several.values()))
    high = first.range[1]
    if np.isfinite(high):
        axes.set_xlim(min(0.0, axes.get_xlim()[0]), high * 1.02)
    each = AXES[attribute].removesuffix("s")
    if each == "latent" and "|groups:" in first.signature:
        each = "unit"
    label_below(axes, f"{metric} by {each} (dashed: score)", own=own)
