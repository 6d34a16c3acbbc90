"""Mutual information of one-dimensional latents and factors by nearest neighbours, in nats.

A factor of categories has the estimator of Ross 2014. It counts how many points of any value lie
closer than a point's k-th neighbour of its own value. A continuous factor has the first estimator of
Kraskov, Stoegbauer and Grassberger 2004. In one dimension sorting finds both, without pairs of all
points. On a circle each place stands three times, a turn apart, so that neighbours go round.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.counts.entropy import Information, entropy, present

JITTER = 1e-10  # of a standard deviation: breaks ties without moving anything else

TURN = math.sqrt(12)  # of a circle: a uniform angle has deviation 1, wherever the circle is cut

Floats = NDArray[np.float64]


def jittered(values: NDArray[np.floating], noise: Floats) -> Floats:
    """Values (N,) centred, scaled to deviation 1, and moved apart by tiny `noise` (N,) of deviation 1.

    Points with equal values have no nearest neighbour; the noise makes their order random.
    """
    centred = np.asarray(values, dtype=np.float64) - np.mean(values, dtype=np.float64)
    deviation = float(centred.std())
    scaled: Floats = centred / (deviation if deviation > 0 else 1.0)
    scaled += JITTER * max(1.0, float(np.abs(scaled).mean())) * noise
    return scaled


def on_circle(angles: Floats, noise: Floats) -> Floats:
    """Angles (N,) in radians as places in [0, TURN), moved apart as by :func:`jittered`."""
    places = np.mod(angles * (TURN / (2 * math.pi)) + JITTER * noise, TURN)
    return np.where(places < TURN, places, 0.0)  # the remainder of a tiny negative number rounds to TURN


def with_categories(latent: Floats, codes: NDArray[np.integer], k: int, *, circular: bool = False) -> float:
    """Mutual information of a continuous latent with a factor of categories (Ross 2014, eq. 6).

    psi(N) - <psi(N_v)> + <psi(k)> - <psi(m)>, where N_v counts the rows with a row's value, and m
    those no further from it than its k-th neighbour among them. A value with fewer than k + 1 rows
    uses as many neighbours as it has; a value with a single row is left out.

    Parameters
    ----------
    latent
        Shape (N,), without ties; see :func:`jittered`.
    codes
        Shape (N,): 0 .. values - 1.
    k
        Number of neighbours.
    circular
        Whether the latent lies on a circle; see :func:`on_circle`.

    Returns
    -------
    The raw estimate, which scatters around the truth and may be negative; 0 if no value is shared.
    """
    from scipy.special import digamma

    shared = np.bincount(codes)[codes] > 1
    if not shared.any():
        return 0.0
    latent, codes = latent[shared], codes[shared]
    rows, turns = len(latent), 3 if circular else 1
    if circular:
        latent, codes = _three_turns(latent), np.tile(codes, 3)
    order = np.argsort(latent)
    everything = latent[order]
    by_value = np.argsort(codes[order], kind="stable")
    values, grouped = everything[by_value], codes[order][by_value]
    start, stop = np.searchsorted(grouped, grouped, "left"), np.searchsorted(grouped, grouped, "right")
    size = (stop - start) // turns
    neighbours = np.minimum(k, size - 1)
    lower, upper = _interval(values, start, stop, neighbours)
    own = (values >= 0) & (values < TURN) if circular else slice(None)
    closer = _between(everything, lower[own], upper[own])
    return float(
        digamma(rows)
        - np.mean(digamma(size[own]))
        + np.mean(digamma(neighbours[own]))
        - np.mean(digamma(closer))
    )


def _three_turns(places: Floats) -> Floats:
    return np.concatenate([places - TURN, places, places + TURN])


def _interval(
    values: Floats, start: NDArray[np.int64], stop: NDArray[np.int64], neighbours: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """The open interval around each value that ends at its k-th nearest neighbour in its own stretch.

    The k nearest neighbours and the point itself stand side by side in a sorted stretch, so that
    they are one of k + 1 windows: the one whose further end is nearest.
    """
    position = np.arange(len(values))
    radius = np.full(len(values), np.inf)
    lower, upper = np.empty(len(values)), np.empty(len(values))
    for before in range(int(neighbours.max()) + 1):
        first, last = position - before, position + neighbours - before
        fits = np.flatnonzero((first >= start) & (last < stop) & (before <= neighbours))
        left, centre, right = values[first[fits]], values[fits], values[last[fits]]
        further = np.maximum(centre - left, right - centre)
        nearer = further < radius[fits]
        index = fits[nearer]
        radius[index] = further[nearer]
        lower[index], upper[index] = _ends(centre, left, right, further, nearer)
    return lower, upper


def _ends(
    centre: Floats, left: Floats, right: Floats, radius: Floats, chosen: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Ends of the interval; on the side of the k-th neighbour exactly that neighbour, free of rounding."""
    lower = np.where(centre - left >= radius, left, centre - radius)
    upper = np.where(right - centre >= radius, right, centre + radius)
    return lower[chosen], upper[chosen]


def _between(ordered: Floats, lower: Floats, upper: Floats) -> NDArray[np.int64]:
    """How many of the sorted values lie in each open interval."""
    return np.searchsorted(ordered, upper, "left") - np.searchsorted(ordered, lower, "right")


def with_continuous(
    latent: Floats, factor: Floats, k: int, circular: tuple[bool, bool] = (False, False)
) -> float:
    """Mutual information of two continuous columns (Kraskov et al. 2004, eq. 8).

    psi(N) + psi(k) - <psi(n_z + 1)> - <psi(n_v + 1)>, where n counts the other rows that are
    closer, in one column, than the k-th neighbour in the plane by the larger of both distances.

    Parameters
    ----------
    latent, factor
        Shape (N,), without ties; see :func:`jittered`.
    k
        Number of neighbours.
    circular
        Whether latent, and factor, lie on a circle; see :func:`on_circle`.

    Returns
    -------
    The raw estimate, which may be negative; 0 for a single row.
    """
    from scipy.spatial import cKDTree
    from scipy.special import digamma

    rows = len(latent)
    k = min(k, rows - 1)
    if k < 1:
        return 0.0
    plane = np.column_stack([latent, factor])
    around = [TURN if goes_round else 0.0 for goes_round in circular] if any(circular) else None
    found = cKDTree(plane, boxsize=around).query(plane, k=[k + 1], p=np.inf)
    radius, neighbour = np.asarray(found[0])[:, 0], np.asarray(found[1])[:, 0]
    columns = (latent, factor)
    reached = [
        column[neighbour] - (TURN * np.rint((column[neighbour] - column) / TURN) if goes_round else 0.0)
        for column, goes_round in zip(columns, circular, strict=True)
    ]
    if any(circular):  # the tree rounds distances across the cut in another way
        radius = np.max([np.abs(end - column) for end, column in zip(reached, columns, strict=True)], axis=0)
    counted = 0.0
    for column, end, goes_round in zip(columns, reached, circular, strict=True):
        left, right = np.minimum(end, column), np.maximum(end, column)
        every = np.ones(rows, dtype=bool)
        lower, upper = _ends(column, left, right, radius, every)
        ordered = np.sort(_three_turns(column) if goes_round else column)
        # The interval holds the row itself, which stands for the "+ 1"; on a circle it may go round twice.
        counted += float(np.mean(digamma(np.minimum(_between(ordered, lower, upper), rows))))
    return float(digamma(rows) + digamma(k) - counted)


def _counted(one: NDArray[np.integer], other: NDArray[np.integer]) -> float:
    """Plug-in mutual information of two columns of codes."""
    width = int(other.max()) + 1
    joint = np.bincount(one.astype(np.int64) * width + other, minlength=(int(one.max()) + 1) * width)
    of_one, of_other = joint.reshape(-1, width).sum(axis=1), joint.reshape(-1, width).sum(axis=0)
    return float(entropy(of_one) + entropy(of_other) - entropy(joint))


def neighbour_information(
    latents: NDArray[np.floating],
    constant: NDArray[np.bool_],
    values: Sequence[Floats | None],
    codes: Sequence[NDArray[np.integer]],
    k: int,
    rng: np.random.Generator,
    categorical: Sequence[int] = (),
    angles: Mapping[int, Floats] | None = None,
    circular: Sequence[int] = (),
) -> Information:
    """Estimate the information of every latent with every factor.

    Parameters
    ----------
    latents
        Shape (N, D), floating.
    constant
        Shape (D,): latents that carry no information, for which 0 is given.
    values
        For each factor its (N,) values if it is continuous, else None.
    codes
        For each factor (N,) codes 0 .. values - 1; of a continuous one its bins, for its entropy.
    k
        Number of neighbours.
    rng
        Draws the noise that breaks ties: one vector for all latents, so that equal latents have
        equal information, and one for all factors.
    categorical
        Latents whose values are categories, which have no neighbours: their information with a factor
        of categories is that of counts, with a continuous factor that of its neighbours.
    angles
        Of each circular latent its (N,) angles in radians.
    circular
        The factors whose values are angles in radians.

    Returns
    -------
    Estimates below 0 are 0; they may exceed the factor's entropy. The latents' entropies are NaN.
    """
    noise = rng.standard_normal((2, len(latents)))
    continuous = [
        None if column is None else (on_circle if factor in circular else jittered)(column, noise[1])
        for factor, column in enumerate(values)
    ]
    turned = angles or {}
    table = np.zeros((latents.shape[1], len(codes)))
    for latent in np.flatnonzero(~constant).tolist():
        own = np.unique(latents[:, latent], return_inverse=True)[1] if latent in categorical else None
        turning = latent in turned
        moved = on_circle(turned[latent], noise[0]) if turning else jittered(latents[:, latent], noise[0])
        for factor, (column, categories) in enumerate(zip(continuous, codes, strict=True)):
            if own is not None and column is None:
                table[latent, factor] = _counted(own, categories)
            elif own is not None and column is not None:
                table[latent, factor] = with_categories(column, own, k, circular=factor in circular)
            elif column is None:
                table[latent, factor] = with_categories(moved, categories, k, circular=turning)
            else:
                around = turning, factor in circular
                table[latent, factor] = with_continuous(moved, column, k, around)
    return from_distances(table, codes)


def from_distances(table: Floats, codes: Sequence[NDArray[np.integer]]) -> Information:
    """Raw estimates (D, K) as information, none below 0; the factors' entropies are those of their codes."""
    rows_by_value = [np.bincount(column) for column in codes]
    unknown = np.full(table.shape, np.nan)
    return Information(
        np.maximum(table, 0.0),
        joint_entropy=unknown,
        latent_entropy=unknown[:, 0],
        factor_entropy=np.array([entropy(rows) for rows in rows_by_value]),
        factor_values=present(rows_by_value),
        counted=False,
    )
