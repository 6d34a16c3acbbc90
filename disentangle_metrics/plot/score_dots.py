"""Scores with chance, ceiling and interval on one scale."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from disentangle_metrics.errors import InputError
from disentangle_metrics.plot.style import (
    COLUMN,
    INK,
    QUIET,
    SERIES,
    by_name,
    figure_of,
    legend_above,
    legend_height,
    picture,
    styled,
)
from disentangle_metrics.reporting.literature import paper_name
from disentangle_metrics.reporting.view import NEAR, PROPERTIES, near_chance, number, with_arrow

if TYPE_CHECKING:
    from disentangle_metrics.scoring.report import Score

Scores = Mapping[str, "Score"]

LINE, SPARE = 0.155, 0.55  # inches of height for a score, and for what is around them
MOST_TOLD = 4  # representations whose numbers stand beside a score of another range
LOW = 0.1  # what scores may fall below 0 before the axis says how far
APART = 0.62  # of a line, which the marks of several representations share
EDGE: Mapping[str, Any] = {"markeredgecolor": "white", "markeredgewidth": 0.4}
LARGE: Mapping[str, Any] = {**EDGE, "markersize": 3.6}  # the mark of one representation
SMALL: Mapping[str, Any] = {**EDGE, "markersize": 3.0}  # of several


def scores(reports: Any, *, ax: Axes | None = None, axes: Sequence[Axes] | None = None) -> Figure:
    """Each score as a dot between chance and ceiling, grouped by what it measures.

    Scores that end at 1 share one scale. Those of other ranges, such as nats, stand apart below it, as shares
    of the largest, with their numbers.

    Parameters
    ----------
    reports : Report, Score, or mapping
        One report; or several, as a mapping from the names of the representations.
    ax : Axes, optional
        Draw the scores that end at 1 here, and no others.
    axes : pair of Axes, optional
        Draw them on the first, the others on the second.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If `reports` is something else, holds nothing to draw, or matplotlib is not installed.
    """
    several = {
        name: item if isinstance(item, Mapping) else {item.key: item}
        for name, item in by_name(reports, "reports").items()
    }
    groups = _grouped(several)
    bounded = {title: keys for title, keys in groups[0].items() if keys}
    others = [key for keys in groups[1].values() for key in keys]
    if not bounded and not others:
        raise InputError("`reports` has no score with a value to draw")
    if ax is not None and not bounded:
        raise InputError("`reports` has no score that ends at 1; pass `axes` instead of `ax`")
    with styled():
        own = ax is None and axes is None
        if ax is not None:
            axes, others = [ax], []
        elif axes is None:
            axes = _axes(bounded, others, legend_height(list(several)))
        axes = list(axes)
        if len(axes) < bool(bounded) + bool(others):
            raise InputError(f"`axes` must be two for these scores, got {len(axes)}")
        if bounded:
            _draw_bounded(axes[0], several, bounded)
        if others:
            _draw_others(axes[1] if bounded else axes[0], several, others)
        if len(several) > 1:
            drawn = zip(several, SERIES, strict=False)
            marks = {
                name: axes[0].plot([], [], mark, color=colour, **SMALL, label=name)[0]
                for name, (colour, mark) in drawn
            }
            legend_above(axes[0], marks, own=own)
    return figure_of(axes[0])


def _axes(bounded: Mapping[str, list[str]], others: Sequence[str], legend: float) -> list[Axes]:
    heights = []
    if bounded:
        heights.append(LINE * (sum(map(len, bounded.values())) + len(bounded)))
    if others:
        heights.append(LINE * len(others))
    figure = picture(sum(heights) + SPARE * len(heights) + legend, COLUMN)
    grid = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)
    return [row[0] for row in grid]


def _grouped(several: Mapping[str, Scores]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Keys of the scores by property: those that end at 1, and the others; all of which some have a value."""
    first: dict[str, Score] = {}
    for report in several.values():
        for key, score in report.items():
            if not math.isnan(score.value):
                first.setdefault(key, score)
    bounded: dict[str, list[str]] = {title: [] for title in PROPERTIES}
    others: dict[str, list[str]] = {title: [] for title in PROPERTIES}
    for key, score in first.items():
        (bounded if score.range[1] == 1.0 else others).setdefault(score.property, []).append(key)
    return bounded, others


def _draw_bounded(axes: Axes, several: Mapping[str, Scores], groups: Mapping[str, list[str]]) -> None:
    line, ticks = 0.0, []
    for title, keys in groups.items():
        across = axes.get_yaxis_transform()
        axes.text(
            0.012,
            line,
            title or "other",
            fontsize=6.5,
            style="italic",
            color=QUIET,
            va="center",
            transform=across,
        )
        line += 1
        for key in keys:
            ticks.append((line, _label(several, key)))
            axes.axhline(line, color="#dddddd", linewidth=0.5, zorder=0)
            for series, report in enumerate(several.values()):
                if key in report:
                    _draw_score(axes, report[key], line + _aside(series, len(several)), series, len(several))
            line += 1
    axes.set_yticks([place for place, _ in ticks], [label for _, label in ticks])
    axes.set_ylim(line - 0.4, -0.6)
    drawn = [report[key] for report in several.values() for keys in groups.values() for key in keys
             if key in report and not math.isnan(report[key].value)]  # fmt: skip
    lowest = min(end for score in drawn for end in (score.value, *(score.interval or ())))
    axes.set_xlim(min(-0.03, lowest - 0.03), 1.03)
    if lowest < -LOW:
        axes.locator_params(axis="x", nbins=6)
    else:
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(
        "score (thin line: chance, thick line: ceiling)", loc="right"
    )  # beside names of any length


def _draw_score(axes: Axes, score: Score, y: float, series: int, count: int) -> None:
    if math.isnan(score.value):
        return
    colour, mark = SERIES[series]
    reach = 0.36 if count == 1 else 0.36 * APART
    for anchor, width in ((score.chance, 0.7), (score.ceiling, 1.6)):
        if anchor is not None and not math.isnan(anchor):
            tint = INK if count == 1 else colour
            axes.plot(
                [anchor, anchor],
                [y - reach, y + reach],
                color=tint,
                linewidth=width,
                zorder=2,
                solid_capstyle="butt",
            )
    if score.interval:
        axes.plot(
            score.interval, [y, y], color=colour, linewidth=3.2, alpha=0.45, zorder=3, solid_capstyle="butt"
        )
        if score.corrected is not None:
            axes.plot([score.corrected] * 2, [y - 0.18, y + 0.18], color=colour, linewidth=0.8, zorder=3)
    axes.plot([score.value], [y], mark, color=colour, **(LARGE if count == 1 else SMALL), zorder=4)


def _draw_others(axes: Axes, several: Mapping[str, Scores], keys: Sequence[str]) -> None:
    alone = len(several) == 1  # then there is nothing to compare a number with
    for line, key in enumerate(keys):
        values = [report[key].value if key in report else math.nan for report in several.values()]
        largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0) or 1.0
        axes.axhline(line, color="#dddddd", linewidth=0.5, zorder=0)
        for series, value in enumerate(values):
            if alone or math.isnan(value):
                continue
            colour, mark = SERIES[series]
            place = line + _aside(series, len(several))
            axes.plot(
                [value / largest],
                [place],
                mark,
                color=colour,
                markersize=3.4,
                **EDGE,
            )
        told = ", ".join(map(number, values))
        if len(values) > MOST_TOLD:
            told = f"largest {number(largest)}"
        axes.text(0.0 if alone else 1.06, line, told, va="center", fontsize=6.5)
    axes.set_yticks(range(len(keys)), [_label(several, key) for key in keys])
    axes.set_ylim(len(keys) - 0.4, -0.6)
    axes.set_xlim(-0.03, 1.1 + 0.26 * min(len(several), MOST_TOLD))
    axes.set_xticks([] if alone else [0, 1], [] if alone else ["0", "largest"])
    axes.spines["bottom"].set_visible(not alone)
    axes.tick_params(axis="y", length=0)


def _label(several: Mapping[str, Scores], key: str) -> str:
    found = [report[key] for report in several.values() if key in report]
    near = f" {NEAR}" if len(found) == 1 and near_chance(found[0]) else ""
    return with_arrow(paper_name(key), found[0]) + near


def _aside(series: int, count: int) -> float:
    """Where one of several representations lies around the line of its score."""
    return 0.0 if count == 1 else APART * (series / (count - 1) - 0.5)
