"""One latent against one factor, as a metric of counts sees them: bins over values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.hierarchy import Hierarchy
from disentangle_metrics.inputs.inputs import Inputs, Missing, check
from disentangle_metrics.plot.style import COLUMN, HEAT, figure_of, label_below, picture, styled
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.settings import Strategy

MOST_LABELS = 12  # values of a factor that are written out


def latent(
    latents: Any,
    factors: Any,
    *,
    latent: int | str,
    factor: int | str,
    bins: int = 20,
    strategy: Strategy = "uniform",
    factor_names: Any = None,
    factor_types: Any = None,
    latent_names: Any = None,
    missing: Missing = "raise",
    hierarchy: Hierarchy | None = None,
    ax: Axes | None = None,
) -> Figure:
    """How the values of one factor fall into the bins of one latent: what mutual information counts.

    A row is a value of the factor, and shows where its samples lie: the darker a cell, the larger the share
    of the row's samples. Of a continuous factor it is a bin, between the values where it ends. One dark cell
    in each row and column: the latent tells the factor. Rows that look alike: it does not.

    Parameters
    ----------
    latents, factors
        Shape (N, D) and (N, K), as for :func:`disentangle_metrics.score`.
    latent, factor : int or str
        Number or name.
    bins, strategy
        How latents are cut, as for ``mig``.
    factor_names, factor_types, latent_names, missing, hierarchy
        As for :func:`disentangle_metrics.score`. Rows without a value of this factor are left out.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the arrays cannot be used, or there is no such latent or factor.
    """
    inputs = with_factor(
        factor,
        check(
            latents,
            factors,
            factor_names=factor_names,
            factor_types=factor_types,
            latent_names=latent_names,
            missing=missing,
            hierarchy=hierarchy,
        ),
    )
    row = place_of("latent", latent, inputs.latent_names)
    relations = Relations(inputs)
    information = relations.mutual_information(bins=bins, strategy=strategy)
    cut = relations.bins(bins, strategy)
    codes, sizes = relations.factor_codes(bins, strategy)
    binned = cut.encode(row, inputs.latents[:, row])
    counts = np.zeros((sizes[0], cut.count))
    np.add.at(counts, (codes[0], binned), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    with styled():
        own = ax is None
        if ax is None:
            ax = picture(min(3.2, 0.95 + 0.13 * len(counts)), COLUMN).subplots()
        edges = cut.edges[row]
        used = np.concatenate([[True], np.diff(edges) > 0])  # bins that quantiles merged have no width
        ax.pcolormesh(edges[used], np.arange(len(counts) + 1) - 0.5, shares[:, used[1:]], cmap=HEAT, vmin=0.0,
                      edgecolors="none")  # fmt: skip
        if inputs.factors[0].codes is None:
            _label_edges(ax, relations.factor_bins(0, bins, strategy).edges[0])
        else:
            _label_values(ax, inputs.factors[0].levels, len(counts))
        ax.set_ylim(len(counts) - 0.5, -0.5)
        label_below(ax, f"{inputs.latent_names[row]}, cut into {cut.count} bins", own=own)
        ax.set_ylabel(inputs.factor_names[0])
        told, all_of_it = information.mutual_information[row, 0], information.factor_entropy[0]
        share = f" ({told / all_of_it:.0%})" if all_of_it > 0 else ""
        ax.set_title(f"tells {told:.2f} of {all_of_it:.2f} nats{share}", loc="left")
    return figure_of(ax)


def with_factor(wanted: int | str, inputs: Inputs) -> Inputs:
    """The rows that have a value of a factor, with this factor alone.

    Raises
    ------
    InputError
        If there is no such factor.
    """
    return inputs.having([place_of("factor", wanted, inputs.factor_names)])


def place_of(argument: str, wanted: int | str, names: tuple[str, ...]) -> int:
    """The place of a latent or factor that is named, or numbered.

    Raises
    ------
    InputError
        If there is none.
    """
    if isinstance(wanted, str):
        if wanted not in names:
            raise InputError(f"`{argument}`: there is no {wanted!r}; there are {', '.join(names)}")
        return names.index(wanted)
    if isinstance(wanted, bool) or not isinstance(wanted, int | np.integer) or not 0 <= wanted < len(names):
        raise InputError(
            f"`{argument}` must be a name, or a number from 0 to {len(names) - 1}; got {wanted!r}"
        )
    return int(wanted)


def _label_values(axes: Axes, levels: Sequence[Any], count: int) -> None:
    places = range(0, count, -(-count // MOST_LABELS))
    axes.set_yticks(places, [str(levels[place]) for place in places])


def _label_edges(axes: Axes, edges: NDArray[np.float64]) -> None:
    """Where the bins of a factor end, to a tenth of the narrowest of the bins beside it and their mean."""
    ends, place_of_end = np.unique(edges, return_inverse=True)  # quantiles may merge bins
    steps = np.pad(np.diff(ends), 1, constant_values=np.inf)
    widths = np.minimum(np.minimum(steps[:-1], steps[1:]), (ends[-1] - ends[0]) / (len(edges) - 1))
    decimals = [1 - math.floor(math.log10(width)) if width > 0 else 3 for width in widths]
    texts = [f"{round(float(end), digits):z.12g}" for end, digits in zip(ends, decimals, strict=True)]
    places = range(0, len(edges), -(-len(edges) // MOST_LABELS))
    axes.set_yticks([place - 0.5 for place in places], [texts[place_of_end[place]] for place in places])
