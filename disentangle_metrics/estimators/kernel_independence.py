"""dHSIC: how far the joint distribution of columns is from the product of its marginals, by kernels."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.counts.binning import chunks
from disentangle_metrics.settings import Kernel

ELEMENTS = 1 << 18  # kernel values at a time

Floats = NDArray[np.float64]


def dhsic(columns: Floats, kernel: Kernel) -> float:
    """The V-statistic of dHSIC of the columns of an (N, D) array, none of them constant.

    mean_ab prod_j k_j(a, b) + prod_j mean_ab k_j(a, b) - 2 mean_a prod_j mean_b k_j(a, b), over all pairs
    of rows a, b, in memory that grows with N only.

    Parameters
    ----------
    columns
        Shape (N, D), float64.
    kernel
        ``"gaussian"``: exp(-(d / m)^2), where d is the distance and m its median over pairs of
        different rows; ``"exponential"``: exp(-d / m^2), m the median over all N^2 pairs.
    """
    rows, count = columns.shape
    scales = [_scale(np.sort(column), kernel) for column in columns.T]
    means = np.empty((rows, count))
    together = 0.0
    for part in chunks(rows, max(1, ELEMENTS // rows)):
        product = np.ones((part.stop - part.start, rows))
        for j, scale in enumerate(scales):
            values = np.abs(columns[part, j, None] - columns[:, j])
            values /= scale
            if kernel == "gaussian":
                values *= values
            np.exp(-values, out=values)
            means[part, j] = values.mean(axis=1)
            product *= values
        together += product.sum()
    crossed = means.prod(axis=1).mean()
    return float(together / rows**2 + means.mean(axis=0).prod() - 2 * crossed)


def _scale(ordered: Floats, kernel: Kernel) -> float:
    rows = len(ordered)
    pairs = rows * (rows - 1) // 2
    zeros = _pairs_within(ordered, 0.0)
    # Where half of the distances are 0, as for a latent of few values, the median of the others.
    others = _distance(ordered, zeros + (pairs - zeros + 1) // 2)
    if kernel == "gaussian":
        middle = (pairs + 1) // 2
        return _distance(ordered, middle) if middle > zeros else others
    # Of all N^2 distances the N from a row to itself are 0, and the others come twice.
    ranks = (rows**2 + 1) // 2, rows**2 // 2 + 1
    middles = [_distance(ordered, math.ceil((rank - rows) / 2)) if rank > rows else 0.0 for rank in ranks]
    return (sum(middles) / 2 or others) ** 2


def _distance(ordered: Floats, rank: int) -> float:
    """The distance of this rank, from 1, among all pairs of different rows, by bisection."""
    low, high = 0.0, float(ordered[-1] - ordered[0])
    if _pairs_within(ordered, low) >= rank:
        return 0.0
    while low < (middle := (low + high) / 2) < high:
        if _pairs_within(ordered, middle) >= rank:
            high = middle
        else:
            low = middle
    return high


def _pairs_within(ordered: Floats, distance: float) -> int:
    """The number of pairs of different rows at most so far apart."""
    ends = np.searchsorted(ordered, ordered + distance, side="right")
    return int(np.sum(np.maximum(ends - np.arange(1, len(ordered) + 1), 0)))
