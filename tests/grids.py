"""Full grids of factors and codes made of them, whose scores are known beforehand."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

import disentangle_metrics as dm


def full_grid(*sizes: int, times: int = 1) -> NDArray[np.int64]:
    """Every combination of factors of so many values, `times` over: (N, K). They are exactly independent."""
    return np.tile(np.indices(sizes).reshape(len(sizes), -1).T, (times, 1))


def code(*columns: ArrayLike) -> NDArray[np.float64]:
    """Latents (N, D) of these columns."""
    return np.column_stack(columns).astype(float)


def posterior(*columns: ArrayLike, deviation: float = 1e-3) -> dm.GaussianPosterior:
    """Posteriors around these columns, all of one width."""
    mean = code(*columns)
    return dm.GaussianPosterior(mean, np.full(mean.shape, 2 * math.log(deviation)))


def reason(name: str, latents: object, factors: object, **settings: object) -> str:
    """Why a metric has no value."""
    return dm.score(latents, factors, metrics=dm.Metric(name, **settings), anchors=False)[name].reason
