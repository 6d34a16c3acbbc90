"""The different values of a factor: made of one type, kept apart though huge, joined though rounded."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import InputError

LARGEST = 1e307  # of a measurement: the differences of larger numbers overflow
ROUNDED, APART = 16, 1_000_000  # units in the last place: equal but for rounding; surely not equal
PLAIN = (int, float, complex, np.number, np.bool_, str, bytes, Decimal)
LARGEST_EXACT = 2**31  # integers beyond are counted from the smallest: sums of their squares lose digits


def but_for_rounding(
    levels: NDArray[np.floating], codes: NDArray[np.int64]
) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    """Ascending levels of which those are one that differ by rounding alone, such as 0.3 and 0.1 + 0.2.

    Only if they lie in tight groups with wide gaps between; a measurement may have any two close values.
    In half precision the steps of a grid are as small as its rounding, and all values stay apart.
    """
    if levels.dtype.itemsize < 4:
        return levels, codes
    unit = float(np.finfo(levels.dtype).eps) * max(abs(float(levels[0])), abs(float(levels[-1])))
    gaps = np.diff(levels.astype(np.float64))
    close = gaps <= ROUNDED * unit
    if not close.any() or (not close.all() and gaps[~close].min() < APART * unit):
        return levels, codes
    places = np.concatenate([[0], np.cumsum(~close)])
    first = np.searchsorted(places, np.arange(places[-1] + 1))
    last = np.searchsorted(places, np.arange(places[-1] + 1), side="right") - 1
    if ((levels[last] - levels[first]) > 2 * ROUNDED * unit).any():
        return levels, codes
    return levels[first], places[codes]


def settle_objects(values: NDArray[Any], name: str) -> NDArray[Any]:
    """The same values in an array of one type; integers too large for NumPy's stay Python's."""
    if all(isinstance(value, Decimal) for value in values):
        whole = all(value == value.to_integral_value() for value in values)
        values = np.array([int(value) if whole else float(value) for value in values], dtype=object)
    if all(isinstance(value, int | np.integer) and not isinstance(value, bool) for value in values):
        return _integers(values)
    try:
        settled = np.asarray(values.tolist())
    except ValueError:  # cells of several lengths
        settled = values
    if settled.ndim == 1 and settled.dtype.kind == "f":
        integers = [int(value) for value in values if isinstance(value, int | np.integer)]
        if any(
            abs(value) > 2**53 and int(float(value)) != value for value in integers if abs(value) < LARGEST
        ):
            raise InputError(
                f"factor {name!r} mixes whole numbers beyond 2**53 with decimals, which cannot hold them; "
                "make all its values strings, or all whole numbers"
            )
    if settled.ndim != 1 or settled.dtype.kind not in "biufUS":
        odd = next((value for value in values if not isinstance(value, PLAIN)), None)
        if odd is not None:
            times = hasattr(odd, "isoformat") or hasattr(odd, "strftime")
            fix = "pass a number, such as days since the first" if times else "make all its values strings"
            raise InputError(
                f"factor {name!r} holds {odd!r:.80}, which is no number, string or boolean; {fix}"
            )
        raise InputError(f"factor {name!r} mixes values that are not numbers, strings or booleans")
    if settled.dtype.kind in "US" and not all(isinstance(value, str | bytes) for value in values):
        odd = next(value for value in values if not isinstance(value, str | bytes))
        raise InputError(f"factor {name!r} mixes strings with {odd!r}; make all its values strings")
    return settled


def _integers(values: NDArray[Any]) -> NDArray[Any]:
    """Python integers as NumPy's if they fit."""
    plain = [int(value) for value in values]
    for dtype in (np.int64, np.uint64):
        if np.iinfo(dtype).min <= min(plain) and max(plain) <= np.iinfo(dtype).max:
            return np.array(plain, dtype=dtype)
    return np.array(plain, dtype=object)
