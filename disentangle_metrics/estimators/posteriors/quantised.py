"""Information of posteriors that are spread over fixed bins, exactly, in nats."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.counts.binning import chunks
from disentangle_metrics.estimators.counts.entropy import Information, entropy, present
from disentangle_metrics.settings import Mass

CHUNK = 1 << 13  # rows at a time: their shares of 100 bins take 6 MiB


def quantised_information(
    mean: NDArray[np.floating],
    logvar: NDArray[np.floating],
    codes: Sequence[NDArray[np.integer]],
    sizes: Sequence[int],
    edges: NDArray[np.float64],
    mass: Mass = "integral",
) -> tuple[Information, NDArray[np.float64]]:
    """Information of every latent with every factor after the latent is cut at `edges`.

    Each row's posterior gives every bin the probability it has there, so that nothing is drawn.

    Parameters
    ----------
    mean, logvar
        Shape (N, D).
    codes, sizes
        For each factor an (N,) array of codes 0 .. size - 1, and its number of values.
    edges
        Shape (bins + 1,), ascending. The first and the last bin also take what lies outside.
    mass
        ``"integral"``: the probability of the bin; ``"density"``: the density at the bin's centre,
        in proportion to that at the others.

    Returns
    -------
    The information, and the share of each latent's mass that lies outside of the edges (D,).
    """
    from scipy.sparse import csr_array
    from scipy.special import ndtr

    rows, latents = mean.shape
    ends = np.cumsum(sizes)
    joint = np.zeros((latents, int(ends[-1]), len(edges) - 1))
    outside = np.zeros(latents)
    for part in chunks(rows, CHUNK):
        length = part.stop - part.start
        owner = np.concatenate(
            [column[part] + end - size for column, size, end in zip(codes, sizes, ends, strict=True)]
        )
        place = np.tile(np.arange(length), len(sizes))
        members = csr_array((np.ones(len(owner)), (owner, place)), shape=(int(ends[-1]), length))
        for latent in range(latents):
            centre = mean[part, latent, None].astype(np.float64)
            # A width of 0 would make 0 / 0 of a mean on an edge.
            deviation = np.exp(0.5 * np.clip(logvar[part, latent, None].astype(np.float64), -600, 600))
            below = ndtr((edges - centre) / deviation)
            outside[latent] += np.sum(below[:, 0] + 1 - below[:, -1])
            below[:, 0], below[:, -1] = 0.0, 1.0
            shares = np.diff(below, axis=1)
            if mass == "density":
                shares = _centre_shares(edges, centre, deviation, shares)
            joint[latent] += members @ shares
    tables = [joint[:, end - size : end] for size, end in zip(sizes, ends, strict=True)]
    latent_entropy = entropy(tables[0].sum(axis=1))
    joint_entropy = np.stack([entropy(table, axis=(1, 2)) for table in tables], axis=1)
    rows_by_value = [np.bincount(column, minlength=size) for column, size in zip(codes, sizes, strict=True)]
    factor_entropy = np.array([entropy(count) for count in rows_by_value])
    information = latent_entropy[:, None] + factor_entropy - joint_entropy
    information = np.clip(information, 0.0, np.minimum(latent_entropy[:, None], factor_entropy))
    information[information < 1e-12] = 0.0
    found = Information(information, joint_entropy, latent_entropy, factor_entropy, present(rows_by_value))
    return found, outside / rows


def _centre_shares(
    edges: NDArray[np.float64],
    mean: NDArray[np.float64],
    deviation: NDArray[np.float64],
    integrals: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Densities at the bins' centres (rows, bins), scaled to sum to 1 in each row."""
    distance = (edges[:-1] + edges[1:]) / 2 - mean
    density = np.exp(-0.5 * (distance / deviation) ** 2)
    total = density.sum(axis=1, keepdims=True)
    # Posteriors that miss every centre, being narrower than the bins, have their integral.
    seen = total > 1e-12
    return np.where(seen, density / np.where(seen, total, 1.0), integrals)
