"""Information about factors of each latent, of all others together, and of all, from Gaussian posteriors.

For a set S of latents the joint density of their samples is the mixture over the rows n

    q(z_S) = mean over n of prod over j in S of Normal(z_j; m_nj, s_nj^2)

and q(z_S | v) the one over the rows of one value v. In many dimensions there is no grid to integrate on,
so the logarithm of their ratio is averaged over samples of z.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.counts.binning import chunks

ROWS = 1 << 10  # rows at a time, for as many points as keep the block in the cache
ELEMENTS = 1 << 16  # density ratios at a time
SMALLEST, LARGEST = -700.0, 600.0  # logarithms of ratios, whose exponentials are quick and finite
CROWD = 1.5  # density at a point over that of its own row, below which the row stands alone there
FURTHEST = -1e4  # of one latent's ratio: leaves no more than 1e-12 of error in a sum less that latent

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class JointInformation:
    """Nats about each factor, estimates that may scatter below 0 and above the factor's entropy.

    `single` (D, K): I(z_j; v_k); `others` (D, K): that of all latents but j; `together` (K,): of all.
    `alone` (D,): share of points where, in all latents but j, their own row has two thirds of the
    density, so that it is told from all other rows.
    """

    single: Floats
    others: Floats
    together: Floats
    alone: Floats


def joint_information(
    mean: NDArray[np.floating],
    logvar: NDArray[np.floating],
    codes: Sequence[NDArray[np.integer]],
    samples: int,
    rng: np.random.Generator,
) -> JointInformation:
    """Draw `samples` points from the posteriors, each row alike, and weigh the densities there.

    The rows are taken for all there are: their mixture is known, and the average has no bias. Each
    point's own row is part of the mixture, as it is one of the rows.

    Parameters
    ----------
    mean, logvar
        Shape (N, D): means and natural logarithms of the variances.
    codes
        For each of the K factors an (N,) array of the codes of its values.
    samples
        Number of points. Each costs (2 D + 1) N exponentials.
    rng
        Draws them.
    """
    centre: Floats = mean.astype(np.float64, copy=False)
    rows, latents = centre.shape
    precision = np.exp(-0.5 * np.clip(logvar.astype(np.float64, copy=False), -600, 600))
    # Shuffled rows, again and again: each row is drawn as often as any other, give or take one.
    turns = [rng.permutation(rows) for _ in range(-(-samples // rows))]
    owner = np.concatenate(turns)[:samples]
    points = centre[owner] + rng.standard_normal((samples, latents)) / precision[owner]
    own = _log_density(points, centre[owner], precision[owner])
    table = np.stack([np.unique(column, return_inverse=True)[1] for column in codes])
    share = np.stack([np.bincount(values)[values] / rows for values in table], axis=1)
    # Latents first, so that a block's rows lie side by side.
    centres, precisions = np.ascontiguousarray(centre.T), np.ascontiguousarray(precision.T)
    total, alone = np.zeros((2 * latents + 1, len(table))), np.zeros(latents)
    size = min(rows, ROWS)
    for part in chunks(samples, max(1, ELEMENTS // (size * (2 * latents + 1)))):
        sums = np.zeros((len(owner[part]), 2 * latents + 1, len(table) + 1))
        for block in chunks(rows, size):
            ratios = _ratios(points[part], own[part], centres[:, block], precisions[:, block])
            # 1 for rows that share the point's value of a factor, and in the last column for all.
            alike = np.ones((len(ratios), len(table) + 1, ratios.shape[2]))
            alike[:, :-1] = table[:, block] == table[:, owner[part]].T[:, :, None]
            sums += ratios @ alike.transpose(0, 2, 1)
        alone += (sums[:, latents:-1, -1] < CROWD).sum(axis=0)
        logarithms = np.log(sums)
        total += (logarithms[:, :, :-1] - logarithms[:, :, -1:]).sum(axis=0)
        total -= np.log(share[owner[part]]).sum(axis=0)
    information = total / samples
    return JointInformation(information[:latents], information[latents:-1], information[-1], alone / samples)


def _log_density(points: Floats, mean: Floats, precision: Floats) -> Floats:
    """Of normals, without the constant log(2 pi) / 2."""
    return np.log(precision) - 0.5 * ((points - mean) * precision) ** 2


def _ratios(points: Floats, own: Floats, mean: Floats, precision: Floats) -> Floats:
    """q(z_S | n) / q(z_S | the point's own row), of each latent, all but each, and all.

    Divided by the own row's density, the sums over rows are at least 1, and the mean of a ratio over
    the points of a row is 1, so that one above exp(600) does not occur but by rounding. Shape (points,
    2 D + 1, rows); `points` and `own` are (points, D), `mean` and `precision` (D, rows).
    """
    latents = len(mean)
    logarithms = np.empty((len(points), 2 * latents + 1, mean.shape[1]))
    single, others, together = np.split(logarithms, (latents, 2 * latents), axis=1)
    np.subtract(points[:, :, None], mean, out=single)
    single *= precision
    # A point may lie so far from a narrow normal that the square overflows; the ratio is 0 there.
    with np.errstate(over="ignore"):
        single *= single
    single *= -0.5
    single += np.log(precision)
    single -= own[:, :, None]
    # Bounded, so that the sum over all less one latent is the sum over the others.
    np.maximum(single, FURTHEST, out=single)
    np.sum(single, axis=1, keepdims=True, out=together)
    np.subtract(together, single, out=others)
    np.clip(logarithms, SMALLEST, LARGEST, out=logarithms)
    return np.exp(logarithms, out=logarithms)
