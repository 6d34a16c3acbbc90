"""How a column of factor values is read where nobody declares it: categories or a measurement.

One rule for all columns of numbers, whatever their dtype. L is the number of different values among N:

- two values: categories.
- up to 40 whole numbers, or up to 40 numbers with decimals that each stand in ten rows on average:
  categories. The grids of the published data sets have at most 40 values (dSprites, MPI3D).
- 41 to 64 whole numbers: categories, and a check asks.
- more than 64 whole numbers: a measurement if most lie one step from the next, or if they lie close
  together near 0, as counts do; else labels with gaps, which are categories, and a check asks.
- values of which most stand in one row only: a measurement.
- all other numbers with decimals: a measurement.

Strings, booleans and categoricals are categories; ordered categoricals are ordinal. An ordinal factor of
up to 40 values is classified and counted like categories, as published scores of the data sets are; one
of more values is measured by its ranks. Published protocols
take every whole number for a category, as the code that they reproduce does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["categorical", "ordinal", "continuous", "circular"]
Rule = Literal["measurements", "whole_numbers"]
Doubt = Literal["", "decimals", "between", "labels", "row_numbers", "identifier", "period", "counted"]

FEW = 40  # values of the finest factor of the published grids
MANY = 64
REPEATS = 10  # rows for each value of a grid with decimals
MOST_BITS = 1_000  # of a whole number as a float
EXACT = 2**40  # sums of squares of larger whole numbers lose their differences
LEAST_UNIQUE = 20  # rows from which on a value of its own for each row looks like its name
NAMES = {
    "categorical": "categories",
    "ordinal": "ordered categories",
    "continuous": "continuous",
    "circular": "circular",
}


@dataclass(frozen=True)
class Reading:
    """How a factor was read.

    Attributes
    ----------
    kind : str
    values : str
        What the values are, in words, such as "88 whole numbers".
    declared : bool
        Whether the caller said so.
    doubt : str
        What may be wrong with an inferred kind: empty, "decimals" (a grid of numbers with decimals),
        "between" (41 to 64 whole numbers), "labels" (many whole numbers with gaps), "row_numbers"
        (every row has the next number), "identifier" (every row has a name of its own), "period" (the
        declared period is not what the values span) or "counted" (an Accumulator counts what may be a
        measurement).
    labels : bool
        Whether the values are texts, booleans or a categorical's, and not plain numbers.
    text : str
        All that in words: "88 whole numbers, read as continuous".
    """

    kind: Kind
    values: str
    declared: bool = False
    doubt: Doubt = ""
    labels: bool = False
    text: str = field(init=False, default="")

    def __post_init__(self) -> None:
        how = "declared" if self.declared else "read as"
        object.__setattr__(self, "text", f"{self.values}, {how} {NAMES[self.kind]}")

    def __str__(self) -> str:
        return self.text


def read_numbers(levels: NDArray[Any], rows: int, rule: Rule) -> Reading:
    """How numbers are read whose different values are `levels` (L,), ascending, in `rows` rows."""
    count = len(levels)
    whole = levels.dtype.kind in "iub" or bool((levels == np.floor(levels)).all())
    values = f"{count:,} {'whole numbers' if whole else 'numbers'}" if count != 1 else "1 number"
    if rule == "whole_numbers":
        return Reading("categorical" if whole else "continuous", values)
    if count <= 2:
        return Reading("categorical", values)
    if not whole:
        if count <= FEW and rows >= REPEATS * count:
            return Reading("categorical", values, doubt="decimals")
        return Reading("continuous", values)
    if count > rows / 2:
        return Reading("continuous", values, doubt=_doubt_of_unique(levels, rows))
    if count <= FEW:
        return Reading("categorical", values)
    if count <= MANY:
        return Reading("categorical", values, doubt="between")
    if equally_spaced(levels) or count_like(levels):
        return Reading("continuous", values)
    return Reading("categorical", values, doubt="labels")


def _doubt_of_unique(levels: NDArray[Any], rows: int) -> Doubt:
    if len(levels) < rows or rows < LEAST_UNIQUE:
        return ""
    return "row_numbers" if int(levels[-1]) - int(levels[0]) == rows - 1 else "identifier"


def as_floats(values: NDArray[Any]) -> NDArray[np.float64]:
    """Numbers as float64; huge whole numbers less the smallest of them, so that differences survive."""
    if values.dtype.kind == "O":
        plain = [int(value) - int(values.min()) for value in values]
        over = max(0, max(plain).bit_length() - MOST_BITS)
        values = np.array([float(value >> over) for value in plain])
    if values.dtype.kind in "iu" and len(values):
        low, high = int(values.min()), int(values.max())
        if max(abs(low), abs(high)) >= EXACT and high - low < 2**63:
            values = values - values.dtype.type(low)
    return values.astype(np.float64)


def equally_spaced(levels: NDArray[Any]) -> bool:
    """Whether at least half of the values lie one smallest step below the next."""
    gaps = np.diff(as_floats(levels))
    return bool((gaps == gaps.min()).mean() >= 0.5)


def count_like(levels: NDArray[Any]) -> bool:
    """Whether values from 0 on lie closer together below than above, as counts do."""
    numbers = as_floats(levels)
    lower, upper = np.array_split(np.diff(numbers), 2)
    return bool(numbers[0] >= 0 and numbers[0] <= 0.1 * numbers[-1] and 4 * np.mean(lower) <= np.mean(upper))


def read_labels(count: int, rows: int, ordered: bool = False) -> Reading:
    """How `count` different labels, which are no numbers, are read."""
    values = f"{count:,} label{'s' if count != 1 else ''}"
    if ordered:
        return Reading("ordinal", values, labels=True)
    doubt: Doubt = "identifier" if count == rows >= LEAST_UNIQUE else ""
    return Reading("categorical", values, doubt=doubt, labels=True)
