"""Correlations and moments of columns, in float64 and in chunks of rows.

A chunk is brought to row order first, so that how an array lies in memory changes no bit of a sum.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.counts.binning import chunks


def means(columns: NDArray[np.floating]) -> NDArray[np.float64]:
    """Mean of each column of an (N, D) array."""
    total = sum(columns[rows].astype(np.float64, order="C").sum(axis=0) for rows in chunks(len(columns)))
    return np.asarray(total / len(columns))


def variances(columns: NDArray[np.floating]) -> NDArray[np.float64]:
    """Unbiased variance (ddof 1) of each column of an (N, D) array; 0 for a single row."""
    if len(columns) < 2:
        return np.zeros(columns.shape[1])
    centre = means(columns)
    squares = np.zeros(columns.shape[1])
    for rows in chunks(len(columns)):
        deviation = columns[rows].astype(
            np.float64, order="C"
        )  # one cast is faster than one within each step
        deviation -= centre
        squares += np.einsum("nd,nd->d", deviation, deviation)
    return squares / (len(columns) - 1)


def squared_pearson(
    latents: NDArray[np.floating], factors: NDArray[np.floating], constant: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Squared Pearson correlation of every column of `latents` (N, D) with every one of `factors` (N, K).

    This is also the R2 of a one-variable linear regression. A column marked in `constant` (D,), or
    a constant factor, has correlation 0. Shape (D, K), range [0, 1].
    """
    latent_mean, factor_mean = means(latents), means(factors)
    covariance = np.zeros((latents.shape[1], factors.shape[1]))
    for rows in chunks(len(latents)):
        deviations = (
            np.subtract(columns[rows], mean, order="C")
            for columns, mean in ((latents, latent_mean), (factors, factor_mean))
        )
        covariance += np.einsum("nd,nk->dk", *deviations)
    covariance /= max(len(latents) - 1, 1)
    scale = np.outer(variances(latents), variances(factors))
    scale[constant] = 0.0
    correlation = np.zeros_like(covariance)
    np.divide(covariance**2, scale, out=correlation, where=scale > 0)
    return np.clip(correlation, 0.0, 1.0)


def ranks(columns: NDArray[np.floating]) -> NDArray[np.float64]:
    """Ranks within each column, ties sharing the mean of theirs."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(columns, axis=0), dtype=np.float64)


def scatter_root(columns: NDArray[np.floating], constant: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Upper triangular R (D, D) with R'R = sum over rows of (z - mean)(z - mean)'.

    Norms and determinants read from R keep half the digits that the scatter matrix itself would
    lose where columns nearly depend on each other. Columns marked in `constant` (D,) count as 0.
    """
    centre = means(columns)
    root = np.zeros((columns.shape[1], columns.shape[1]))
    for rows in chunks(len(columns)):
        deviation = np.where(constant, 0.0, np.subtract(columns[rows], centre, order="C"))
        root = np.asarray(np.linalg.qr(np.vstack([root, deviation]), mode="r"))
    return root
