"""The table of latents by factors that a score was read from, as a heat map."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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
    STYLE,
    by_name,
    figure_of,
    legible,
    picture,
    score_of,
    styled,
)
from disentangle_metrics.reporting.details import latents_by_factors
from disentangle_metrics.reporting.literature import paper_name
from disentangle_metrics.reporting.view import number

if TYPE_CHECKING:
    import pandas as pd

    from disentangle_metrics.scoring.report import Score

Floats = NDArray[np.float64]
Places = tuple[list[int], list[int], list[str] | None]  # rows, columns, the group of each latent
UNITS = {"mutual_information": "nats", "factor_entropy": "nats", "joint_entropy": "nats"}
LINE, SPARE = 0.17, 0.95  # inches for a latent, and around them
MOST_NUMBERS = 7  # columns of cells wide enough for their numbers


def table(
    scores: Any,
    *,
    metric: str | None = None,
    detail: str | None = None,
    groups: Mapping[str, str] | Sequence[str] | None = None,
    order: bool = True,
    ax: Axes | None = None,
    axes: Sequence[Axes] | None = None,
) -> Figure:
    """A heat map of what each latent tells of each factor: mutual information, importances, accuracies.

    Parameters
    ----------
    scores : Score, Report, or mapping
        What to draw; several as a mapping from the names of the representations.
    metric : str, optional
        Which score of a report; by default the first that has such a table.
    detail : str, optional
        Which of its tables, as in ``score.details``; by default the first of latents by factors.
    groups : mapping from latent to group, or one group for each latent, optional
        Latents of a group stay together, with a line between groups.
    order : bool
        Sort rows and columns so that structure shows: each factor gets the latent of the best assignment,
        the strongest pairs first, then the other latents by strength. False: as they came.
    ax, axes : Axes, optional
        Where to draw one representation, or several.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there is no such table, or `groups` does not name a group for every latent.
    """
    several = {name: _frame(item, metric, detail) for name, item in by_name(scores, "scores").items()}
    if axes is None and ax is not None:
        axes = [ax]
    if axes is not None and len(axes) != len(several):
        raise InputError(f"`axes` must be {len(several)}, one for each representation, got {len(axes)}")
    first = next(iter(several.values()))[1]
    with styled():
        if axes is None:
            width = COLUMN if len(several) == 1 else min(7.0, 0.9 + 1.6 * len(several))
            longest = max(len(frame) for _, frame in several.values())
            figure = picture(SPARE + LINE * longest, width)
            axes = list(figure.subplots(1, len(several), squeeze=False)[0])
            labels = {label for label, _ in several.values()}
            if len(several) > 1 and len(labels) == 1:  # said once, above all
                figure.suptitle(labels.pop(), fontsize=STYLE["axes.titlesize"])
                several = {name: ("", frame) for name, (_, frame) in several.items()}
        top = (
            max(float(np.nanmax(frame.to_numpy(float), initial=0.0)) for _, frame in several.values()) or 1.0
        )
        columns = ordered(first.to_numpy(float))[1] if order else None
        for place, (name, (label, frame)) in zip(axes, several.items(), strict=True):
            shared = columns if list(frame.columns) == list(first.columns) else None
            places = _places(frame, groups, order, shared)
            _draw(place, frame, label, name, places, top, narrow=len(several) > 1)
    return figure_of(axes[0])


def ordered(values: Floats, columns: Sequence[int] | None = None) -> tuple[list[int], list[int]]:
    """Rows and columns of a table in the order in which structure shows.

    Columns go by the strength of the row that the best assignment gives them, unless their order is given.
    Rows follow the columns they are assigned to; the others come last, the strongest first.
    """
    from scipy.optimize import linear_sum_assignment

    filled = np.nan_to_num(values, nan=-1.0, posinf=0.0, neginf=-1.0)
    pairs = list(zip(*linear_sum_assignment(filled, maximize=True), strict=True))
    if columns is None:
        pairs.sort(key=lambda pair: (-filled[pair], pair[1]))
    else:
        place = {column: number_ for number_, column in enumerate(columns)}
        pairs.sort(key=lambda pair: place[int(pair[1])])
    first_rows, first_columns = [int(r) for r, _ in pairs], [int(c) for _, c in pairs]

    def strongest(axis: int, taken: list[int]) -> list[int]:
        strength = filled.max(axis=1 - axis)
        return sorted(
            (i for i in range(filled.shape[axis]) if i not in taken), key=lambda i: (-strength[i], i)
        )

    rows = first_rows + strongest(0, first_rows)
    return rows, list(columns) if columns is not None else first_columns + strongest(1, first_columns)


def _frame(
    item: Score | Mapping[str, Score], metric: str | None, detail: str | None
) -> tuple[str, pd.DataFrame]:
    """The table and what to call it."""
    chosen = score_of(item, metric, lambda score: bool(latents_by_factors(score)))
    frames = latents_by_factors(chosen)
    if not frames:
        raise InputError(f"{chosen.key} has no table of latents by factors to draw; try dm.plot.parts")
    if detail is not None and detail not in frames:
        raise InputError(f"`detail`: {chosen.key} has no table {detail!r}; it has {', '.join(frames)}")
    name = detail or next(iter(frames))
    unit = f", {UNITS[name]}" if name in UNITS else ""
    return f"{paper_name(chosen.key)}: {name.replace('_', ' ')}{unit}", frames[name]


def _groups(given: Mapping[str, str] | Sequence[str], latents: Sequence[str]) -> list[str]:
    if isinstance(given, Mapping):
        missing = [latent for latent in latents if latent not in given]
        if missing:
            raise InputError(f"`groups` names no group for the latent {missing[0]!r}")
        return [str(given[latent]) for latent in latents]
    if len(given) != len(latents):
        raise InputError(f"`groups` has {len(given)} entries for {len(latents)} latents")
    return [str(group) for group in given]


def _places(
    frame: pd.DataFrame,
    groups: Mapping[str, str] | Sequence[str] | None,
    order: bool,
    columns: Sequence[int] | None,
) -> Places:
    """The order of rows and columns, and the group of each row of the table, if there are groups."""
    rows, shown = list(range(frame.shape[0])), list(range(frame.shape[1]))
    if order:
        rows, shown = ordered(frame.to_numpy(dtype=float), columns)
    if groups is None:
        return rows, shown, None
    group_of = _groups(groups, [str(latent) for latent in frame.index])
    first = {group: place for place, group in reversed(list(enumerate(group_of)))}
    rows.sort(key=lambda row: first[group_of[row]])  # stable: within a group as ordered
    return rows, shown, group_of


def _draw(
    axes: Axes,
    frame: pd.DataFrame,
    label: str,
    name: str,
    places: Places,
    top: float,
    *,
    narrow: bool,
) -> None:
    rows, columns, group_of = places
    shown = frame.to_numpy(dtype=float)[np.ix_(rows, columns)]
    axes.imshow(
        np.ma.masked_invalid(shown), cmap=HEAT, vmin=0.0, vmax=top, aspect="auto", interpolation="nearest"
    )
    if shown.shape[1] <= (4 if narrow else MOST_NUMBERS):
        for (line, column), value in np.ndenumerate(shown):
            text = "–" if math.isnan(value) else f"{value:.2f}"
            colour = INK if math.isnan(value) else legible(value / top)
            axes.text(column, line, text, ha="center", va="center", fontsize=6, color=colour)
    axes.set_xticks(range(len(columns)), [str(frame.columns[c]) for c in columns], rotation=35, ha="right",
                    rotation_mode="anchor")  # fmt: skip
    axes.set_yticks(range(len(rows)), [str(frame.index[r]) for r in rows])
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if group_of is not None:
        _mark_groups(axes, [group_of[row] for row in rows])
    title = "\n".join(filter(None, [name, label])) if name else f"{label} (largest {number(top)})"
    axes.set_title(title, loc="left")


def _mark_groups(axes: Axes, groups: Sequence[str]) -> None:
    start = 0
    for place in range(1, len(groups) + 1):
        if place < len(groups) and groups[place] == groups[start]:
            continue
        middle = (start + place - 1) / 2
        axes.text(1.02, middle, groups[start], rotation=90, va="center", ha="left", fontsize=6.5, color=QUIET,
                  transform=axes.get_yaxis_transform())  # fmt: skip
        if place < len(groups):
            axes.axhline(place - 0.5, color=INK, linewidth=1.0)
        start = place
