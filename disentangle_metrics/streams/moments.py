"""Variances of latents whose rows come in parts: in whole steps of a known range, so that sums are exact."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.counts.binning import TINY, chunks

STEPS = 1 << 22  # of each range: a chunk's sum of their squares fits 64 bits


def step_sums(latents: NDArray[np.floating], ranges: NDArray[np.float64]) -> NDArray[Any]:
    """Sums (2, D) of the places of latents in their ranges (D, 2), in whole steps, and of their squares."""
    low, width = ranges[:, 0], ranges[:, 1] - ranges[:, 0]
    tiny = np.where(width < TINY, -np.frexp(width)[1], 0)  # STEPS over it would overflow
    scale = np.divide(STEPS, np.ldexp(width, tiny), out=np.zeros_like(width), where=width > 0)
    sums = np.zeros((2, len(low)), dtype=object)
    for rows in chunks(len(latents)):
        steps = np.rint(np.ldexp(latents[rows] - low, tiny) * scale).astype(np.int64)
        sums[0] += steps.sum(axis=0).astype(object)
        sums[1] += (steps**2).sum(axis=0).astype(object)
    return sums


def variance_of(sums: NDArray[Any], ranges: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
    """The variance (D,) of each latent, from the :func:`step_sums` of all rows."""
    pairs = max(rows * (rows - 1), 1)
    steps = np.array([(rows * squares - total**2) / pairs for total, squares in sums.T])
    return steps * ((ranges[:, 1] - ranges[:, 0]) / STEPS) ** 2
