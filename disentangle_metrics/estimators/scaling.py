"""Bring columns to a scale they can be computed in, or to a common one for a penalised predictor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.counts.binning import column_ranges, numerically_constant
from disentangle_metrics.settings import Scaling

ORDINARY = 30  # exponent of two, up or down, up to which rounding of angles is small beside a column
EXTREME = 100  # up to which squares, their products and float32 are safe
FAR = 2.0**12  # times its range that a column may lie from 0 before sums of squares lose digits


def comparable(
    columns: NDArray[np.floating], low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    """Columns (N, D) in which sums of squares neither overflow, nor vanish, nor lose their digits.

    A column far from 0 is moved by its smallest value, and one of unusual size divided by a power of two.
    Neither rounds. Ordinary columns stay as they are, to the last bit.

    Parameters
    ----------
    columns
        Shape (N, D); no value is so large that twice of it overflows.
    low, high
        Smallest and largest value of each. Shape (D,).

    Returns
    -------
    The columns, the given ones if all are ordinary; and exponents (D,) of the powers of two.
    """
    largest, width = np.maximum(np.abs(low), np.abs(high)), high - low
    moving = ~numerically_constant(low, high, columns.dtype)
    far = (largest / FAR > width) & moving
    exponents = np.frexp(np.where(far, width, largest))[1].astype(np.int64)
    narrow = moving & (np.frexp(width)[1] < -ORDINARY)
    exponents[(np.abs(exponents) <= ORDINARY) & ~narrow] = 0
    if not far.any() and not exponents.any():
        return columns, exponents
    if not far.any() and (np.abs(exponents) <= EXTREME).all():  # columns of float32 keep that precision
        return np.ldexp(columns, -exponents), exponents
    moved = np.subtract(columns, np.where(far, low, 0.0), dtype=np.float64)
    return np.ldexp(moved, -exponents), exponents


def one_comparable(column: NDArray[np.float64]) -> NDArray[np.float64]:
    """One column (N,), in which NaN stands for no value, as :func:`comparable` has it."""
    low, high = np.nanmin(column, keepdims=True), np.nanmax(column, keepdims=True)
    return np.asarray(comparable(column[:, None], low, high)[0][:, 0], dtype=np.float64)


def bounded_units(columns: NDArray[np.floating]) -> NDArray[np.floating]:
    """Columns (N, D) in their own units, but for those of extreme size, which are cut to a bounded one.

    A predictor whose penalty depends on the scale has reached its limit long before.
    """
    low, high = column_ranges(columns)
    size = np.frexp(np.maximum(np.abs(low), np.abs(high)))[1]
    over = size - np.clip(size, -EXTREME, EXTREME)
    return np.ldexp(columns.astype(np.float64), -over) if over.any() else columns


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
