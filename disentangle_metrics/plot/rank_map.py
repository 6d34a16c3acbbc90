"""Many representations: each score as a number, dark where the representation ranks high."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from disentangle_metrics.errors import InputError
from disentangle_metrics.plot.style import (
    COLUMN,
    HEAT,
    INK,
    QUIET,
    by_name,
    figure_of,
    height_of,
    label_below,
    legible,
    picture,
    styled,
    widest,
    width_of,
)
from disentangle_metrics.reporting import ranks as ranking
from disentangle_metrics.reporting.literature import paper_name
from disentangle_metrics.reporting.signatures import differing, shared
from disentangle_metrics.reporting.view import SIZE, by_property, with_arrow

if TYPE_CHECKING:
    from disentangle_metrics.scoring.report import Score

MOST = 100  # representations
LINE, CELL, SPARE = 0.155, 0.27, 1.6  # inches: height of a row, width of a column, least height around them
LABEL, TITLE = 60, 35  # degrees by which names of scores and of properties are turned
ABOVE, BELOW, BESIDE = 0.2, 0.35, 0.08  # inches from all to the edges, with the label below
ON_SCREEN = 1.05  # widths of letters whose places are rounded to pixels, at most
DARKEST = 0.85  # of the colours, for the best
MEANING = "the darker a cell, the better its rank in the column"


def ranks(reports: Any, *, ax: Axes | None = None) -> Figure:
    """Each score of each representation as a number, the darker the better it ranks among them.

    A number without a shade has no rank. Of a size, neither more nor less is better. Scores whose signatures
    differ cannot be compared, such as those of arrays and of posteriors under two rules.

    Parameters
    ----------
    reports : mapping
        Reports by the names of the representations, such as what :func:`disentangle_metrics.benchmark`
        returns; up to 100.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Figure
        It is as wide as its scores need: one column of a paper holds eight or so.

    Raises
    ------
    InputError
        If `reports` is something else, holds fewer than two, or no score with a value.
    """
    several: dict[str, Mapping[str, Score]] = {
        name: item if isinstance(item, Mapping) else {item.key: item}
        for name, item in by_name(reports, "reports", MOST).items()
    }
    if len(several) < 2:
        raise InputError("`reports` holds one representation; a rank needs two")
    present = [score for score in ranking.first_scores(several).values() if not math.isnan(score.value)]
    if not present:
        raise InputError("`reports` has no score with a value to draw")
    columns = [(title, score) for title, scores in by_property(present) for score in scores]
    with styled():
        own = ax is None
        if ax is None:
            ax = _axes(several, columns)
        _draw(ax, several, [score for _, score in columns], own=own)
        _mark_groups(ax, [title for title, _ in columns])
    return figure_of(ax)


def _axes(names: Collection[str], columns: Sequence[tuple[str, Score]]) -> Axes:
    """Axes of a figure that has room for names of all kinds around them."""
    left, right = _beside(names, columns, CELL)
    width = max(COLUMN, CELL * len(columns) + left + right)
    left, right = _beside(names, columns, (width - left - right) / len(columns))
    below = BELOW + height_of((_label(score) for _, score in columns), LABEL)
    above = ABOVE + height_of((title for title, _ in columns), TITLE)
    height = max(SPARE, below + above) + LINE * len(names)
    cells = (left / width, below / height, 1 - (left + right) / width, 1 - (below + above) / height)
    figure = picture(height, width)
    figure.set_layout_engine("none")
    return figure.add_axes(cells)


def _beside(names: Iterable[str], columns: Sequence[tuple[str, Score]], cell: float) -> tuple[float, float]:
    """Inches left and right of cells that are so wide, into which names of all kinds reach."""
    lower = [math.cos(math.radians(LABEL)) * width_of(_label(score)) for _, score in columns]
    upper = [math.cos(math.radians(TITLE)) * width_of(title) for title, _ in columns]
    left = max(width - (place + 0.5) * cell for place, width in enumerate(lower))
    right = max(width - (place + 0.5) * cell for place, width in enumerate(reversed(upper)))
    return BESIDE + ON_SCREEN * max(left, widest(names)), BESIDE + ON_SCREEN * max(right, 0.0)


def _draw(
    axes: Axes, several: Mapping[str, Mapping[str, Score]], columns: Sequence[Score], *, own: bool
) -> None:
    shades = np.stack([_shades(several, score) for score in columns], axis=1)
    axes.imshow(np.ma.masked_invalid(shades), cmap=HEAT, vmin=0.0, vmax=1.0, aspect="auto",
                interpolation="nearest")  # fmt: skip
    for (line, column), shade in np.ndenumerate(shades):
        found = list(several.values())[line].get(columns[column].key)
        colour = INK if math.isnan(shade) else legible(shade)
        axes.text(column, line, _short(found), ha="center", va="center", fontsize=6, color=colour)
    axes.set_xticks(
        range(len(columns)), list(map(_label, columns)), rotation=LABEL, ha="right", rotation_mode="anchor"
    )
    axes.set_yticks(range(len(several)), list(several))
    if own:  # of the figure, whose cells may be narrow between their names
        figure_of(axes).supxlabel(MEANING, fontsize=axes.xaxis.label.get_fontsize())
    else:
        label_below(axes, MEANING, own=False)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _label(score: Score) -> str:
    return with_arrow(paper_name(score.key), score)


def _shades(several: Mapping[str, Mapping[str, Score]], column: Score) -> NDArray[np.float64]:
    """How dark each representation is in a column: by its rank among those that have a value."""
    found = [report.get(column.key) for report in several.values()]
    ranked = [score for score in found if score is not None and not math.isnan(score.value)]
    said = {str(place): [shared(score.signature)] for place, score in enumerate(ranked)}
    if column.property == SIZE or len(ranked) < 2 or differing(said):
        return np.full(len(found), np.nan)
    places = iter(ranking.ranks(ranked))
    return np.array(
        [
            np.nan
            if score is None or math.isnan(score.value)
            else DARKEST * (len(ranked) - next(places)) / (len(ranked) - 1)
            for score in found
        ]
    )


def _short(score: Score | None) -> str:
    if score is None or math.isnan(score.value):
        return "–"
    size = abs(score.value)
    return (
        f"{score.value:z.2f}" if size < 10 else f"{score.value:.1f}" if size < 100 else f"{score.value:.0f}"
    )


def _mark_groups(axes: Axes, titles: Sequence[str]) -> None:
    """The name of each property above its columns, and a line between properties."""
    start = 0
    for place in range(1, len(titles) + 1):
        if place < len(titles) and titles[place] == titles[start]:
            continue
        axes.text((start + place - 1) / 2, -0.65, titles[start], rotation=TITLE, ha="left", va="bottom",
                  fontsize=6.5, style="italic", color=QUIET, rotation_mode="anchor")  # fmt: skip
        if place < len(titles):
            axes.axvline(place - 0.5, color=INK, linewidth=0.8)
        start = place
