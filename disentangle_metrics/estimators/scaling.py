"""Bring columns to a common scale before a penalised predictor sees them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.counts.binning import column_ranges, numerically_constant
from disentangle_metrics.settings import Scaling


def scaled(
    train: NDArray[np.generic], test: NDArray[np.generic], scaling: Scaling
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both parts in the scale of the train rows.

    Parameters
    ----------
    train, test
        Shape (rows, D).
    scaling
        ``"standard"``: mean 0 and deviation 1; ``"minmax"``: 0 to 1; ``"none"``. A column that is
        numerically constant on the train rows is only moved, or its rounding errors would be blown
        up to the size of the others.
    """
    fitted, applied = train.astype(np.float64), test.astype(np.float64)
    if scaling == "none":
        return fitted, applied
    low, high = column_ranges(fitted)
    if scaling == "minmax":
        origin, scale = low, high - low
    else:
        origin, scale = fitted.mean(axis=0), fitted.std(axis=0)
    scale = np.where(numerically_constant(low, high, fitted.dtype), 1.0, scale)
    return (fitted - origin) / scale, (applied - origin) / scale
