"""Mutual information of groups of latents and factors, in nats: joint cells, or neighbours in several axes.

One estimator serves the whole table, so that gaps between groups are gaps of one kind of number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.counts.binning import Bins, distinct
from disentangle_metrics.estimators.counts.counts import ContingencyTables
from disentangle_metrics.estimators.counts.entropy import Information
from disentangle_metrics.estimators.nearest_neighbours import (
    TURN,
    from_distances,
    jittered,
    on_circle,
    with_categories,
    with_continuous,
)

ROWS_PER_CELL = 5  # on average, from which on joint histograms are counted
FEWER_CELLS = "use fewer `bins`, groups of fewer latents, or more rows"

Floats = NDArray[np.float64]
Units = Sequence[tuple[int, ...]]


def countable(units: Sequence[Sequence[int]], values: Sequence[int], rows: Sequence[int]) -> bool:
    """Whether every unit of several latents has `ROWS_PER_CELL` rows for each joint cell, on average.

    Parameters
    ----------
    units
        For each the numbers of values of its columns, or of their bins.
    values, rows
        For each factor its number of values, or of bins, and how many rows have one.
    """
    cells = [math.prod(columns) for columns in units if len(columns) > 1]
    return all(
        ROWS_PER_CELL * max(cells, default=0) * size <= count
        for size, count in zip(values, rows, strict=True)
    )


def joint_tables(
    latents: NDArray[np.floating],
    units: Units,
    bins: Bins,
    codes: Sequence[NDArray[np.integer]],
    sizes: Sequence[int],
) -> ContingencyTables:
    """Counts of rows by joint cell of each unit and value of each factor.

    Parameters
    ----------
    latents
        Shape (N, D), floating.
    units
        The columns of each.
    bins
        Of the D columns.
    codes, sizes
        For each factor (N,) codes 0 .. size - 1.

    Returns
    -------
    Tables of shape (units, most cells that occur, size); units of fewer cells have rows of zeros.
    """
    cells = []
    for unit in units:
        joint = bins.encode(unit[0], latents[:, unit[0]])
        for column in unit[1:]:
            # Renumbering after each column keeps the cells below the number of rows times that of bins.
            joint = distinct(joint * bins.count + bins.encode(column, latents[:, column]))[1]
        cells.append(joint)
    most = max(bins.count, *(int(cell.max()) + 1 for cell in cells))
    tables = []
    for values, size in zip(codes, sizes, strict=True):
        table = np.stack([np.bincount(cell * size + values, minlength=most * size) for cell in cells])
        tables.append(table.reshape(len(units), most, size))
    return ContingencyTables(tuple(tables))


def neighbour_information_of_groups(
    latents: NDArray[np.floating],
    constant: NDArray[np.bool_],
    units: Units,
    values: Sequence[Floats | None],
    codes: Sequence[NDArray[np.integer]],
    k: int,
    rng: np.random.Generator,
    angles: Mapping[int, Floats] | None = None,
    circular: Sequence[int] = (),
) -> Information:
    """Estimate the information of every unit with every factor from distances.

    The distance in a unit is the largest of those in its columns, each scaled to deviation 1. The distance
    on a circle is the length of the arc, scaled so that a uniform angle has deviation 1. A unit of one column
    has the estimate of :func:`~.nearest_neighbours.neighbour_information`, to the last bit.

    Parameters
    ----------
    latents
        Shape (N, D), floating.
    constant
        Shape (D,): columns that carry no information, and are left out.
    units
        The columns of each.
    values
        For each factor its (N,) values if it is continuous, else None.
    codes
        For each factor (N,) codes 0 .. values - 1; of a continuous one its bins, for its entropy.
    k
        Number of neighbours.
    rng
        Draws the noise that breaks ties.
    angles
        Of each circular column its (N,) angles in radians.
    circular
        The factors whose values are angles in radians.

    Returns
    -------
    Estimates below 0 are 0; they may exceed the factor's entropy. The latents' entropies are NaN.
    """
    noise = rng.standard_normal((2, len(latents)))
    turned = angles or {}
    continuous = [
        None if column is None else (on_circle if factor in circular else jittered)(column, noise[1])
        for factor, column in enumerate(values)
    ]
    table = np.zeros((len(units), len(codes)))
    for place, unit in enumerate(units):
        own = [column for column in unit if not constant[column]]
        if not own:
            continue
        around = [column in turned for column in own]
        moved = [
            on_circle(turned[column], noise[0])
            if column in turned
            else jittered(latents[:, column], noise[0])
            for column in own
        ]
        for factor, (column, categories) in enumerate(zip(continuous, codes, strict=True)):
            if len(moved) == 1 and column is None:
                table[place, factor] = with_categories(moved[0], categories, k, circular=around[0])
            elif len(moved) == 1 and column is not None:
                table[place, factor] = with_continuous(moved[0], column, k, (around[0], factor in circular))
            elif column is None:
                table[place, factor] = group_with_categories(np.column_stack(moved), categories, k, around)
            else:
                group, both = np.column_stack(moved), (around, factor in circular)
                table[place, factor] = group_with_continuous(group, column, k, *both)
    return from_distances(table, codes)


def group_with_categories(
    group: Floats, codes: NDArray[np.integer], k: int, around: Sequence[bool] = ()
) -> float:
    """Mutual information of several columns with a factor of categories (Ross 2014, eq. 6).

    As :func:`~.nearest_neighbours.with_categories`, with distances by the largest of the columns'.

    Parameters
    ----------
    group
        Shape (N, columns), without ties.
    codes
        Shape (N,): 0 .. values - 1.
    k
        Number of neighbours.
    around
        Which of the columns lie on a circle; see :func:`~.nearest_neighbours.on_circle`. Empty: none.
    """
    from scipy.spatial import cKDTree
    from scipy.special import digamma

    shared = np.bincount(codes)[codes] > 1
    if not shared.any():
        return 0.0
    points, codes = group[shared], codes[shared]
    radius, size, neighbours = (np.empty(len(points)) for _ in range(3))
    for value in np.unique(codes):
        own = np.flatnonzero(codes == value)
        count = min(k, len(own) - 1)
        tree = cKDTree(points[own], boxsize=_turns(around))
        distances, _ = tree.query(points[own], k=[count + 1], p=np.inf)
        radius[own], size[own], neighbours[own] = distances[:, 0], len(own), count
    closer = _closer(points, radius, around)
    return float(
        digamma(len(points))
        - np.mean(digamma(size))
        + np.mean(digamma(neighbours))
        - np.mean(digamma(closer))
    )


def group_with_continuous(
    group: Floats, factor: Floats, k: int, around: Sequence[bool] = (), factor_around: bool = False
) -> float:
    """Mutual information of several columns with a continuous factor (Kraskov et al. 2004, eq. 8).

    Parameters
    ----------
    group
        Shape (N, columns), without ties.
    factor
        Shape (N,), without ties.
    k
        Number of neighbours.
    around, factor_around
        Which of the columns, and whether the factor, lie on a circle; `around` may be empty: none.
    """
    from scipy.spatial import cKDTree
    from scipy.special import digamma

    rows = len(group)
    k = min(k, rows - 1)
    if k < 1:
        return 0.0
    together = np.column_stack([group, factor])
    every = [*(around or [False] * group.shape[1]), factor_around]
    radius = cKDTree(together, boxsize=_turns(every)).query(together, k=[k + 1], p=np.inf)[0][:, 0]
    counted = np.mean(digamma(_closer(group, radius, around)))
    counted += np.mean(digamma(_closer(factor[:, None], radius, [factor_around])))
    return float(digamma(rows) + digamma(k) - counted)


def _turns(around: Sequence[bool]) -> list[float] | None:
    """How long each axis is that lies on a circle, and 0 for the others; None where none does."""
    return [TURN if goes_round else 0.0 for goes_round in around] if any(around) else None


def _closer(points: Floats, radius: Floats, around: Sequence[bool]) -> NDArray[np.int64]:
    """How many points are nearer to each than its radius, itself among them."""
    from scipy.spatial import cKDTree

    inside = np.nextafter(radius, 0)  # the ball is open
    tree = cKDTree(points, boxsize=_turns(around))
    found = tree.query_ball_point(points, inside, p=np.inf, return_length=True)
    return np.asarray(found, dtype=np.int64)
