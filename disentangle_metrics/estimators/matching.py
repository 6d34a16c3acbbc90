"""One-to-one matching of latents and factors by correlation, on all rows or held out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.linear import FOLDS, standardised

Floats = NDArray[np.float64]


def one_to_one(strengths: Floats) -> Floats:
    """The strengths (D, K) of the matching whose sum is largest; NaN for pairs that are not in it."""
    from scipy.optimize import linear_sum_assignment

    latents, factors = linear_sum_assignment(strengths, maximize=True)
    matched = np.full(strengths.shape, np.nan)
    matched[latents, factors] = strengths[latents, factors]
    return matched


def held_out_matches(
    latents: NDArray[np.floating], factors: NDArray[np.floating], folds: NDArray[np.integer]
) -> Floats:
    """Correlations of matched pairs on rows that neither the matching nor its signs have seen.

    Parameters
    ----------
    latents, factors
        Shapes (N, D) and (N, K).
    folds
        Shape (N,): the fold of each row.

    Returns
    -------
    Shape (D, K), NaN for pairs that no fold matched: the sum over the folds that matched the pair of its
    correlation there, signed as on the other rows, each weighted by the fold's share of the rows. A pair that
    all folds match has the mean of its held-out correlations; one of unrelated columns is about 0.
    """
    total = np.zeros((latents.shape[1], factors.shape[1]))
    ever = np.zeros(total.shape, dtype=bool)
    for fold in range(FOLDS):
        test = folds == fold
        seen = correlations(latents[~test], factors[~test])
        pairs = ~np.isnan(one_to_one(np.abs(seen)))
        ever |= pairs
        unseen = correlations(latents[test], factors[test])
        total += np.where(pairs, np.sign(seen) * unseen, 0.0) * test.mean()
    return np.where(ever, total, np.nan)


def correlations(latents: NDArray[np.floating], factors: NDArray[np.floating]) -> Floats:
    """Pearson's correlation (D, K); 0 where a column is constant."""
    return np.asarray(standardised(latents).T @ standardised(factors) / len(latents))
