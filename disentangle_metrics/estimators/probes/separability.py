"""What a latent tells of its input that the other latents do not, from Gaussian posteriors, in nats.

The joint density of all latents is q(z) = mean over the rows n of prod_j Normal(z_j; m_nj, s_nj^2). In many
dimensions there is no grid for it, so its logarithm is averaged over samples of z.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.counts.binning import chunks

ELEMENTS = 1 << 18  # log-densities at a time; the few arrays of them stay in the cache

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Separability:
    """One estimate for each sample and latent, shape (samples, D); their means over samples are

    - `conditional`: I(x; z_j | the other latents),
    - `shared`: I(z_j; the other latents).
    """

    conditional: Floats
    shared: Floats


def separability(
    mean: NDArray[np.floating], logvar: NDArray[np.floating], samples: int, rng: np.random.Generator
) -> Separability:
    """Draw `samples` points from the posteriors of all rows, each row alike, and weigh them up.

    Parameters
    ----------
    mean, logvar
        Shape (N, D): means and natural logarithms of the variances.
    samples
        Number of points. Each costs 3 N D exponentials.
    """
    mean = mean.astype(np.float64, copy=False)
    logvar = np.clip(logvar.astype(np.float64, copy=False), -600, 600)  # beyond, its exponential is 0 or inf
    rows, latents = mean.shape
    # Shuffled rows, again and again: each row is drawn as often as any other, give or take one.
    turns = [rng.permutation(rows) for _ in range(-(-samples // rows))]
    owner = np.concatenate(turns)[:samples]
    noise = rng.standard_normal((samples, latents))
    precision = np.exp(-0.5 * logvar)
    points = mean[owner] + noise / precision[owner]
    own = -0.5 * (noise**2 + logvar[owner])
    conditional, shared = np.empty((samples, latents)), np.empty((samples, latents))
    for part in chunks(samples, max(1, ELEMENTS // (rows * latents))):
        # Without the constant log(2 pi) / 2, which cancels. Shape (latents, points, rows).
        density = (points[part].T[:, :, None] - mean.T[:, None, :]) * precision.T[:, None, :]
        with np.errstate(over="ignore"):  # so far from a narrow normal, its density is 0
            density *= density
        density += logvar.T[:, None, :]
        density *= -0.5
        single = _log_mean(density).T
        # Sums over all latents but one, from both sides: a difference of sums would lose all digits
        # where a narrow posterior makes one of them huge.
        before, after = np.zeros_like(density), np.zeros_like(density)
        np.cumsum(density[:-1], axis=0, out=before[1:])
        after[:-1] = np.cumsum(density[:0:-1], axis=0)[::-1]
        everything = _log_mean(before[-1] + density[-1])[:, None]
        before += after
        others = _log_mean(before).T
        conditional[part] = own[part] - everything + others
        shared[part] = everything - single - others
    return Separability(conditional, shared)


def _log_mean(logarithms: Floats) -> Floats:
    """Logarithm of the mean of exponentials along the last axis."""
    top = logarithms.max(axis=-1, keepdims=True)
    total = np.exp(logarithms - top).mean(axis=-1)
    return np.asarray(np.log(total) + top[..., 0])
