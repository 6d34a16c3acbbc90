"""Differences between representations with their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from disentangle_metrics.errors import InputError
from disentangle_metrics.plot.style import (
    COLUMN,
    INK,
    QUIET,
    SERIES,
    figure_of,
    label_below,
    legend_above,
    legend_height,
    picture,
    styled,
)
from disentangle_metrics.reporting.literature import paper_name
from disentangle_metrics.reporting.view import SIZE, in_groups, number, with_arrow

if TYPE_CHECKING:
    from disentangle_metrics.comparison.comparison import ComparedScore, Comparison, Difference

LINE, WIDER, SPARE = 0.16, 0.22, 0.62  # inches of height for a score, of more than two, and around them
APART = 0.62  # of a line, which several representations share


@dataclass(frozen=True)
class Bar:
    """How much better a representation is than the one it is compared with: above 0 it is better.

    `value` is what the interval is around, where there is one.
    """

    name: str
    value: float
    interval: tuple[float, float] | None
    significant: bool


def differences(
    comparison: Comparison, *, ax: Axes | None = None, axes: Sequence[Axes] | None = None
) -> Figure:
    """How much better one representation is than another by each score, with the intervals.

    Of two, each dot is how much better the second is than the first. Of more, each dot is how far a
    representation is from the best of that score, which is at 0. A dot with an interval is the difference
    less its bias of few rows. To the right is better, also for scores that fall with quality. A filled mark
    is a significant difference, an empty one is not, or was not tested.

    Parameters
    ----------
    comparison : Comparison
        What :func:`compare` gives.
    ax : Axes, optional
        Draw the scores that end at 1 here, and no others.
    axes : pair of Axes, optional
        Draw them on the first, the others, as shares of the largest score, on the second.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If `comparison` is something else, holds nothing to draw or more than can be told apart, or matplotlib
        is not installed.
    """
    if not hasattr(comparison, "differences"):
        raise InputError(f"`comparison` must be a Comparison, got {type(comparison).__name__}")
    if len(comparison.names) > len(SERIES):
        raise InputError(f"a picture shows up to {len(SERIES)} representations, got {len(comparison.names)}")
    level = comparison.level
    scores = [score for score in comparison.scores.values() if score.property != SIZE and score.best(level)]
    bounded = [score for score in scores if score.range[1] == 1.0]
    others = [score for score in scores if score.range[1] != 1.0]
    if not scores:
        raise InputError("`comparison` has no difference to draw")
    if ax is not None and not bounded:
        raise InputError("`comparison` has no score that ends at 1; pass `axes` instead of `ax`")
    with styled():
        own = ax is None and axes is None
        if ax is not None:
            axes, others = [ax], []
        elif axes is None:
            axes = _axes(bounded, others, comparison.names)
        axes = list(axes)
        if len(axes) < bool(bounded) + bool(others):
            raise InputError(f"`axes` must be two for these scores, got {len(axes)}")
        if bounded:
            _draw(axes[0], comparison, in_groups(bounded), shares=False, own=own)
        if others:
            _draw(axes[1] if bounded else axes[0], comparison, [("", others)], shares=True, own=own)
        if len(comparison.names) > 2:
            marks = {
                name: axes[0].plot([], [], mark, color=colour, markersize=3.8, label=name)[0]
                for name, (colour, mark) in zip(comparison.names, SERIES, strict=False)
            }
            legend_above(axes[0], marks, own=own)
    return figure_of(axes[0])


def _axes(
    bounded: Sequence[ComparedScore], others: Sequence[ComparedScore], names: Sequence[str]
) -> list[Axes]:
    pair = len(names) == 2
    line = LINE if pair else WIDER
    heights = []
    if bounded:
        heights.append(line * (len(bounded) + len(in_groups(list(bounded)))))
    if others:
        heights.append(line * (len(others) + 0.5))
    figure = picture(sum(heights) + SPARE * len(heights) + (0.0 if pair else legend_height(names)), COLUMN)
    return [row[0] for row in figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)]


def _draw(
    axes: Axes,
    comparison: Comparison,
    groups: Sequence[tuple[str, Sequence[ComparedScore]]],
    *,
    shares: bool,
    own: bool,
) -> None:
    line, ticks, ends_drawn = 0.0, [], [0.0]
    for title, scores in groups:
        if title:
            axes.text(
                0.012,
                line,
                title,
                fontsize=6.5,
                style="italic",
                color=QUIET,
                va="center",
                transform=axes.get_yaxis_transform(),
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
            )
            line += 1
        for score in scores:
            ticks.append((line, with_arrow(paper_name(score.key), score)))
            axes.axhline(line, color="#dddddd", linewidth=0.5, zorder=0)
            largest = max((abs(mean) for mean in score.means().values() if math.isfinite(mean)), default=0.0)
            scale = (largest or 1.0) if shares else 1.0
            for bar in _bars(comparison, score):
                place = line + _aside(comparison, bar.name)
                ends_drawn += [
                    end / scale for end in (bar.value, *(bar.interval or ())) if math.isfinite(end)
                ]
                _draw_bar(axes, comparison, bar, place, scale)
            line += 1
    axes.axvline(0, color=INK, linewidth=0.7, zorder=1)
    axes.set_yticks([place for place, _ in ticks], [label for _, label in ticks])
    axes.set_ylim(line - 0.4, -0.6)
    pair = len(comparison.names) == 2
    low, high = min(ends_drawn), max(ends_drawn)
    if pair:  # as much room for either
        low, high = -max(-low, high), max(-low, high)
    spare = 0.04 * (high - low) or 1.0
    axes.set_xlim(low - spare, high + spare)
    axes.locator_params(axis="x", nbins=5)
    axes.tick_params(axis="y", length=0)
    if shares:
        axes.set_xlabel("as a share of the largest")
    elif pair:
        first, second = comparison.names
        label_below(axes, f"← {first} better", f"{second} better →", own=own)
    else:
        axes.set_xlabel("difference to the best, at 0")


def _bars(comparison: Comparison, score: ComparedScore) -> list[Bar]:
    """Of two the second against the first; of more each against the best, which is a bar at 0."""
    if len(comparison.names) == 2:
        (difference,) = score.differences
        return [_bar(comparison, score, difference, difference.second)]
    best = score.best(comparison.level)[0]
    bars = [Bar(best, 0.0, None, False)]
    for difference in score.differences:
        if best in (difference.first, difference.second):
            name = difference.first if difference.second == best else difference.second
            bars.append(_bar(comparison, score, difference, name))
    return bars


def _bar(comparison: Comparison, score: ComparedScore, difference: Difference, name: str) -> Bar:
    """The difference as how much better `name` is."""
    sign = (1 if name == difference.second else -1) * (-1 if score.direction == "down" else 1)
    ends = difference.interval
    interval = None if ends is None else (min(sign * e for e in ends), max(sign * e for e in ends))
    significant = bool(score.better(difference, comparison.level))
    value = difference.value if difference.corrected is None else difference.corrected
    return Bar(name, sign * value, interval, significant)


def _draw_bar(axes: Axes, comparison: Comparison, bar: Bar, place: float, scale: float) -> None:
    if math.isnan(bar.value):
        axes.text(0.0, place, " no value", va="center", fontsize=6, color=INK)
        return
    pair = len(comparison.names) == 2
    colour, mark = SERIES[0 if pair else comparison.names.index(bar.name)]
    if bar.interval:
        ends: Any = [end / scale for end in bar.interval]
        axes.plot(ends, [place, place], color=colour, linewidth=1.4, zorder=3, solid_capstyle="butt")
    is_best = not pair and bar.value == 0 and bar.interval is None
    axes.plot(
        [bar.value / scale],
        [place],
        mark,
        color=colour,
        markersize=3.8,
        markerfacecolor=colour if bar.significant or is_best else "white",
        markeredgecolor=colour,
        markeredgewidth=0.9,
        zorder=4,
    )
    if pair and scale != 1.0:
        axes.annotate(
            number(bar.value),
            (bar.value / scale, place),
            xytext=(0, 3.2),
            textcoords="offset points",
            ha="center",
            fontsize=6,
        )


def _aside(comparison: Comparison, name: str) -> float:
    """Where one of several representations lies around the line of its score."""
    count = len(comparison.names)
    return 0.0 if count == 2 else APART * (comparison.names.index(name) / (count - 1) - 0.5)
