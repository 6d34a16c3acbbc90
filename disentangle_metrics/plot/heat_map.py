"""The table of latents by factors that a score was read from, as a heat map."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from disentangle_metrics.errors import InputError
from disentangle_metrics.plot.style import (
    BESIDE,
    COLUMN,
    HEAT,
    INK,
    QUIET,
    SLANT,
    TITLE,
    by_name,
    figure_of,
    height_of,
    legible,
    metric_of,
    picture,
    room_of,
    score_of,
    styled,
    widest,
    wrapped,
)
from disentangle_metrics.reporting.details import latents_by_factors, reading_of, strength
from disentangle_metrics.reporting.literature import paper_name
from disentangle_metrics.reporting.view import number

if TYPE_CHECKING:
    import pandas as pd

    from disentangle_metrics.scoring.report import Score

Floats = NDArray[np.float64]
Places = tuple[list[int], list[int], list[str] | None]  # rows, columns, the group of each latent
UNITS = {"mutual_information": "nats", "factor_entropy": "nats", "joint_entropy": "nats"}
LINE, SPARE = 0.17, 0.95  # inches for a latent, and the least around them
PANEL, CELLS, WIDE = 1.6, 0.8, 7.0  # least inches of one of several tables, of its cells, and most of all
ABOVE = 0.4  # inches for a line above a table, and between all
MOST_NUMBERS = 7  # columns of cells wide enough for their numbers


@dataclass(frozen=True)
class HeatMap:
    """A table and what to call it; `strength` is as dark as its cells are, and what they are sorted by."""

    label: str
    frame: pd.DataFrame
    strength: pd.DataFrame
    turned: bool  # the darkest number is not the largest

    def end(self) -> str:
        """The number of the darkest cell, as text; empty if none has a number."""
        shades = self.strength.to_numpy(float)
        if not np.isfinite(shades).any():
            return ""
        darkest = self.frame.to_numpy(float)[np.unravel_index(np.nanargmax(shades), shades.shape)]
        return f" ({'darkest' if self.turned else 'largest'} {number(darkest)})"


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

    The stronger a pair, the darker its cell. That is the larger number, but for errors of `d_lsbd`, distances
    of `beta_vae` and p of `t_mex` the smaller. In the tables of `mcc` and `orthogonality` that have signs it
    is the larger without its sign.

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
        If there is no such table, the scores are of several metrics, or `groups` does not name a group for
        every latent.
    """
    chosen = {
        name: score_of(item, metric, lambda score: bool(latents_by_factors(score)))
        for name, item in by_name(scores, "scores").items()
    }
    metric_of(chosen)
    several = {name: _heat_map(score, detail) for name, score in chosen.items()}
    if axes is None and ax is not None:
        axes = [ax]
    if axes is not None and len(axes) != len(several):
        raise InputError(f"`axes` must be {len(several)}, one for each representation, got {len(axes)}")
    first = next(iter(several.values()))
    with styled():
        if axes is None:
            labels = {shown.label for shown in several.values()}
            above = labels.pop() if len(several) > 1 and len(labels) == 1 else ""  # said once, above all
            if above:
                several = {name: replace(shown, label="") for name, shown in several.items()}
            axes, room = _panels(several)
            rooms = [room] * len(axes)
            if above:
                figure_of(axes[0]).suptitle(above, fontsize=TITLE)
        else:
            rooms = [room_of(place) for place in axes]
        strengths = [shown.strength.to_numpy(float) for shown in several.values()]
        top = max(float(np.nanmax(values, initial=0.0)) for values in strengths) or 1.0
        columns = ordered(strengths[0])[1] if order else None
        for place, room, (name, shown) in zip(axes, rooms, several.items(), strict=True):
            shared = columns if list(shown.frame.columns) == list(first.frame.columns) else None
            places = _places(shown.strength, groups, order, shared)
            _draw(place, shown, places, top, narrow=len(several) > 1)
            place.set_title(_title(name, shown, room), loc="left")
    return figure_of(axes[0])


def _panels(several: Mapping[str, HeatMap]) -> tuple[list[Axes], float]:
    """Axes side by side, or in several rows if the names of latents need the room; inches of their cells."""
    frames = [shown.frame for shown in several.values()]
    names = widest(name for frame in frames for name in frame.index)
    alone = len(several) == 1
    wide = max(1, min(len(several), int(WIDE / (names + CELLS))))
    panel = max(PANEL, names + 1.5 * CELLS)
    width = max(COLUMN, panel) if wide == 1 else min(WIDE, 0.9 + panel * wide)
    room = width / wide - names - BESIDE
    more = max(_title(name, shown, room).count("\n") for name, shown in several.items())
    slanted = height_of((name for frame in frames for name in frame.columns), SLANT)
    height = max(SPARE, slanted + (ABOVE if alone else 2 * ABOVE)) + LINE * (more + max(map(len, frames)))
    high = -(-len(several) // wide)
    panels = list(picture(high * height, width).subplots(high, wide, squeeze=False).ravel())
    for empty in panels[len(several) :]:
        empty.set_visible(False)
    return panels[: len(several)], room


def _title(name: str, shown: HeatMap, room: float) -> str:
    """What stands above a table, in lines of so many inches."""
    lines = [name, shown.label] if name else [f"{shown.label}{shown.end()}"]
    return "\n".join(wrapped(line, room, TITLE) for line in lines if line)


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


def _heat_map(score: Score, detail: str | None) -> HeatMap:
    frames = latents_by_factors(score)
    if not frames:
        raise InputError(f"{score.key} has no table of latents by factors to draw; try dm.plot.parts")
    if detail is not None and detail not in frames:
        raise InputError(f"`detail`: {score.key} has no table {detail!r}; it has {', '.join(frames)}")
    name = detail or next(iter(frames))
    unit = f", {UNITS[name]}" if name in UNITS else ""
    label = f"{paper_name(score.key)}: {name.replace('_', ' ')}{unit}"
    reading = reading_of(score, name)
    return HeatMap(label, frames[name], strength(frames[name], reading), reading is not None)


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
    strengths: pd.DataFrame,
    groups: Mapping[str, str] | Sequence[str] | None,
    order: bool,
    columns: Sequence[int] | None,
) -> Places:
    """The order of rows and columns, and the group of each row of the table, if there are groups."""
    rows, shown = list(range(strengths.shape[0])), list(range(strengths.shape[1]))
    if order:
        rows, shown = ordered(strengths.to_numpy(dtype=float), columns)
    if groups is None:
        return rows, shown, None
    group_of = _groups(groups, [str(latent) for latent in strengths.index])
    first = {group: place for place, group in reversed(list(enumerate(group_of)))}
    rows.sort(key=lambda row: first[group_of[row]])  # stable: within a group as ordered
    return rows, shown, group_of


def _draw(axes: Axes, shown: HeatMap, places: Places, top: float, *, narrow: bool) -> None:
    rows, columns, group_of = places
    frame = shown.frame
    numbers, shades = (
        table.to_numpy(dtype=float)[np.ix_(rows, columns)] for table in (frame, shown.strength)
    )
    axes.imshow(
        np.ma.masked_invalid(shades), cmap=HEAT, vmin=0.0, vmax=top, aspect="auto", interpolation="nearest"
    )
    if numbers.shape[1] <= (4 if narrow else MOST_NUMBERS):
        for (line, column), value in np.ndenumerate(numbers):
            text = "–" if math.isnan(value) else f"{value:z.2f}"
            colour = INK if math.isnan(value) else legible(shades[line, column] / top)
            axes.text(column, line, text, ha="center", va="center", fontsize=6, color=colour)
    axes.set_xticks(range(len(columns)), [str(frame.columns[c]) for c in columns], rotation=SLANT, ha="right",
                    rotation_mode="anchor")  # fmt: skip
    axes.set_yticks(range(len(rows)), [str(frame.index[r]) for r in rows])
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if group_of is not None:
        _mark_groups(axes, [group_of[row] for row in rows])


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
