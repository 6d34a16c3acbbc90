"""Latents and factors like those of a model of dSprites, of any number of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SIZES = (3, 6, 40, 32, 32)  # values of the factors; the full grid has 737,280 rows
LATENTS = 10
BINS = 20


def latents_and_factors(rows: int, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Latents (rows, 10), of which five tell of one factor each, and factors (rows, 5) in any order."""
    rng = np.random.default_rng(seed)
    factors = np.stack([rng.integers(size, size=rows) for size in SIZES], axis=1)
    latents = rng.standard_normal((rows, LATENTS), dtype=np.float32)
    latents[:, : len(SIZES)] += 4 * (factors / np.array(SIZES)).astype(np.float32)
    return latents, factors


def rounded(extra: dict[str, Any]) -> dict[str, Any]:
    """The same with floats to three digits."""
    return {key: float(f"{value:.3g}") if isinstance(value, float) else value for key, value in extra.items()}
