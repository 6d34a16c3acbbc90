"""The period of a circular factor: whether values may have it, and which one they suggest."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.reading import Reading

TURNS = (2 * math.pi, 360.0)


def rounding_of(angles: NDArray[Any]) -> float:
    """Share of a turn up to which angles of this precision are one."""
    return min(64 * float(np.finfo(angles.dtype).eps), 1e-3) if angles.dtype.kind == "f" else 0.0


def fits_turn(span: float, period: float) -> bool:
    """Whether values that span so much may go round with this period: about one turn of it."""
    return 0.25 * period <= span <= 1.001 * period


def turn_of(low: float, high: float, share: float) -> float | None:
    """2 pi or 360, if values from `low` to `high` lie in one such turn and span this share of it."""
    for turn in TURNS:
        end = turn * (1 + 1e-9)
        within = (low >= 0 and high <= end) or (-end / 2 <= low and high <= end / 2)
        if within and high - low > share * turn:
            return turn
    return None


def period_of(levels: NDArray[Any], inferred: Reading, name: str) -> float:
    """The period that the values of a circular factor suggest.

    Raises
    ------
    InputError
        If they suggest none.
    """
    numbers = levels.astype(np.float64)
    low, high = float(numbers[0]), float(numbers[-1])
    for turn in TURNS:
        if math.isclose(high - low, turn, rel_tol=rounding_of(levels)):
            return turn  # a whole circle, whose end is its beginning
    gaps = np.diff(numbers)
    if inferred.kind == "categorical" and len(gaps) and np.allclose(gaps, gaps[0]):
        return float(len(numbers) * gaps[0])  # a grid of the whole circle, its end left out
    if (period := turn_of(low, high, share=0.75)) is not None:
        return period
    raise InputError(
        f"the period of the circular factor {name!r} cannot be told from its values ({low:g} to {high:g}); "
        f'declare it, as in `factor_types={{{name!r}: "circular:360"}}`'
    )
