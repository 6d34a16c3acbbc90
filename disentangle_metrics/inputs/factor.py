"""One factor: a column of anything, read once as categories or numbers, and which rows lack a value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn, cast

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import InputError
from disentangle_metrics.estimators.counts.binning import distinct, make_bins, numerically_constant
from disentangle_metrics.estimators.scaling import one_comparable
from disentangle_metrics.inputs.arrays import as_numbers, to_numpy
from disentangle_metrics.inputs.declared import Declared
from disentangle_metrics.inputs.levels import LARGEST, LARGEST_EXACT, but_for_rounding, settle_objects
from disentangle_metrics.inputs.periods import fits_turn, period_of, rounding_of
from disentangle_metrics.inputs.reading import FEW, Doubt, Kind, Reading, Rule, read_labels, read_numbers

MISSING_ADVICE = 'pass `missing="drop"` to leave out such rows, or repair them'
ABSENT_ADVICE = f"{MISSING_ADVICE}; if the factor does not exist there, pass `hierarchy`"


@dataclass(frozen=True)
class Factor:
    """One checked factor.

    A categorical factor, or an ordinal one of up to 40 values, has `codes` (N,) in
    0 .. len(levels) - 1 and `numbers` (len(levels),): the numeric value of each level (its code
    where the level is no number, or the order of levels is not that of numbers). A continuous one has
    `values` (N,), float64; so has an ordinal one of more values: their ranks. A circular one has either,
    and a `period`: its values lie in [0, period), and 0 follows on the last. `reading` says how it was
    read, `varies` whether it has more than one value.

    `present` (N,) says which rows have a value, and is None if all have one. A row without one has
    the code len(levels), which is the place of no level, or the value NaN. `switch` is the factor, and its
    level, under which this one exists, if it does not exist everywhere.
    """

    name: str
    kind: Kind
    codes: NDArray[np.integer] | None = None
    levels: tuple[Any, ...] = ()
    numbers: NDArray[np.float64] | None = None
    values: NDArray[np.float64] | None = None
    present: NDArray[np.bool_] | None = None
    period: float | None = None
    reading: Reading | None = None
    switch: tuple[str, Any] | None = None
    varies: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        if self.values is None:
            object.__setattr__(self, "varies", len(self.levels) > 1)
        elif len(self.values):
            low, high = np.atleast_1d(np.nanmin(self.values)), np.atleast_1d(np.nanmax(self.values))
            object.__setattr__(self, "varies", not numerically_constant(low, high, self.values.dtype))

    def given_numbers(self) -> NDArray[np.float64]:
        """The factor as one float64 column (N,), in its own units."""
        if self.values is not None:
            return self.values
        return self.level_numbers()[self.codes]

    def as_numbers(self) -> NDArray[np.float64]:
        """The same in a scale in which squares can be summed: see :func:`.scaling.comparable`."""
        if self.values is not None:
            return one_comparable(self.values)
        return one_comparable(self.level_numbers())[self.codes]

    def angles(self) -> NDArray[np.float64]:
        """A circular factor as angles in [0, 2 pi), (N,)."""
        angles: NDArray[np.float64] = self.given_numbers() * (2 * math.pi / cast("float", self.period))
        return angles

    def targets(self, as_category: bool) -> list[NDArray[Any]]:
        """What a probe predicts, (N,) each: codes or numbers; cosine and sine of one that goes round."""
        if as_category and self.codes is not None:
            return [self.codes]
        if self.period is None:
            return [self.as_numbers()]
        return [np.cos(self.angles()), np.sin(self.angles())]

    def columns(self) -> NDArray[np.float64]:
        """The factor as numbers (N, 1); one that goes round as its cosine and sine (N, 2)."""
        return np.column_stack(self.targets(as_category=False))

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
    def rows_present(self) -> int:
        """How many rows have a value."""
        if self.present is not None:
            return int(self.present.sum())
        column = self.values if self.codes is None else self.codes
        return 0 if column is None else len(column)

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
        held, codes = distinct(part.codes)
        levels = np.asarray([*self.levels, None], dtype=object)[held]
        coded = _coded(codes, levels, self.name, self.kind)
        return replace(coded, period=self.period, reading=self.reading)


def read_each(
    columns: Sequence[tuple[Any, str, Declared | None]], missing: str, rule: Rule
) -> tuple[Factor, ...]:
    """:func:`read_factor` for each column with its name and what was declared of it."""
    return tuple(read_factor(column, name, declared, missing, rule) for column, name, declared in columns)


def read_factor(
    column: Any,
    name: str,
    declared: Declared | None = None,
    missing: str = "raise",
    rule: Rule = "measurements",
) -> Factor:
    """Read one column; its kind is inferred unless it is declared.

    Parameters
    ----------
    column
        Numbers, strings, booleans or categoricals; see :mod:`.reading` for the rule. NaN, None,
        pandas' NA, infinities and masked entries are no values.
    declared
        What the caller says that it is.
    missing
        "raise" refuses a column with rows that have no value; "drop" marks them.
    rule
        "whole_numbers": every whole number is a category, as published protocols take it.

    Raises
    ------
    InputError
        If the column cannot be used; the message says why, and the fix.
    """
    kind = None if declared is None else declared.kind
    categories = getattr(getattr(column, "dtype", None), "categories", None)
    if categories is not None and hasattr(column, "cat"):  # a pandas categorical
        if kind in ("continuous", "circular"):
            return read_factor(np.asarray(column.to_numpy()), name, declared, missing, rule)
        codes = np.asarray(column.cat.codes)
        present = _present(codes < 0, name, missing)
        levels_held, codes = distinct(codes[present])
        levels = np.asarray(categories, dtype=object)[levels_held]
        if kind == "ordinal" and not column.cat.ordered:
            levels, codes = _by_number(levels, codes, name)
        reading = read_labels(len(levels), len(codes), bool(column.cat.ordered))
        reading = replace(reading, doubt="") if kind is None else Reading(kind, reading.values, True)
        coded = _coded(codes, levels, name, reading.kind)
        coded = replace(coded, reading=reading)
        return _spread(_ranked(coded) if coded.kind == "ordinal" and len(levels) > FEW else coded, present)
    array = column if type(column) is np.ndarray else to_numpy(column, f"factors[{name!r}]")
    values = array.reshape(-1)
    bad = _without_value(values)
    values = np.asarray(values)[~bad] if bad.any() else np.asarray(values)
    if values.dtype.kind == "O" and len(values):
        values = settle_objects(values, name)
    if values.dtype.kind not in "biufUSO" and len(values):
        times = "; pass a number, such as days since the first" if values.dtype.kind in "mM" else ""
        raise InputError(
            f"factor {name!r} has dtype {values.dtype}; accepted are numbers, strings, booleans, "
            f"categoricals{times}"
        )
    if values.dtype.kind == "f":
        infinite = ~np.isfinite(values)
        bad[np.flatnonzero(~bad)[infinite]] = True
        values = values[~infinite]
        if len(values) and float(np.abs(values).max()) > LARGEST:
            row = int(np.flatnonzero(~bad)[np.argmax(np.abs(values))])
            raise InputError(
                f"factor {name!r} must be below {LARGEST:g} in size; found {values[np.abs(values).argmax()]} "
                f"in row {row}: rescale it"
            )
    present = _present(bad, name, missing)
    return _spread(_read_values(values, name, declared, rule), present)


def _read_values(values: NDArray[Any], name: str, declared: Declared | None, rule: Rule) -> Factor:
    """The factor of values that are all there."""
    kind = None if declared is None else declared.kind
    labels = values.dtype.kind in "US"
    if (
        labels
        and kind in ("continuous", "ordinal", "circular")
        and (numbers := as_numbers(values)) is not None
    ):
        values, labels = numbers, False
    if labels and kind in ("continuous", "circular"):
        raise InputError(f"factor {name!r} holds strings and cannot be {kind}; pass its values as numbers")
    if labels and kind == "ordinal":
        _refuse_order(name)
    if values.dtype.kind == "f" and (values == np.floor(values)).all():
        largest = float(np.abs(values).max(initial=0))
        values = values.astype(np.int64) if largest < 2**53 else values
    levels, codes = distinct(values)
    apart = len(levels)
    if values.dtype.kind == "f" and rule == "measurements":
        levels, codes = but_for_rounding(levels.astype(values.dtype), codes)
        values = levels[codes] if len(levels) < apart else values
    if labels or values.dtype == bool:
        reading = read_labels(len(levels), len(values))
    else:
        reading = read_numbers(levels, len(values), rule)
        if len(levels) < apart:
            reading = replace(reading, values=f"{reading.values} up to rounding")
    if declared is not None and declared.kind == "circular":
        return _circular(values, levels, codes, name, declared, reading)
    if kind is not None:
        reading = Reading(kind, reading.values, declared=True)
    if reading.kind == "continuous":
        numbers = _level_numbers(levels)[codes] if _is_huge(values) else values.astype(np.float64)
        return Factor(name, "continuous", values=numbers, reading=reading)
    coded = replace(_coded(codes, levels, name, reading.kind), reading=reading)
    return _ranked(coded) if reading.kind == "ordinal" and len(levels) > FEW else coded


def _by_number(
    levels: NDArray[Any], codes: NDArray[np.int64], name: str
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Categories to which nobody gave an order, in that of their values; texts have none."""
    if any(isinstance(level, str | bytes) for level in levels):
        _refuse_order(name)
    try:
        order = np.argsort(levels)
    except TypeError:
        _refuse_order(name)
    return levels[order], np.argsort(order)[codes]


def _refuse_order(name: str) -> NoReturn:
    raise InputError(
        f"the labels of factor {name!r} have no order, so it cannot be ordinal: pass an ordered categorical, "
        "or numbers"
    )


def _ranked(factor: Factor) -> Factor:
    """An ordinal factor of many values as a measurement: the place of each value among them."""
    assert factor.codes is not None
    ranks = factor.codes.astype(np.float64)
    return Factor(factor.name, "ordinal", values=ranks, reading=factor.reading)


def _circular(
    values: NDArray[Any],
    levels: NDArray[Any],
    codes: NDArray[np.int64],
    name: str,
    declared: Declared,
    inferred: Reading,
) -> Factor:
    """A factor whose values go round; few of them are kept as levels."""
    period = declared.period or period_of(levels, inferred, name)
    span = float(np.max(levels)) - float(np.min(levels)) if len(levels) else 0.0
    doubt: Doubt = "" if fits_turn(span, period) else "period"
    reading = Reading("circular", f"{inferred.values}, period {period:g}", declared=True, doubt=doubt)
    if inferred.kind == "categorical":
        turned = np.mod(levels.astype(np.float64), period)
        turned[np.minimum(turned, period - turned) <= rounding_of(levels) * period] = 0.0
        held, places = np.unique(turned, return_inverse=True)
        coded = _coded(places.reshape(-1)[codes], held, name, "circular")
        return replace(coded, period=period, reading=reading)
    turned = np.mod(values.astype(np.float64), period)
    return Factor(name, "circular", values=turned, period=period, reading=reading)


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
        raise InputError(f"factor {name!r} has no value in any row; leave it out")
    if missing == "raise" and bad.any():
        raise InputError(
            f"factor {name!r} has a missing or infinite value in row {int(np.argmax(bad))} "
            f"({int(bad.sum()):,} in all): {ABSENT_ADVICE}"
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


def _coded(codes: NDArray[np.int64], levels: NDArray[Any], name: str, kind: Kind) -> Factor:
    small = np.min_scalar_type(max(len(levels) - 1, 0))
    numbers = _level_numbers(levels)
    if kind == "ordinal" and (numbers[1:] < numbers[:-1]).any():  # places follow the order of categories
        numbers = np.arange(len(levels), dtype=np.float64)
    return Factor(name, kind, codes.astype(small), tuple(levels.tolist()), numbers)


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
    if max(map(int, levels)) - low < LARGEST:
        distances = np.array([float(int(level) - low) for level in levels])
        if len(np.unique(distances)) == len(np.unique(levels)):
            return distances
    return np.arange(len(levels), dtype=np.float64)


def _is_huge(numbers: NDArray[Any]) -> bool:
    """Whether they are integers among which one is beyond `LARGEST_EXACT`."""
    if numbers.dtype.kind not in "iuO" or not len(numbers):
        return False
    if not all(isinstance(v, int | np.integer) for v in (numbers if numbers.dtype.kind == "O" else ())):
        return False
    return max(abs(int(numbers.min())), abs(int(numbers.max()))) > LARGEST_EXACT
