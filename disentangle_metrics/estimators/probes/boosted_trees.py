"""Gradient boosted trees for importances: the published learner's trees, found through histograms.

The learner is gradient boosting as Friedman describes it, and as scikit-learn's
``GradientBoostingClassifier`` and ``GradientBoostingRegressor`` run it by default. At each stage a regression
tree per class is grown on the residuals by squared error. Every row has the same weight in the search for
splits, so no Hessian enters. Each leaf then moves its rows by one Newton step of the loss. A latent's
importance is the squared error that its splits remove, summed over all trees.

What differs from scikit-learn, each by choice:

* the trees of a stage do not depend on each other. So all classes of a stage grow together, in exact
  arithmetic on histograms (see ``histogram_trees``). Cuts are searched over bins of each latent instead of
  over all values. A latent with no more distinct values than bins loses nothing;
* scikit-learn settles a tie between latents at random. Here the latents that tie share the importance of the
  split equally, which is what the draws give on average, and their given order cannot matter.

References
----------
Friedman 2001, Greedy function approximation: a gradient boosting machine, algorithms 2, 5 and 6.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from disentangle_metrics.errors import InputError
from disentangle_metrics.estimators.probes.histogram_trees import (
    Floats,
    Integers,
    Trees,
    bin_latents,
    canonical_order,
    descend,
    grow_trees,
    leaf_index,
)

MAX_ROWS = 2**20 - 1  # more would leave the residuals fewer than 12 bits
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
        Splits, level by level; node k of a level of n nodes has the children k (left) and k + n (right) in
        the next. A row goes left if its value is at most the threshold, infinite in a node without split.
    leaves : ndarray of shape (n_stages, n_trees, 2 ** depth)
        What each leaf adds to the raw prediction, learning rate included; numbered as a further level.
    """

    importances: Floats
    classes: Integers | None
    initial: Floats
    split_latents: Integers
    thresholds: Floats
    leaves: Floats

    def raw(self, latents: ArrayLike) -> Floats:
        """Sum of the trees on each row: logits, log odds of the second code, or values.

        Parameters
        ----------
        latents : array_like of shape (n_samples, n_latents)

        Returns
        -------
        ndarray of shape (n_samples, n_trees)
        """
        columns = np.ascontiguousarray(np.asarray(latents, dtype=np.float64).T)
        scores = np.repeat(self.initial[:, None], columns.shape[1], axis=1)
        depth = self.leaves.shape[2].bit_length() - 1
        for block in _blocks(*scores.shape):
            for splits, cuts, leaves in zip(self.split_latents, self.thresholds, self.leaves, strict=True):
                position = np.zeros(scores[block].shape, dtype=np.uint8)
                for level in range(depth):
                    nodes = slice(2**level - 1, 2 ** (level + 1) - 1)
                    descend(position, columns, splits[block, nodes].T, cuts[block, nodes].T, level)
                scores[block] += leaves[block].ravel().take(leaf_index(position, 2**depth))
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
        if len(self.classes) == 2:
            raw = np.column_stack([-raw, raw])
        codes: Integers = self.classes[raw.argmax(axis=1)]
        return codes


def fit_boosted_trees(
    latents: ArrayLike,
    target: ArrayLike,
    *,
    classes: int | None,
    stages: int = 100,
    depth: int = 3,
    rate: float = 0.1,
    bins: int | None = None,
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
    bins : int, optional
        Bins per latent, 2 to 65,535; by default 64 for codes and 255 for values. A latent with no more
        distinct values is searched exhaustively, so that ``bins=n_samples`` finds the published learner's
        trees, slowly.

    Returns
    -------
    BoostedTrees

    Raises
    ------
    InputError
        On shapes that do not match, codes out of range, settings out of range, or 2 ** 20 rows or more.

    Notes
    -----
    Degenerate cases: a constant latent has importance 0; a target with one value gives zero importances and a
    constant prediction; a class with a single row is learnt like any other.

    Residuals are rounded to 2 ** -(52 - 2 b) of their range, or 2 ** -32 if that is coarser, where b is the
    number of bits of n_samples: 2 ** -24 for 10,000 rows, 2 ** -12 for a million.
    """
    if bins is None:
        bins = 255 if classes is None else 64
    values, response, codes = _checked(latents, target, classes, depth, bins)
    n_samples, n_latents = values.shape
    initial = _initial(response, codes)
    n_trees, n_nodes = len(initial), 2**depth - 1
    resolution = 2.0 ** min(32, 52 - 2 * int(n_samples).bit_length())

    scores = np.repeat(initial[:, None], n_samples, axis=1)
    binned = bin_latents(values, response, bins)
    order = canonical_order(binned, _residuals(scores, response, codes, resolution)[0])
    binned = bin_latents(values[:, order], response, bins)

    removed = np.zeros(n_latents)
    split_latents = np.zeros((stages, n_trees, n_nodes), dtype=np.intp)
    thresholds = np.full((stages, n_trees, n_nodes), np.inf)
    leaves = np.zeros((stages, n_trees, n_nodes + 1))
    for stage in range(stages):
        residuals, scale = _residuals(scores, response, codes, resolution)
        for block in _blocks(n_trees, n_samples):
            trees = grow_trees(binned, residuals[block], resolution, depth)
            leaf = leaf_index(trees.position, n_nodes + 1)
            steps = _leaf_steps(trees, leaf, residuals[block], codes, resolution) * (rate * scale)
            scores[block] += steps.ravel().take(leaf)
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
            f"`latents` has shape {values.shape} and `target` {response.shape}; accepted are "
            "(n_samples, n_latents) and (n_samples,), neither empty. Give one factor at a time, "
            "row i of both from the same sample."
        )
    if len(values) > MAX_ROWS:
        raise InputError(
            f"`latents` has {len(values):,} rows; at most {MAX_ROWS:,} are accepted. Draw a subset."
        )
    if not (2 <= bins <= 65_535 and 1 <= depth <= 7):
        raise InputError(
            f"`bins` is {bins} and `depth` is {depth}; accepted are 2 to 65,535 bins and a depth of 1 to 7. "
            "Leave both out for the published learner's depth and bins that follow it closely."
        )
    if classes is None:
        return values, response.astype(np.float64), None
    if response.dtype.kind not in "iu" or response.min() < 0 or response.max() >= classes:
        raise InputError(
            f"`target` has dtype {response.dtype} and values from {response.min()} to {response.max()}; "
            f"accepted are integer codes from 0 to classes - 1 = {classes - 1}. Recode the labels, or pass "
            "classes=None for real values."
        )
    codes, response = np.unique(response, return_inverse=True)
    return values, response, codes.astype(np.intp)


def _initial(response: Floats | Integers, codes: Integers | None) -> Floats:
    """Best constant raw prediction of each tree."""
    if codes is None:
        # Summed in sorted order: the same bits for any order of the rows.
        return np.array([np.sort(response).mean()])
    log_prior = np.log(np.bincount(response) / len(response))
    if len(codes) == 1:
        return np.zeros(1)
    return log_prior[1:] - log_prior[:1] if len(codes) == 2 else log_prior - log_prior.mean()


def _residuals(
    scores: Floats, response: Floats | Integers, codes: Integers | None, resolution: float
) -> tuple[Floats, float]:
    """Negative gradients, (n_trees, n_samples), as whole numbers of `scale` / `resolution`, and `scale`."""
    if codes is None:
        residuals = response - scores
        largest = np.abs(residuals).max()
        scale = float(2.0 ** np.ceil(np.log2(largest))) if largest > 0 else 1.0
        return np.rint(residuals * (resolution / scale)), scale
    if len(codes) <= 2:
        probability = 1 / (1 + np.exp(-scores))
        residuals = (response - probability) * resolution if len(codes) == 2 else np.zeros_like(scores)
    else:
        residuals = scores - scores.max(axis=0)
        np.exp(residuals, out=residuals)
        residuals *= -resolution / residuals.sum(axis=0)
        residuals[response, np.arange(len(response))] += resolution
    np.rint(residuals, out=residuals)
    # A probability that rounds to 0 or 1 would leave a leaf without curvature to divide by.
    return np.clip(residuals, 1 - resolution, resolution - 1, out=residuals), 1.0


def _leaf_steps(
    trees: Trees, leaf: Integers, residuals: Floats, codes: Integers | None, resolution: float
) -> Floats:
    """Newton step of each leaf, (n_trees, n_leaves), before `scale`."""
    if codes is None:
        return trees.sums / (np.maximum(trees.counts, 1) * resolution)
    # p (1 - p), rounded to units in which a sum over all rows is still exact.
    size = np.abs(residuals)
    spare = max(0, 2 * int(np.log2(resolution)) - 2 + residuals.shape[1].bit_length() - 53)
    curvature = resolution - size
    curvature *= size
    curvature *= 2.0**-spare
    np.rint(curvature, out=curvature)
    totals = np.bincount(leaf.ravel(), curvature.ravel(), trees.sums.size)
    curvatures = totals.reshape(trees.sums.shape) * 2.0**spare / resolution
    shrink = (len(codes) - 1) / len(codes) if len(codes) > 2 else 1.0
    steps: Floats = np.divide(
        shrink * trees.sums, curvatures, np.zeros_like(curvatures), where=curvatures > 0
    )
    return steps


def _blocks(n_trees: int, n_samples: int) -> Iterator[slice]:
    """Groups of trees small enough for their residuals to stay in the processor's cache."""
    size = max(1, _BLOCK_CELLS // n_samples)
    return (slice(start, start + size) for start in range(0, n_trees, size))
