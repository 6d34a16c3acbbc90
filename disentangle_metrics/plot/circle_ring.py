"""A circular factor in the plane of two latents: a ring of colours, if the plane turns with the factor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from disentangle_metrics.errors import InputError, NotApplicable
from disentangle_metrics.inputs.factor import Factor
from disentangle_metrics.inputs.hierarchy import Hierarchy
from disentangle_metrics.inputs.inputs import Missing, check
from disentangle_metrics.plot.latent_bins import place_of, with_factor
from disentangle_metrics.plot.style import COLUMN, INK, figure_of, picture, styled
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.relations.units import Turning, turning_of, units_of

WHEEL = "twilight"  # its two ends are one colour, and its lightness changes all the way round
MOST_POINTS = 4_000  # more hide each other
ARCS, LABELS = 24, 4  # pieces of the factor's circle whose mean place is drawn, and named
NEAR = 0.08  # of the widest range: labels nearer than this hide each other


def circle(
    latents: Any,
    factors: Any,
    *,
    factor: int | str,
    unit: Sequence[int | str] | None = None,
    turns: int = 5,
    factor_names: Any = None,
    factor_types: Any = None,
    latent_names: Any = None,
    latent_types: Any = None,
    missing: Missing = "raise",
    hierarchy: Hierarchy | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Where each value of a circular factor lies in a plane of the latents, as its colour.

    A ring whose colours go round: the plane turns with the factor, and with nothing else. The line joins the
    mean places of 24 arcs of the factor, in order. Four of its values are written where they lie. The title
    has the error of the plane, as `d_lsbd` with ``objects="together"`` scores it, and how often it turns.

    Parameters
    ----------
    latents, factors
        Shape (N, D) and (N, K), as for :func:`disentangle_metrics.score`. Up to 4,000 rows are drawn, evenly
        taken; all are used for the line and the error.
    factor : int or str
        Number or name of a circular factor.
    unit : two latents, optional
        By number or name: the plane. Default: the best plane of all latents, turned to fit the factor.
    turns : int
        The most turns of the plane in one of the factor, as for `d_lsbd`.
    factor_names, factor_types, latent_names, latent_types, missing, hierarchy
        As for :func:`disentangle_metrics.score`. Rows without a value of this factor are left out.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the arrays cannot be used, there is no such latent or factor, the factor is not circular or has
        fewer than three values, or the unit is not two latents.
    """
    inputs = with_factor(
        factor,
        check(
            latents,
            factors,
            factor_names=factor_names,
            factor_types=factor_types,
            latent_names=latent_names,
            latent_types=latent_types,
            missing=missing,
            hierarchy=hierarchy,
        ),
    )
    circular = inputs.factors[0]
    if circular.period is None:
        raise InputError(
            f"`factor`: {circular.name!r} is not circular; declare it, as in "
            f'`factor_types={{{circular.name!r}: "circular:360"}}`'
        )
    columns, _ = units_of(Relations(inputs))
    names = ["first axis of the plane", "second axis of the plane"]
    if isinstance(unit, str):
        raise InputError(f"`unit` must be two latents, such as [0, 1], got {unit!r}")
    places = None if unit is None else [place_of("unit", latent, inputs.latent_names) for latent in unit]
    if places is not None:
        if len(set(places)) != 2:
            raise InputError(f"`unit` must be two latents, got {unit!r}")
        if any(inputs.latent_types):
            raise InputError("`unit` must be two plain latents, and `latent_types` declares some others")
        columns, names = columns[:, places], [inputs.latent_names[place] for place in places]
    angles = circular.angles()
    try:
        turning = turning_of(columns, angles, turns)
    except NotApplicable as error:
        raise InputError(f"`factor`: {circular.name!r} has fewer than three values") from error
    shown = turning.plane if places is None else columns
    with styled():
        if ax is None:
            ax = picture(COLUMN, COLUMN).subplots()
        _draw(ax, shown, angles, circular)
        _label(ax, names, turning, circular)
    return figure_of(ax)


def _draw(axes: Axes, shown: NDArray[np.float64], angles: NDArray[np.float64], factor: Factor) -> None:
    step = -(-len(shown) // MOST_POINTS)
    axes.scatter(
        shown[::step, 0],
        shown[::step, 1],
        c=angles[::step],
        cmap=WHEEL,
        vmin=0,
        vmax=2 * np.pi,
        s=7,
        edgecolors="#888888",
        linewidths=0.2,
        rasterized=True,
    )
    means = _means_of_arcs(shown, angles)
    closed = np.vstack([means, means[:1]])
    axes.plot(*closed[~np.isnan(closed).any(axis=1)].T, color=INK, linewidth=0.8)
    edge = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": INK, "linewidth": 0.4}
    for (x, y), values in _labels(shown, angles, factor.period or 0.0):
        axes.text(x, y, values, ha="center", va="center", fontsize=6.5, bbox=edge)


def _labels(
    shown: NDArray[np.float64], angles: NDArray[np.float64], period: float
) -> list[tuple[NDArray[np.float64], str]]:
    """Mean places of the rows around each labelled value; values that lie at one place together."""
    labels: list[tuple[NDArray[np.float64], str]] = []
    means = _means_of_arcs(shown, angles + np.pi / ARCS)[:: ARCS // LABELS]
    for place, mean in enumerate(means):
        if np.isnan(mean).any():
            continue
        value = f"{place * period / LABELS:.3g}"
        near = [n for n, (at, _) in enumerate(labels) if np.linalg.norm(at - mean) < NEAR * np.ptp(shown)]
        if near:
            at, values = labels[near[0]]
            labels[near[0]] = (at, f"{values}, {value}")
        else:
            labels.append((mean, value))
    return labels


def _means_of_arcs(shown: NDArray[np.float64], angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean place of the rows of each arc, (ARCS, 2); NaN for one without rows."""
    arc = np.minimum((np.mod(angles, 2 * np.pi) * ARCS / (2 * np.pi)).astype(np.int64), ARCS - 1)
    rows = np.bincount(arc, minlength=ARCS)
    sums = np.stack([np.bincount(arc, column, ARCS) for column in shown.T], axis=1)
    empty = rows == 0
    return np.asarray(np.where(empty[:, None], np.nan, sums / np.maximum(rows, 1)[:, None]))


def _label(axes: Axes, names: Sequence[str], turning: Turning, factor: Factor) -> None:
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
    times = "once" if turning.turns == 1 else f"{turning.turns} times"
    axes.set_title(f"{factor.name}: error {turning.error:.2f}, goes round {times}", loc="left")
