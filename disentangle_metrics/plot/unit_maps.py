"""Which unit holds which factor: heat maps of units by factors, together and each unit alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from disentangle_metrics.errors import InputError
from disentangle_metrics.plot.style import (
    BESIDE,
    COLUMN,
    HEAT,
    INK,
    QUIET,
    SLANT,
    STYLE,
    TITLE,
    figure_of,
    height_of,
    is_report,
    legible,
    picture,
    styled,
    widest,
    wrapped,
)
from disentangle_metrics.reporting.literature import paper_name
from disentangle_metrics.reporting.units import PROBES, columns_of, held

if TYPE_CHECKING:
    import pandas as pd

    from disentangle_metrics.scoring.report import Report

LINE, SPARE = 0.3, 0.75  # inches for a unit of two lines of letters, and around all
MOST_NUMBERS = 7  # columns of cells wide enough for their numbers
MOST_LETTERS = 22  # of a unit's columns
SMALL = 6  # points of their letters
CELLS = 1.2  # least inches of the cells

Map = tuple[str, "pd.DataFrame", float | None]  # a title, the numbers, and the one that is darkest


def units(report: Report, *, ax: Axes | None = None, axes: Sequence[Axes] | None = None) -> Figure:
    """Heat maps of what each unit holds of each factor; the columns of a unit stand below its name.

    The first is of all units together: the share of each factor's entropy that a unit tells, or the first
    table of a score, if no score of mutual information is in the report. A frame marks the unit that tells
    most of a factor. The second is there if the report has what each unit scores alone: how well
    a probe of the unit reads each factor (`Report.per_group`).

    Parameters
    ----------
    report : Report
        Of groups of latents, or of a model's layers (`Report.layers`), or of single latents.
    ax, axes : Axes, optional
        Where to draw the first, or both.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If no score of the report has a table of units by factors.
    """
    if not is_report(report):
        raise InputError(f"`report` must be a Report, got {type(report).__name__}")
    shown = report if report.groups or report.layers is None else report.layers
    table = held(shown)
    if table is None:
        raise InputError("no score of the report has a table of units by factors, as mig has")
    noun = "unit" if shown.groups else "latent"
    what = table.what if table.is_share else f"{paper_name(table.key)}: {table.what}"
    maps: list[Map] = [(f"What each {noun} holds: {what}", table.frame, 1.0 if table.is_share else None)]
    if ax is None and (probes := _probes(shown)) is not None:
        maps.append((f"Each {noun} alone: what probes read from it", probes, 1.0))
    given = [ax] if ax is not None else axes
    if given is not None and len(given) != len(maps):
        raise InputError(f"`axes` must be {len(maps)}, one for each heat map, got {len(given)}")
    with styled():
        if given is None:
            given, room = _panels(shown, maps)
            maps = [(wrapped(title, room, TITLE), frame, top) for title, frame, top in maps]
        for place, (title, frame, top) in zip(given, maps, strict=True):
            _draw(place, shown, title, frame, top)
    return figure_of(given[0])


def _panels(report: Report, maps: Sequence[Map]) -> tuple[list[Axes], float]:
    """Axes for the heat maps below each other, and inches of their cells."""
    units = max(widest(report.latent_names), widest(_columns(report, report.latent_names), SMALL))
    width = max(COLUMN, units + CELLS)
    room = width - units - BESIDE
    around = max(SPARE, 0.35 + height_of((name for _, frame, _ in maps for name in frame.columns), SLANT))
    lines = max(wrapped(title, room, TITLE).count("\n") for title, _, _ in maps)
    height = len(maps) * (around + 0.13 * lines + LINE * len(report.latent_names))
    figure = picture(height, width)
    return [row[0] for row in figure.subplots(len(maps), 1, squeeze=False)], room


def _columns(report: Report, units: Iterable[str]) -> list[str]:
    """What stands below the name of each unit: its columns, cut; empty if it is one itself."""
    columns = [(str(unit), columns_of(report, str(unit))) for unit in units]
    cut = (
        (unit, text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…")
        for unit, text in columns
    )
    return ["" if text == unit else text for unit, text in cut]


def _probes(report: Report) -> pd.DataFrame | None:
    """Units by factors: the quality of a probe of each unit; None if the report has no probes."""
    if report.per_group is None or PROBES not in report.per_group.columns.get_level_values(0):
        return None
    return report.per_group[PROBES].drop(columns="score").reindex(index=list(report.latent_names))


def _draw(axes: Axes, report: Report, title: str, frame: pd.DataFrame, top: float | None) -> None:
    values = frame.to_numpy(dtype=float)
    largest = top or float(np.nanmax(values, initial=0.0)) or 1.0
    axes.imshow(np.ma.masked_invalid(values), cmap=HEAT, vmin=0.0, vmax=largest, aspect="auto",
                interpolation="nearest")  # fmt: skip
    if values.shape[1] <= MOST_NUMBERS:
        for (line, column), value in np.ndenumerate(values):
            text = "–" if math.isnan(value) else f"{value:.2f}"
            colour = INK if math.isnan(value) else legible(min(max(value / largest, 0.0), 1.0))
            axes.text(column, line, text, ha="center", va="center", fontsize=6, color=colour)
    for column in range(values.shape[1]):
        if np.nanmax(values[:, column], initial=0.0) > 0:
            line = int(np.nanargmax(values[:, column]))
            axes.add_patch(Rectangle((column - 0.48, line - 0.46), 0.96, 0.92, fill=False, edgecolor=INK,
                                     linewidth=0.9))  # fmt: skip
    axes.set_xticks(range(values.shape[1]), [str(name) for name in frame.columns], rotation=SLANT, ha="right",
                    rotation_mode="anchor")  # fmt: skip
    axes.set_yticks(range(len(frame)), [str(unit) for unit in frame.index])
    for line, columns in enumerate(_columns(report, frame.index)):
        axes.annotate(columns, (0, line), xycoords=("axes fraction", "data"), xytext=(-5, -8), ha="right",
                      va="center", textcoords="offset points", fontsize=SMALL, color=QUIET)  # fmt: skip
    axes.tick_params(length=0, labelsize=STYLE["ytick.labelsize"])
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_title(title, loc="left")
