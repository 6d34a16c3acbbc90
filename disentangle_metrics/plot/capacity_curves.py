"""Loss of ever larger probes, the curves that the explicitness of DCI-ES is read from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from disentangle_metrics.errors import InputError
from disentangle_metrics.plot.style import (
    COLUMN,
    INK,
    SERIES,
    by_name,
    figure_of,
    legend_above,
    legend_height,
    legend_of,
    picture,
    score_of,
    styled,
)

if TYPE_CHECKING:
    import pandas as pd

    from disentangle_metrics.scoring.report import Score

HIGH, SPARE = 1.05, 0.45  # inches of a panel, and for labels around them
WIDE = 3  # panels side by side
LETTERS = 48  # of the names of panels side by side
CURVE = "curve_"  # of a detail's name; the number of random features follows
MEAN, BEST = (0, (4, 2)), (0, (1, 1.5))  # dashed and dotted


def capacity(scores: Any, *, metric: str | None = None, axes: Sequence[Axes] | None = None) -> Figure:
    """What probes of growing capacity leave of each factor's variance, with the two baselines of DCI-ES.

    A panel is a factor. The dashed line is the loss of its mean, which is 1. The dotted line is the loss of
    the largest probe. Explicitness E is 1 if the curve lies on the dotted line from the start, and 0 if it
    falls in a straight line from one to the other.

    Parameters
    ----------
    scores : Score, Report, or mapping
        Of ``dci_es``; several as a mapping from the names of the representations.
    metric : str, optional
        Which score of a report; by default the first that has such curves.
    axes : sequence of Axes, optional
        Where to draw, one for each factor that varies.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the score has no such curves, or `axes` are not as many as factors.
    """
    given = by_name(scores, "scores")
    several = {name: score_of(item, metric, _has_curves) for name, item in given.items()}
    for score in several.values():
        if not _curves(score):
            raise InputError(f"{score.key} has no losses of ever larger probes to draw; dci_explicitness has")
    capacities = sorted({size for score in several.values() for size in _curves(score)})
    factors = list(dict.fromkeys(name for score in several.values() for name in _factors(score)))
    if not factors:
        raise InputError("there is no factor whose curve could be drawn: none varies")
    if axes is not None and len(axes) != len(factors):
        raise InputError(f"`axes` must be {len(factors)}, one for each factor, got {len(axes)}")
    with styled():
        own = axes is None
        axes = _panels(factors, list(several)) if axes is None else axes
        for panel, factor in zip(axes, factors, strict=True):
            _draw(panel, several, factor, capacities)
            if not own:
                panel.set_xlabel("random features")
                panel.set_ylabel("loss")
        if len(several) > 1:
            drawn = zip(several, SERIES, strict=False)
            marks = {name: Line2D([], [], **_style(colour, mark)) for name, (colour, mark) in drawn}
            if own:
                legend_above(axes[0], marks, own=True)
            else:
                legend_of(axes[0], marks, several)
    return figure_of(axes[0])


def _has_curves(score: Score) -> bool:
    return bool(_curves(score))


def _curves(score: Score) -> dict[int, pd.Series[float]]:
    """The losses of all factors by the number of random features, the smallest first."""
    named = {name: item for name, item in score.details.items() if name.startswith(CURVE)}
    return dict(sorted((int(name.removeprefix(CURVE)), item) for name, item in named.items()))


def _factors(score: Score) -> list[str]:
    """Those that vary."""
    first = next(iter(_curves(score).values()))
    return [str(name) for name, loss in first.items() if math.isfinite(loss)]


def _panels(factors: Sequence[str], representations: Sequence[str]) -> list[Axes]:
    """Up to three panels side by side, fewer if a name needs the room."""
    wide = min(len(factors), max(1, min(WIDE, LETTERS // max(map(len, factors)))))
    high = math.ceil(len(factors) / wide)
    figure = picture(HIGH * high + SPARE + legend_height(representations), COLUMN)
    grid = figure.subplots(high, wide, squeeze=False, sharey=True)
    figure.supxlabel("random features (dashed: mean, dotted: largest probe)", fontsize=7)
    figure.supylabel("share of the variance left", fontsize=7)
    panels = list(grid.ravel())
    for empty in panels[len(factors) :]:
        empty.set_visible(False)
    return panels[: len(factors)]


def _style(colour: str, mark: str) -> dict[str, Any]:
    """How the curves of one representation look."""
    return {"color": colour, "marker": mark, "markersize": 2.6}


def _draw(axes: Axes, several: Mapping[str, Score], factor: str, capacities: Sequence[int]) -> None:
    axes.axhline(1.0, color=INK, linewidth=0.8, linestyle=MEAN)
    alone = len(several) == 1
    for score, (colour, mark) in zip(several.values(), SERIES, strict=False):
        of_sizes = {size: item for size, item in _curves(score).items() if factor in item.index}
        places = [capacities.index(size) for size in of_sizes]
        curve = np.array([item[factor] for item in of_sizes.values()], dtype=float)
        if not len(curve) or np.isnan(curve).any():
            continue
        axes.plot(places, curve, **_style(colour, mark))
        axes.axhline(curve[-1], color=INK if alone else colour, linewidth=0.8, linestyle=BEST)
        if alone:
            axes.fill_between(places, curve, curve[-1], color=colour, alpha=0.2, linewidth=0)
            _write_ease(axes, score, factor, low=curve[-1] < 0.5)
    shown = sorted({0, *range(len(capacities) - 1, 0, -2)})
    axes.set_xticks(shown, [str(capacities[place]) for place in shown])
    axes.set_xlim(-0.3, len(capacities) - 0.7)
    axes.set_ylim(0.0, 1.08)
    axes.set_yticks([0.0, 0.5, 1.0])
    axes.set_title(factor, loc="left")


def _write_ease(axes: Axes, score: Score, factor: str, *, low: bool) -> None:
    """The factor's explicitness, above the end of a curve that ends low, else below it."""
    if score.per_factor is None:
        return
    place, below = (0.86, "top") if low else (0.04, "bottom")
    text = f"E {score.per_factor[factor]:.2f}"
    axes.text(0.97, place, text, transform=axes.transAxes, ha="right", va=below, fontsize=6.5)
