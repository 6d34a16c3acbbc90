"""One factor: a column of anything, read once as categories or numbers, and which rows lack a value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import InputError
from disentangle_metrics.estimators.counts.binning import distinct, make_bins
from disentangle_metrics.inputs.arrays import to_numpy

Kind = Literal["categorical", "ordinal", "continuous"]
KINDS: tuple[Kind, ...] = ("categorical", "ordinal", "continuous")
LARGEST_EXACT = 2**31  # integers beyond are counted from the smallest: sums of their squares lose digits
MISSING_ADVICE = 'pass missing="drop" (--missing drop) to leave out such rows, or repair them'


@dataclass(frozen=True)
class Factor:
    """One checked factor.

    A categorical or ordinal factor has `codes` (N,) in 0 .. len(levels) - 1 and `numbers`
    (len(levels),): the numeric value of each level (its code where the level is no number). A
    continuous one has `values` (N,), float64.

    `present` (N,) says which rows have a value, and is None if all have one. A row without one has
    the code len(levels), which is the place of no level, or the value NaN.
    """

    name: str
    kind: Kind
    codes: NDArray[np.integer] | None = None
    levels: tuple[Any, ...] = ()
    numbers: NDArray[np.float64] | None = None
    values: NDArray[np.float64] | None = None
    present: NDArray[np.bool_] | None = None

    def as_numbers(self) -> NDArray[np.float64]:
        """The factor as one float64 column (N,)."""
        if self.values is not None:
            return self.values
        return self.level_numbers()[self.codes]

    def level_numbers(self) -> NDArray[np.float64]:
        """The numeric value of each level of a categorical or ordinal factor."""
        return cast("NDArray[np.float64]", self.numbers)

    def merged_levels(self, most: int | None) -> tuple[NDArray[np.int64], int]:
        """A code for each level, and the number of codes: the levels cut into `most` bins if there are more.

        None keeps the levels.
        """
        levels = self.level_numbers()
        if most is None or len(levels) <= most:
            return np.arange(len(levels)), len(levels)
        return make_bins(levels[:, None], most).encode(0, levels), most

    @property
    def varies(self) -> bool:
        """Whether it has more than one value."""
        if self.values is not None:
            return bool(np.nanmax(self.values) > np.nanmin(self.values))
        return len(self.levels) > 1

    def rows(self, index: NDArray[np.integer]) -> Factor:
        """The factor at these rows, in this order; all its levels stay."""
        return replace(
            self,
            codes=None if self.codes is None else self.codes[index],
            values=None if self.values is None else self.values[index],
            present=None if self.present is None else self.present[index],
        )

    def kept(self, index: NDArray[np.integer]) -> Factor:
        """The factor of these rows alone, which all have a value; levels that none of them has are gone."""
        part = replace(self.rows(index), present=None)
        if part.codes is None:
            return part
        found, codes = distinct(part.codes)
        return _coded(codes, np.asarray([*self.levels, None], dtype=object)[found], self.name, self.kind)


def read_factor(column: Any, name: str, kind: Kind | None, missing: str = "raise") -> Factor:
    """Read one column; its kind is inferred unless it is given.

    Parameters
    ----------
    column
        Integers, strings, booleans and categoricals are categories (ordered categoricals are
        ordinal); floats with a fractional part are continuous. NaN, None, pandas' NA, infinities and
        masked entries are no values.
    missing
        "raise" refuses a column with rows that have no value; "drop" marks them.

    Raises
    ------
    InputError
        If the column cannot be used; the message says why, and the fix.
    """
    categories = getattr(getattr(column, "dtype", None), "categories", None)
    if categories is not None and hasattr(column, "cat"):  # a pandas categorical
        if kind == "continuous":
            return read_factor(np.asarray(column.to_numpy()), name, kind, missing)
        codes = np.asarray(column.cat.codes)
        present = _present(codes < 0, name, missing)
        inferred: Kind = "ordinal" if column.cat.ordered else "categorical"
        found, codes = distinct(codes[present])
        return _spread(
            _coded(codes, np.asarray(categories, dtype=object)[found], name, kind or inferred), present
        )
    values = to_numpy(column, f"factors[{name!r}]").reshape(-1)
    bad = _without_value(values)
    values = np.asarray(values)[~bad] if bad.any() else np.asarray(values)
    if values.dtype.kind == "O" and len(values):
        values = _settle_objects(values, name)
    if values.dtype.kind not in "biufUSO" and len(values):
        raise InputError(
            f"factor {name!r} has dtype {values.dtype}; accepted are numbers, strings, booleans, categoricals"
        )
    if values.dtype.kind == "f":
        infinite = ~np.isfinite(values)
        bad[np.flatnonzero(~bad)[infinite]] = True
        values = values[~infinite]
    return _spread(_read_values(values, name, kind), _present(bad, name, missing))


def _read_values(values: NDArray[Any], name: str, kind: Kind | None) -> Factor:
    """The factor of values that are all there."""
    if values.dtype.kind == "f":
        whole = bool((values == np.floor(values)).all())
        if kind == "continuous" or (kind is None and not whole):
            return Factor(name, "continuous", values=values.astype(np.float64))
        if whole and np.abs(values).max(initial=0) < 2**53:
            values = values.astype(np.int64)
    elif kind == "continuous":
        if values.dtype.kind in "US":
            raise InputError(f"factor {name!r} holds strings and cannot be continuous")
        if _is_huge(values):
            levels, codes = distinct(values)
            return Factor(name, "continuous", values=_level_numbers(levels)[codes])
        return Factor(name, "continuous", values=values.astype(np.float64))
    levels, codes = distinct(values)
    return _coded(codes, levels, name, kind or "categorical")


def _without_value(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Which entries are NaN, None, NA or masked."""
    if isinstance(values, np.ma.MaskedArray):
        return np.array(np.ma.getmaskarray(values)) | _without_value(np.asarray(values))
    if values.dtype.kind == "O":
        import pandas as pd

        return np.asarray(pd.isna(values))
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), dtype=bool)


def _present(bad: NDArray[np.bool_], name: str, missing: str) -> NDArray[np.bool_]:
    if bad.all():
        raise InputError(f"factor {name!r} has no value in any row; leave this column out")
    if missing == "raise" and bad.any():
        raise InputError(
            f"factor {name!r} has a missing or infinite value in row {int(np.argmax(bad))} "
            f"({int(bad.sum()):,} in all): {MISSING_ADVICE}"
        )
    return ~bad


def _spread(factor: Factor, present: NDArray[np.bool_]) -> Factor:
    """The factor of the rows that have a value, over all rows."""
    if present.all():
        return factor
    if factor.values is not None:
        values = np.full(len(present), np.nan)
        values[present] = factor.values
        return replace(factor, values=values, present=present)
    nowhere = len(factor.levels)
    codes = np.full(len(present), nowhere, dtype=np.min_scalar_type(nowhere))
    codes[present] = factor.codes
    return replace(factor, codes=codes, present=present)


def _settle_objects(values: NDArray[Any], name: str) -> NDArray[Any]:
    """The same values in an array of one type; integers too large for NumPy's stay Python's."""
    if all(isinstance(value, Decimal) for value in values):
        whole = all(value == value.to_integral_value() for value in values)
        values = np.array([int(value) if whole else float(value) for value in values], dtype=object)
    if all(isinstance(value, int | np.integer) and not isinstance(value, bool) for value in values):
        return _integers(values)
    settled = np.asarray(values.tolist())
    if settled.ndim != 1 or settled.dtype.kind not in "biufUS":
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


def _coded(codes: NDArray[np.int64], levels: NDArray[Any], name: str, kind: Kind) -> Factor:
    small = np.min_scalar_type(max(len(levels) - 1, 0))
    return Factor(name, kind, codes.astype(small), tuple(levels.tolist()), _level_numbers(levels))


def _level_numbers(levels: NDArray[Any]) -> NDArray[np.float64]:
    """The numeric value of each level; its rank where the level is no number.

    Of huge integers, which a float64 would round or run together, it is the distance from the
    smallest; their rank, if even the distances run together.
    """
    if levels.dtype.kind not in "biuf" and not all(isinstance(v, int | float | np.number) for v in levels):
        return np.arange(len(levels), dtype=np.float64)
    if not _is_huge(levels):
        return levels.astype(np.float64)
    low = min(map(int, levels))
    distances = np.array([float(int(level) - low) for level in levels])
    kept_apart = len(np.unique(distances)) == len(np.unique(levels))
    return distances if kept_apart else np.arange(len(levels), dtype=np.float64)


def _is_huge(numbers: NDArray[Any]) -> bool:
    """Whether they are integers among which one is beyond `LARGEST_EXACT`."""
    if numbers.dtype.kind not in "iuO" or not len(numbers):
        return False
    if not all(isinstance(v, int | np.integer) for v in (numbers if numbers.dtype.kind == "O" else ())):
        return False
    return max(abs(int(numbers.min())), abs(int(numbers.max()))) > LARGEST_EXACT
