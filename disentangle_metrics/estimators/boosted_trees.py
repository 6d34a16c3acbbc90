"""Gradient boosted trees for importances: the published learner's trees, found through histograms.

The learner is gradient boosting as Friedman describes it and as scikit-learn's ``GradientBoostingClassifier``
and ``GradientBoostingRegressor`` run it by default: at each stage a regression tree per class is grown on the
residuals by squared error (every row has the same weight in the search for splits, so no Hessian enters), and
each leaf then moves its rows by one Newton step of the loss. A latent's importance is the squared error that
its splits remove, summed over all trees.

Three things make it fast without compiled code of its own:

* the trees of a stage do not depend on each other, so all classes of a stage grow together;
* splits are searched over quantile bins of each latent. A histogram over all bins of all latents is one
  product of a sparse 0/1 matrix (bins x rows), made once, with the dense residuals (rows x trees);
* residuals are rounded to integers small enough that a row count and a sum of residuals share one float64
  and every sum is exact. One product then gives both, a right child is its parent minus the left child, and
  the result has the same bits whatever the order of the rows or the number of threads.

Exact sums also make ties exact. The published learner settles a tie between latents at random; here the
latents that tie share the importance of the split equally, which is what the draws give on average, and the
order in which the latents are given cannot matter.

References
----------
Friedman 2001, Greedy function approximation: a gradient boosting machine, algorithms 1, 5 and 6.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from disentangle_metrics.errors import InputError

if TYPE_CHECKING:
    from scipy.sparse import csc_array

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]
Levels = NDArray[np.uint8]

MAX_ROWS = 2**20
_BLOCK_CELLS = 2**17


@dataclass(frozen=True)
class BoostedTrees:
    """Boosted trees fitted to one target.

    Attributes
    ----------
    importances : ndarray of shape (n_latents,)
        Share of the squared error removed by the splits on each latent, in [0, 1]; sums to 1, or is all zero
        if no tree has a split.
    classes : ndarray of shape (n_classes,) or None
        The codes seen in training; None for regression.
    initial : ndarray of shape (n_trees,)
        Raw prediction before the first stage: log odds, centred log prior, or mean.
    split_latents, thresholds : ndarray of shape (n_stages, n_trees, 2 ** depth - 1)
        Splits in heap order (children of i at 2 i + 1 and 2 i + 2); a row goes left if its value is at most the
        threshold. A node without split has threshold infinity.
    leaves : ndarray of shape (n_stages, n_trees, 2 ** depth)
        What each leaf adds to the raw prediction, learning rate included.
    """

    importances: Floats
    classes: Integers | None
    initial: Floats
    split_latents: Integers
    thresholds: Floats
    leaves: Floats

    def raw(self, latents: ArrayLike) -> Floats:
        """Sum of the trees on each row, of shape (n_samples, n_trees): logits, log odds, or values."""
        columns = np.ascontiguousarray(np.asarray(latents, dtype=np.float64).T)
        scores = np.repeat(self.initial[:, None], columns.shape[1], axis=1)
        for block in _blocks(len(self.initial), columns.shape[1]):
            for features, cuts, leaves in zip(self.split_latents, self.thresholds, self.leaves, strict=True):
                position = np.zeros(scores[block].shape, dtype=np.uint8)
                for level in range(leaves.shape[1].bit_length() - 1):
                    nodes = slice(2**level - 1, 2 ** (level + 1) - 1)
                    _descend(position, columns, features[block, nodes].T, cuts[block, nodes].T, level)
                scores[block] += _leaf_values(leaves[block], position)
        return scores.T

    def predict(self, latents: ArrayLike) -> Integers | Floats:
        """Most probable code, or for regression the value, of each row.

        Parameters
        ----------
        latents : array_like of shape (n_samples, n_latents)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        raw = self.raw(latents)
        if self.classes is None:
            return raw[:, 0]
        if raw.shape[1] == 1:
            winner = (raw[:, 0] > 0).astype(np.intp) if len(self.classes) == 2 else np.zeros(len(raw), np.intp)
            return self.classes[winner]
        return self.classes[raw.argmax(axis=1)]


def fit_boosted_trees(
    latents: ArrayLike,
    target: ArrayLike,
    *,
    classes: int | None,
    stages: int = 100,
    depth: int = 3,
    rate: float = 0.1,
    bins: int = 64,
) -> BoostedTrees:
    """Boost trees on all latents to predict one factor.

    Parameters
    ----------
    latents : array_like of shape (n_samples, n_latents)
        Training rows; finite. Only the order of each latent's values matters.
    target : array_like of shape (n_samples,)
        Codes 0 .. `classes` - 1, or real values if `classes` is None. Codes without a row are left out.
    classes : int or None
        Number of codes: multinomial loss with a tree per class and stage, or logistic loss with one tree per
        stage if two codes occur. None: squared loss.
    stages, depth, rate : int, int, float
        Number of stages, levels of splits per tree (at most 7) and learning rate; the defaults are the
        published learner's.
    bins : int
        Bins per latent, 2 to 255. A latent with no more distinct values than this is searched exhaustively.

    Returns
    -------
    BoostedTrees

    Raises
    ------
    InputError
        On shapes that do not match, codes out of range, settings out of range, or more than 2 ** 20 rows.

    Notes
    -----
    Degenerate cases: a constant latent has importance 0; a target with one value gives zero importances and a
    constant prediction. Residuals are resolved to 2 ** -(52 - 2 log2 n_samples) of their range, at most
    2 ** -32: 2 ** -24 for 10,000 rows.
    """
    values, response, codes = _checked(latents, target, classes, depth, bins)
    n_samples, n_latents = values.shape
    initial = _initial(response, codes)
    n_trees, n_nodes = len(initial), 2**depth - 1
    resolution = 2.0 ** min(32, 52 - 2 * int(n_samples).bit_length())

    scores = np.repeat(initial[:, None], n_samples, axis=1)
    binned = _bin(values, response, bins)
    order = _canonical_order(binned, _residuals(scores, response, codes, resolution)[0])
    binned = _bin(values[:, order], response, bins)

    removed = np.zeros(n_latents)
    split_latents = np.zeros((stages, n_trees, n_nodes), dtype=np.intp)
    thresholds = np.full((stages, n_trees, n_nodes), np.inf)
    leaves = np.zeros((stages, n_trees, n_nodes + 1))
    for stage in range(stages):
        residuals, scale = _residuals(scores, response, codes, resolution)
        for block in _blocks(n_trees, n_samples):
            trees = _grow(binned, residuals[block], resolution, depth)
            steps = _leaf_steps(trees, residuals[block], codes, resolution) * (rate * scale)
            scores[block] += _leaf_values(steps, trees.position)
            removed += trees.removed * scale**2
            split_latents[stage, block] = order[trees.split_latents]
            thresholds[stage, block] = trees.thresholds
            leaves[stage, block] = steps
    importances = np.zeros(n_latents)
    importances[order] = removed / removed.sum() if removed.any() else 0.0
    return BoostedTrees(importances, codes, initial, split_latents, thresholds, leaves)


def _checked(
    latents: ArrayLike, target: ArrayLike, classes: int | None, depth: int, bins: int
) -> tuple[Floats, Floats | Integers, Integers | None]:
    """Latents; the values, or positions in the codes seen; and the codes seen (None for regression)."""
    values, response = np.asarray(latents, dtype=np.float64), np.asarray(target)
    if values.ndim != 2 or response.shape != values.shape[:1] or 0 in values.shape:
        raise InputError(
            f"`latents` has shape {values.shape} and `target` {response.shape}; accepted are (n_samples, n_latents) "
            "and (n_samples,), neither empty. Give one factor at a time, row i of both from the same sample."
        )
    if len(values) > MAX_ROWS:
        raise InputError(f"`latents` has {len(values):,} rows; at most {MAX_ROWS:,} are accepted. Draw a subset.")
    if not (2 <= bins <= 255 and 1 <= depth <= 7):
        raise InputError(f"`bins` is {bins} and `depth` {depth}; accepted are 2 to 255 bins and a depth of 1 to 7.")
    if classes is None:
        return values, response.astype(np.float64), None
    if response.dtype.kind not in "iu" or response.min() < 0 or response.max() >= classes:
        raise InputError(
            f"`target` has dtype {response.dtype} and range {response.min()} to {response.max()}; accepted are "
            f"integer codes from 0 to classes - 1 = {classes - 1}. Recode the labels, or pass classes=None for values."
        )
    codes, response = np.unique(response, return_inverse=True)
    return values, response, codes.astype(np.intp)


def _initial(response: Floats | Integers, codes: Integers | None) -> Floats:
    """Best constant raw prediction of each tree."""
    if codes is None:
        # Rounded sums of sorted values: the same bits for any order of the rows.
        return np.array([np.sort(response).mean()])
    log_prior = np.log(np.bincount(response) / len(response))
    if len(codes) == 1:
        return np.zeros(1)
    return log_prior[1:] - log_prior[:1] if len(codes) == 2 else log_prior - log_prior.mean()


def _residuals(
    scores: Floats, response: Floats | Integers, codes: Integers | None, resolution: float
) -> tuple[Floats, float]:
    """Negative gradients as whole numbers of 1 / `resolution`, (n_trees, n_samples), and the size of a unit."""
    if codes is None:
        residuals = response - scores
        largest = np.abs(residuals).max()
        scale = float(2.0 ** np.ceil(np.log2(largest))) if largest > 0 else 1.0
        return np.rint(residuals * (resolution / scale)), scale
    if len(codes) <= 2:
        residuals = response - 1 / (1 + np.exp(-scores)) if len(codes) == 2 else np.zeros_like(scores)
    else:
        residuals = scores - scores.max(axis=0)
        np.exp(residuals, out=residuals)
        residuals /= -residuals.sum(axis=0)
        residuals[response, np.arange(len(response))] += 1
    residuals *= resolution
    np.rint(residuals, out=residuals)
    # A probability that rounds to 0 or 1 would leave a leaf without curvature to divide by.
    return np.clip(residuals, 1 - resolution, resolution - 1, out=residuals), 1.0


def _leaf_steps(trees: _Trees, residuals: Floats, codes: Integers | None, resolution: float) -> Floats:
    """Newton step of each leaf, (n_trees, n_leaves), in the unit of the residuals."""
    if codes is None:
        return trees.sums / (np.maximum(trees.counts, 1) * resolution)
    # p (1 - p), rounded to units in which a sum over all rows is still exact.
    size = np.abs(residuals)
    spare = max(0, 2 * int(np.log2(resolution)) - 2 + residuals.shape[1].bit_length() - 53)
    curvature = np.rint((resolution - size) * size * 2.0**-spare)
    totals = np.bincount(_leaf_index(trees.position, trees.sums.shape[1]).ravel(), curvature.ravel(), trees.sums.size)
    curvatures = totals.reshape(trees.sums.shape) * 2.0**spare / resolution
    shrink = (len(codes) - 1) / len(codes) if len(codes) > 2 else 1.0
    return np.divide(shrink * trees.sums, curvatures, out=np.zeros_like(curvatures), where=curvatures > 0)


@dataclass(frozen=True)
class _Binned:
    """Latents as bin numbers.

    codes : (n_latents, n_samples); lowest, highest : values that bound each bin, (n_bins, n_latents);
    indicator : 1 where a row lies in a bin of a latent, (n_bins * n_latents, n_samples), bins outermost.
    """

    codes: Levels
    lowest: Floats
    highest: Floats
    indicator: csc_array


@dataclass(frozen=True)
class _Trees:
    """Trees of one stage: splits in heap order, leaf sums and counts, the leaf of each row, error removed."""

    split_latents: Integers
    thresholds: Floats
    sums: Floats
    counts: Floats
    position: Levels
    removed: Floats


def _bin(values: Floats, response: Floats | Integers, bins: int) -> _Binned:
    from scipy.sparse import csc_array

    n_samples, n_latents = values.shape
    codes = np.empty((n_latents, n_samples), dtype=np.uint8)
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
    return _Binned(codes, lowest[:n_bins], highest[:n_bins], indicator)


def _merged(inverse: Integers, counts: Integers, response: Floats | Integers, bins: int) -> Integers:
    """Bin of each distinct value of a latent that has too many: at most `bins`, cut where the target changes.

    Neighbouring values whose rows all share one target form a run, and runs are never cut: for a single latent
    no best cut lies inside one. Without this the bins straddle the edges between a clean code's values. Runs
    are then grouped to bins of equal weight, half of it their number and half their rows, so that both the
    places where the classes alternate and the places where the rows are get their share of cuts.
    """
    smallest = np.full(len(counts), response.max())
    largest = np.full(len(counts), response.min())
    np.minimum.at(smallest, inverse, response)
    np.maximum.at(largest, inverse, response)
    changes = (smallest[1:] != largest[:-1]) | (largest[1:] != smallest[:-1])
    run = np.append(0, np.cumsum(changes))
    if run[-1] < bins:
        return run
    # Twice the weight left of each run's middle, in units of 1 / (2 runs rows): whole numbers, no rounding.
    weight = np.bincount(run, counts).astype(np.intp) * (run[-1] + 1) + len(inverse)
    middle = 2 * np.cumsum(weight) - weight
    return np.unique(middle * bins // (2 * weight.sum()), return_inverse=True)[1][run]


def _canonical_order(binned: _Binned, residuals: Floats) -> Integers:
    """Order the latents by what they tell about the target, so that their given order settles no tie."""
    table = (binned.indicator @ residuals.T).reshape(len(binned.lowest), -1, len(residuals))
    return np.array(sorted(range(table.shape[1]), key=lambda latent: table[:, latent].tobytes()), dtype=np.intp)


def _grow(binned: _Binned, residuals: Floats, resolution: float, depth: int) -> _Trees:
    """One tree of `depth` levels for each row of `residuals`."""
    n_trees, n_samples = residuals.shape
    n_bins, n_latents = binned.lowest.shape
    # A row is `unit` and its residual: no sum of residuals reaches half a unit, so a sum of rows holds both.
    unit = resolution * 2.0 ** (n_samples.bit_length() + 1)
    packed = np.add(residuals.T, unit, order="C")
    position = np.zeros((n_trees, n_samples), dtype=np.uint8)
    removed = np.zeros(n_latents)
    split_latents, cuts, thresholds = [], [], []
    for level in range(depth):
        if level == 0:
            sums = _cumulative(binned, packed)
        else:
            parents = sums
            nodes = np.ascontiguousarray(position.T)
            left = np.empty((n_samples, 2 ** (level - 1), n_trees))
            for node in range(left.shape[1]):
                np.multiply(packed, nodes == node, out=left[:, node])
            sums = np.empty((n_bins, n_latents, 2**level * n_trees))
            half = sums.shape[2] // 2
            sums[:, :, :half] = _cumulative(binned, left.reshape(n_samples, half))
            np.subtract(parents, sums[:, :, :half], out=sums[:, :, half:])
        best = _best_splits(binned, sums, unit)
        removed += best.removed / resolution**2
        shape = (2**level, n_trees)
        split_latents.append(best.latent.reshape(shape))
        cuts.append(best.cut.reshape(shape))
        thresholds.append(best.threshold.reshape(shape))
        _descend(position, binned.codes, split_latents[-1], cuts[-1], level)
    counts, totals = _unpacked(np.concatenate([best.left, sums[-1, 0] - best.left]), unit)
    return _Trees(
        np.concatenate(split_latents).T,
        np.concatenate(thresholds).T,
        totals.reshape(-1, n_trees).T,
        counts.reshape(-1, n_trees).T,
        position,
        removed,
    )


@dataclass(frozen=True)
class _Splits:
    """Best split of each node, nodes x trees in one axis: `left` packs its left child's rows and residuals."""

    latent: Integers
    cut: Integers
    threshold: Floats
    left: Floats
    removed: Floats


def _best_splits(binned: _Binned, sums: Floats, unit: float) -> _Splits:
    """Search all cuts of all latents; `sums` are cumulative, (n_bins, n_latents, n_columns)."""
    n_latents = sums.shape[1]
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
    threshold = binned.highest[cut, latent] / 2 + binned.lowest[following, latent] / 2
    threshold[left_rows == rows] = np.inf
    share = gain / (np.maximum(rows, 1) * tied.sum(axis=0))
    return _Splits(latent, cut, threshold, sums[cut, latent, columns], (tied * share).sum(axis=1))


def _cumulative(binned: _Binned, packed: Floats) -> Floats:
    """Sums over the rows in each bin and all lower ones, (n_bins, n_latents, n_columns)."""
    sums: Floats = (binned.indicator @ packed).reshape(*binned.lowest.shape, -1)
    for below, current in zip(sums[:-1], sums[1:], strict=True):
        current += below
    return sums


def _unpacked(sums: Floats, unit: float) -> tuple[Floats, Floats]:
    """Row counts and residual sums."""
    counts = np.rint(sums * (1 / unit))
    return counts, sums - counts * unit


def _descend(position: Levels, columns: NDArray[np.generic], latents: Integers, cuts: NDArray[np.generic], level: int) -> None:
    """Move each row of each tree to its child: node k of level l has the children k and k + 2 ** l."""
    right = np.zeros(position.shape, dtype=bool)
    for node in range(2**level):
        above = columns[latents[node]] > cuts[node][:, None]
        above &= position == node
        right |= above
    position += right.view(np.uint8) << np.uint8(level)


def _leaf_index(position: Levels, n_leaves: int) -> Integers:
    return position + n_leaves * np.arange(len(position))[:, None]


def _leaf_values(leaves: Floats, position: Levels) -> Floats:
    """Value of the leaf that each row lies in, (n_trees, n_samples)."""
    return leaves.ravel().take(_leaf_index(position, leaves.shape[1]))


def _blocks(n_trees: int, n_samples: int) -> Iterator[slice]:
    """Groups of trees small enough for their residuals to stay in the processor's cache."""
    size = max(1, _BLOCK_CELLS // n_samples)
    return (slice(start, start + size) for start in range(0, n_trees, size))
