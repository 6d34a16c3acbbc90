"""Entropies and mutual information of Gaussian posteriors by sampling, as MIG was published.

A latent's density is the mixture q(z) = mean over the rows n of Normal(z; m_n, s_n^2). The density
of a factor's value c is the mixture over the rows of that value. Each entropy is the mean of -log q over
samples of its own mixture (Chen et al. 2018; Li et al. 2020, with 10,000 samples):

    I(z; v) = H(z) - sum over c of p(c) H(z | v = c).

The quadrature of :mod:`.posterior` gives what this converges to, thousands of times faster.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.counts.entropy import Information, entropy, present

ELEMENTS = 1 << 20  # densities evaluated at a time: 8 MiB

Floats = NDArray[np.float64]


def sampled_information(
    mean: NDArray[np.floating],
    logvar: NDArray[np.floating],
    codes: Sequence[NDArray[np.integer]],
    sizes: Sequence[int],
    samples: int,
    rng: np.random.Generator,
) -> Information:
    """Mutual information of every latent with every factor, from samples of the posteriors.

    Parameters
    ----------
    mean, logvar
        Shape (N, D): means and natural logarithms of the variances.
    codes, sizes
        For each factor an (N,) array of codes 0 .. size - 1, and its number of values.
    samples
        Samples for each entropy: of each latent, and of each latent given each value. The time is in
        proportion to samples * N * D * (K + 1).
    rng
        Draws them.

    Returns
    -------
    In nats, not below 0; the entropies that involve the latent are differential. The standard error
    is about 1 / sqrt(samples).
    """
    rows, latents = mean.shape
    members = [
        [np.flatnonzero(column == value) for value in range(size)]
        for column, size in zip(codes, sizes, strict=True)
    ]
    rows_by_value = [np.array([len(rows) for rows in values]) for values in members]
    factor_entropy = np.array([entropy(counts) for counts in rows_by_value])
    latent_entropy, conditional = np.empty(latents), np.zeros((latents, len(sizes)))
    for j in range(latents):
        centre = mean[:, j].astype(np.float64)
        deviation = np.exp(0.5 * np.clip(logvar[:, j].astype(np.float64), -600, 600))
        latent_entropy[j] = _entropy(centre, deviation, int(samples), rng)
        for k, values in enumerate(members):
            for part in values:
                if len(part):
                    share = len(part) / rows
                    conditional[j, k] += share * _entropy(centre[part], deviation[part], int(samples), rng)
    information = np.maximum(latent_entropy[:, None] - conditional, 0.0)
    return Information(
        information,
        conditional + factor_entropy,
        latent_entropy,
        factor_entropy,
        present(rows_by_value),
        counted=False,
    )


def _entropy(mean: Floats, deviation: Floats, samples: int, rng: np.random.Generator) -> float:
    """Mean of -log q over samples of the mixture q of these normals with equal weights."""
    chosen = rng.integers(len(mean), size=samples)
    points = mean[chosen] + deviation[chosen] * rng.standard_normal(samples)
    constant = np.log(deviation) + 0.5 * np.log(2 * np.pi)
    total = 0.0
    size = max(1, ELEMENTS // len(mean))
    for start in range(0, samples, size):
        # A sample may lie so far from narrow normals that the square overflows; they are 0 there.
        with np.errstate(over="ignore"):
            logs = -0.5 * ((points[start : start + size, None] - mean) / deviation) ** 2 - constant
        largest = logs.max(axis=1)
        logs -= largest[:, None]
        total += float(np.sum(largest + np.log(np.exp(logs).sum(axis=1))))
    return float(np.log(len(mean)) - total / samples)
