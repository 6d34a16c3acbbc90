"""Regression trees for many targets at once, found through exact histograms over bins of the latents.

Splits are searched over bins of each latent. The sums over all bins of all latents are one product of a
sparse 0/1 matrix (bins x rows), made once, with the dense residuals (rows x trees). The residuals are whole
numbers, small enough that a row count and a sum of residuals share one float64 and every sum is exact. One
product gives both. A right child is its parent minus the left child. The result has the same bits whatever
the order of the rows or the number of threads.

Exact sums also make ties exact. Latents that tie share what the split removes equally, which is what drawing
one of them gives on average.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csc_array

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]
Levels = NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True)
class BinnedLatents:
    """Latents as bin numbers, in increasing order of value.

    Attributes
    ----------
    codes : ndarray of shape (n_latents, n_samples)
    lowest, highest : ndarray of shape (n_bins, n_latents)
        Smallest and largest value in each bin.
    indicator : sparse array of shape (n_bins * n_latents, n_samples)
        1 where a row lies in a bin of a latent; bins are the outer part of the first axis.
    """

    codes: Levels
    lowest: Floats
    highest: Floats
    indicator: csc_array


@dataclass(frozen=True)
class Trees:
    """One tree per target.

    Attributes
    ----------
    split_latents, thresholds : ndarray of shape (n_trees, 2 ** depth - 1)
        Splits, level by level; node k of a level of n nodes has the children k (left) and k + n (right).
    sums, counts : ndarray of shape (n_trees, 2 ** depth)
        Sum of the target (in its own unit) and number of rows in each leaf.
    position : ndarray of shape (n_trees, n_samples)
        Leaf of each row.
    removed : ndarray of shape (n_latents,)
        Squared error removed by the splits on each latent, over all trees.
    """

    split_latents: Integers
    thresholds: Floats
    sums: Floats
    counts: Floats
    position: Levels
    removed: Floats


def bin_latents(values: Floats, response: Floats | Integers, bins: int) -> BinnedLatents:
    """Cut each latent, a column of `values`, into at most `bins` bins that suit the `response`."""
    from scipy.sparse import csc_array

    n_samples, n_latents = values.shape
    codes = np.empty((n_latents, n_samples), dtype=np.min_scalar_type(bins))
    lowest = np.full((bins, n_latents), np.nan)
    highest = lowest.copy()
    for latent in range(n_latents):
        distinct, inverse, counts = np.unique(values[:, latent], return_inverse=True, return_counts=True)
        level = np.arange(len(distinct))
        if len(distinct) > bins:
            level = _merged(inverse, counts, response, bins)
        codes[latent] = level[inverse]
        first = np.flatnonzero(np.diff(level, prepend=-1))
        lowest[: len(first), latent] = distinct[first]
        highest[: len(first), latent] = distinct[np.append(first[1:], len(distinct)) - 1]
    n_bins = int(codes.max()) + 1
    rows = codes.T.astype(np.int32) * n_latents + np.arange(n_latents, dtype=np.int32)
    starts = np.arange(n_samples + 1, dtype=np.int32) * n_latents
    indicator = csc_array((np.ones(rows.size), rows.ravel(), starts), shape=(n_bins * n_latents, n_samples))
    return BinnedLatents(codes, lowest[:n_bins], highest[:n_bins], indicator)


def _merged(inverse: Integers, counts: Integers, response: Floats | Integers, bins: int) -> Integers:
    """Bin of each distinct value of a latent that has too many, cut where the response changes.

    Neighbouring values whose rows all share one response form a run. The first stage's best cut never lies
    inside one (Fayyad and Irani 1992), so runs are kept whole; quantiles would straddle the edges between the
    values of a clean code. Runs are grouped to at most `bins` bins of equal weight, half of it their number
    and half their rows: places where classes alternate and places with many rows both get their cuts.
    """
    smallest = np.full(len(counts), response.max())
    largest = np.full(len(counts), response.min())
    np.minimum.at(smallest, inverse, response)
    np.maximum.at(largest, inverse, response)
    changes = (smallest[1:] != largest[:-1]) | (largest[1:] != smallest[:-1])
    run: Integers = np.append(0, np.cumsum(changes))
    if run[-1] < bins:
        return run
    # Twice the weight left of each run's middle, in units of 1 / (2 runs rows): whole numbers, no rounding.
    weight = np.bincount(run, counts).astype(np.intp) * (run[-1] + 1) + len(inverse)
    middle = 2 * np.cumsum(weight) - weight
    merged: Integers = np.unique(middle * bins // (2 * weight.sum()), return_inverse=True)[1]
    return merged[run]


def canonical_order(binned: BinnedLatents, residuals: Floats) -> Integers:
    """Order the latents by the residuals in their bins, so that their given order settles no tie."""
    table = (binned.indicator @ residuals.T).reshape(len(binned.lowest), -1, len(residuals))
    ranked = sorted(range(table.shape[1]), key=lambda latent: table[:, latent].tobytes())
    return np.array(ranked, dtype=np.intp)


def grow_trees(binned: BinnedLatents, residuals: Floats, resolution: float, depth: int) -> Trees:
    """Grow a tree of `depth` levels for each row of `residuals` by squared error.

    Parameters
    ----------
    binned : BinnedLatents
    residuals : ndarray of shape (n_trees, n_samples)
        Whole numbers from -`resolution` to `resolution`, meant as multiples of 1 / `resolution`.
    resolution : float
        A power of two; with b bits in n_samples, at most 2 ** (52 - 2 b).
    depth : int
    """
    n_trees, n_samples = residuals.shape
    n_bins, n_latents = binned.lowest.shape
    # A row is `unit` and its residual: no sum of residuals reaches half a unit, so a sum of rows holds both.
    unit = resolution * 2.0 ** (n_samples.bit_length() + 1)
    packed = np.add(residuals.T, unit, order="C")
    left = np.empty_like(packed)
    position = np.zeros((n_trees, n_samples), dtype=np.uint8)
    removed = np.zeros(n_latents)
    split_latents, cuts, thresholds = [], [], []
    for level in range(depth):
        if level == 0:
            sums = _cumulative(binned, packed)
        else:
            parents, half = sums, sums.shape[2]
            sums = np.empty((n_bins, n_latents, 2 * half))
            nodes = np.ascontiguousarray(position.T)
            for node in range(2 ** (level - 1)):
                np.multiply(packed, nodes == node, out=left)
                sums[:, :, node * n_trees : (node + 1) * n_trees] = _cumulative(binned, left)
            np.subtract(parents, sums[:, :, :half], out=sums[:, :, half:])
        best = _best_splits(binned, sums, unit)
        removed += best.removed / resolution**2
        shape = (2**level, n_trees)
        split_latents.append(best.latent.reshape(shape))
        cuts.append(best.cut.reshape(shape).astype(binned.codes.dtype))
        thresholds.append(best.threshold.reshape(shape))
        descend(position, binned.codes, split_latents[-1], cuts[-1], level)
    counts, totals = _unpacked(np.concatenate([best.left, sums[-1, 0] - best.left]), unit)
    return Trees(
        np.concatenate(split_latents).T,
        np.concatenate(thresholds).T,
        totals.reshape(-1, n_trees).T,
        counts.reshape(-1, n_trees).T,
        position,
        removed,
    )


@dataclass(frozen=True)
class _Splits:
    """Best split of each node, nodes and trees in one axis; `left` packs what goes left."""

    latent: Integers
    cut: Integers
    threshold: Floats
    left: Floats
    removed: Floats


def _best_splits(binned: BinnedLatents, sums: Floats, unit: float) -> _Splits:
    """Search all cuts of all latents; `sums` are cumulative, (n_bins, n_latents, n_columns)."""
    columns = np.arange(sums.shape[2])
    rows, totals = _unpacked(sums[-1, 0], unit)
    below, score = _unpacked(sums, unit)
    # Squared error removed, times the rows of the node: (s_left n - s n_left)^2 / (n_left n_right). All of it
    # but the square and the quotient is exact, so equal partitions have equal scores, mirrored ones too.
    score *= rows
    score -= below * totals
    np.square(score, out=score)
    balance = rows - below
    balance *= below
    score /= np.maximum(balance, 1, out=balance)
    best = score.max(axis=0)
    gain = best.max(axis=0)
    tied = best == gain
    latent = tied.argmax(axis=0)
    cut = score[:, latent, columns].argmax(axis=0)

    # A node whose cuts all remove nothing is still split if it can be: its children may have better cuts.
    idle = np.flatnonzero(gain == 0)
    if idle.size:
        inside = below[:, :, idle]
        possible = ((inside > 0) & (inside < rows[idle])).transpose(1, 0, 2).reshape(-1, idle.size)
        first = np.where(possible.any(axis=0), possible.argmax(axis=0), len(sums) - 1)
        latent[idle], cut[idle] = first // len(sums), first % len(sums)

    left_rows = below[cut, latent, columns]
    following = (below[:, latent, columns] > left_rows).argmax(axis=0)
    lower, upper = binned.highest[cut, latent], binned.lowest[following, latent]
    threshold = lower / 2 + upper / 2
    threshold = np.where(threshold < upper, threshold, lower)  # neighbours in floating point have no middle
    threshold[left_rows == rows] = np.inf
    share = gain / (np.maximum(rows, 1) * tied.sum(axis=0))
    return _Splits(latent, cut, threshold, sums[cut, latent, columns], (tied * share).sum(axis=1))


def _cumulative(binned: BinnedLatents, packed: Floats) -> Floats:
    """Sums over the rows in each bin and all lower ones, (n_bins, n_latents, n_columns)."""
    sums: Floats = (binned.indicator @ packed).reshape(*binned.lowest.shape, -1)
    if sums[0].size < 64:
        return sums.cumsum(axis=0)
    for below, current in pairwise(sums):  # faster than cumsum, whose inner loop would be the strided axis
        current += below
    return sums


def _unpacked(sums: Floats, unit: float) -> tuple[Floats, Floats]:
    """Row counts and residual sums."""
    counts = np.rint(sums * (1 / unit))
    return counts, sums - counts * unit


def descend(
    position: Levels, columns: Levels | Floats, latents: Integers, cuts: Levels | Floats, level: int
) -> None:
    """Move each row of each tree to its child: node k of level l has the children k and k + 2 ** l."""
    right = np.zeros(position.shape, dtype=bool)
    for node in range(2**level):
        above = columns[latents[node]] > cuts[node][:, None]
        above &= position == node
        right |= above
    position += right.view(np.uint8) << np.uint8(level)


def leaf_index(position: Levels, n_leaves: int) -> Integers:
    """Place of each row's leaf in the raveled leaves of all trees, (n_trees, n_samples)."""
    return position + n_leaves * np.arange(len(position))[:, None]
