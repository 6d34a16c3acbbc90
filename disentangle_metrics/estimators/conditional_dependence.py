"""Does a latent's mean depend on a factor, once all other factors are known? A test on halves of the rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.linear import standardised

Floats = NDArray[np.float64]
ROUNDING = 1e-10  # share of a column's deviation below which a residual is rounding alone


def dependence_statistics(
    latents: Floats, factors: Sequence[Floats], halves: int, rng: np.random.Generator
) -> Floats:
    """Statistics of the projected covariance measure with least squares, averaged over random halves.

    Half of the rows fits each latent on all factors, and that fit on all factors but one. Their difference
    is the direction in which the factor adds to the others. On the other half the latent and the direction
    lose what the other factors tell of them. The statistic is the mean product of both residuals over its
    standard error.

    Parameters
    ----------
    latents
        Shape (N, D).
    factors
        One block of columns (N, C) for each of K factors: more than one column for a circle.
    halves
        How many random halves.

    Returns
    -------
    Shape (D, K). Without dependence about normal with deviation 1 for one half, less for a mean of several.
    A residual that is rounding alone gives 0.
    """
    latents = standardised(latents)
    blocks = [standardised(block) for block in factors]
    total = np.zeros((latents.shape[1], len(blocks)))
    for _ in range(halves):
        order = rng.permutation(len(latents))
        fit, rest = order[: len(order) // 2], order[len(order) // 2 :]
        for k, block in enumerate(blocks):
            others = [other for i, other in enumerate(blocks) if i != k]
            total[:, k] += _one_half(latents, block, others, fit, rest)
    return total / halves


def _one_half(
    latents: Floats,
    block: Floats,
    others: Sequence[Floats],
    fit: NDArray[np.int64],
    rest: NDArray[np.int64],
) -> Floats:
    """The statistic of each latent (D,) for one factor and one half."""
    # What a linear fit on all factors adds to one on the others is linear in the factor's own residual.
    count = block.shape[1]
    both = np.column_stack([block, latents])
    seen, unseen = (_residuals(both[rows], [other[rows] for other in others]) for rows in (fit, rest))
    own, told = seen[:, :count], seen[:, count:]
    weights = _pseudo_inverse(own.T @ own) @ (own.T @ told)
    direction, left = unseen[:, :count] @ weights, unseen[:, count:]
    products = left * direction
    deviation = products.std(axis=0)
    real = (left.std(axis=0) > ROUNDING) & (direction.std(axis=0) > ROUNDING * np.abs(weights).max(axis=0))
    real &= (told.std(axis=0) > ROUNDING) & (deviation > 0)
    statistics: Floats = np.zeros(len(real))
    np.divide(np.sqrt(len(rest)) * products.mean(axis=0), deviation, out=statistics, where=real)
    return statistics


def _residuals(columns: Floats, others: Sequence[Floats]) -> Floats:
    """What a linear fit on the other factors leaves of each column."""
    design = np.column_stack([np.ones(len(columns)), *others])
    inverse = _pseudo_inverse(design.T @ design)
    for _ in range(2):  # the second time takes away the rounding of the first
        columns = columns - design @ (inverse @ (design.T @ columns))
    return np.asarray(np.where(np.abs(columns) > ROUNDING, columns, 0.0))


def _pseudo_inverse(gram: Floats) -> Floats:
    return np.asarray(np.linalg.pinv(gram, rcond=ROUNDING, hermitian=True))
