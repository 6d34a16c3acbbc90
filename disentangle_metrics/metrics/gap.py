"""The largest minus the second largest value along an axis, which several metrics are made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def gap(table: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Largest minus second largest along `axis`; with one entry the second largest is 0.

    NaN entries take no part; a line of NaN alone gives NaN.
    """
    lines = np.moveaxis(table, axis, -1)
    absent = np.isnan(lines)
    # Values here are never negative, so an absent entry can stand at 0 beside a present one.
    ordered = np.sort(np.where(absent, 0.0, lines), axis=-1)
    second = ordered[..., -2] if lines.shape[-1] > 1 else 0.0
    return np.where(absent.all(axis=-1), np.nan, ordered[..., -1] - second)
