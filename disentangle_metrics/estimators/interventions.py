"""How alike a latent is in two rows that differ in one factor alone, over all such pairs at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.pairing import Groups

UNMOVED = 1e-12  # share of a latent's variance that is rounding

Floats = NDArray[np.float64]


def correlation_across(latents: Floats, codes: NDArray[np.integer], others: Groups) -> Floats | None:
    """Correlation of each latent's values in the first and the second row of a pair. Shape (D,).

    The pairs are all pairs of joint values that differ in this factor alone, each in both orders
    and each alike, with every row of the first value and every row of the second. Their moments
    follow from the means of the joint values, so that no pair is formed. A latent that does not
    vary over the pairs has 1: it stays as it is. None: there is no such pair.

    Parameters
    ----------
    latents
        Shape (N, D), each of about unit variance and mean 0.
    codes
        The factor's value in each row (N,).
    others
        The rows sorted by the joint value of all other factors.
    """
    group = np.repeat(np.arange(len(others.size)), others.size)
    order = np.lexsort((codes[others.order], group))
    rows, group = others.order[order], group[order]
    value = codes[rows]
    begins = np.flatnonzero(np.r_[True, (np.diff(group) != 0) | (np.diff(value) != 0)])
    size = np.diff(np.r_[begins, len(rows)])[:, None]
    owner = group[begins]  # of each joint value
    partners = np.bincount(owner, minlength=len(others.size))[owner] - 1
    pairs = int(partners.sum())
    if not pairs:
        return None
    table = latents[rows]
    first = np.add.reduceat(table, begins, axis=0) / size
    second = np.add.reduceat(table**2, begins, axis=0) / size
    sums = np.zeros((len(others.size), latents.shape[1]))
    np.add.at(sums, owner, first)
    mean = partners @ first / pairs
    variance = partners @ second / pairs - mean**2
    covariance = (np.sum(sums**2, axis=0) - np.sum(first**2, axis=0)) / pairs - mean**2
    moved = variance > UNMOVED
    found = np.ones(latents.shape[1])
    np.divide(covariance, variance, out=found, where=moved)
    return np.clip(found, -1.0, 1.0)
