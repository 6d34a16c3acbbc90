"""How a text file writes its numbers: with which decimal mark, and with which mark between thousands."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from disentangle_metrics.errors import InputError

SPECIAL = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
MISSING = "NA N/A n/a na NULL Null null None none NaN nan -nan NAN <NA> #N/A #NA ? - -- . * missing"
MISSING_WORDS = frozenset(MISSING.split())
"""What files hold in place of a number that is missing. Among words they are words."""

GROUPED = {
    mark: re.compile(rf"[+-]?[1-9]\d{{0,2}}({re.escape(mark)}\d{{3}})+")
    for mark in (",", ".", "'", " ", "\u00a0", "\u202f", "\u2009")
}


@dataclass(frozen=True)
class NumberStyle:
    """The decimal mark, and the mark between groups of three digits if there is one."""

    decimal: str = "."
    thousands: str | None = None

    @property
    def plain(self) -> bool:
        """Whether it is the usual one, of which only Fortran's exponents are unknown to other readers."""
        return self.decimal == "." and self.thousands is None

    def is_number(self, cell: str) -> bool:
        """Whether the cell is a number of this style; ``nan`` and ``inf`` are."""
        return self.standard(cell) is not None

    def standard(self, cell: str) -> str | None:
        """The number with a point and without marks between thousands; None if it is no number."""
        if len(cell) > MOST_CHARACTERS:
            return None
        cell = cell.strip()
        whole, mark, rest = cell.partition(self.decimal)
        if self.thousands is not None and GROUPED[self.thousands].fullmatch(whole):
            whole = whole.replace(self.thousands, "")
        if "." in whole + rest:
            return None
        text = FORTRAN.sub(r"\1e", f"{whole}.{rest}" if mark else whole)
        if STANDARD.fullmatch(text) or SPECIAL.fullmatch(text):
            return text
        return None


FORTRAN = re.compile(r"^([+-]?(?:\d+\.\d*|\.\d+|\d+(?=[dD][+-])))[dD](?=[+-]?\d+$)")
"""A number up to the mark of Fortran's exponents, as in 1.5D3 or 15D+02; 15D2 may be a label."""

MOST_CHARACTERS = 1_000  # of a number; the smallest, written out, has 330
STANDARD = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
NUMERIC = re.compile(r"[+-]?[\d.,' \u00a0\u202f\u2009]*\d[\d.,]*([eEdD][+-]?\d+)?")
STYLES = (
    NumberStyle("."),
    NumberStyle(","),
    *(NumberStyle(".", mark) for mark in (",", "'", " ", "\u00a0", "\u202f", "\u2009")),
    *(NumberStyle(",", mark) for mark in (".", "'", " ", "\u00a0", "\u202f", "\u2009")),
)


def looks_numeric(cell: str) -> bool:
    """Whether it is made of digits and marks, in whatever style."""
    return len(cell) <= MOST_CHARACTERS and NUMERIC.fullmatch(cell.strip()) is not None


def number_style(cells: Iterable[str], where: str) -> NumberStyle | None:
    """The one style in which all cells that look like numbers are numbers; None if there is none.

    Raises
    ------
    InputError
        If two styles read the cells as different numbers, such as 1,234.
    """
    numeric = {cell.strip() for cell in cells if looks_numeric(cell)}
    odd = [cell for cell in numeric if not STYLES[0].is_number(cell)]
    if not odd:
        return STYLES[0]
    fitting = [style for style in STYLES if all(style.is_number(cell) for cell in numeric)]
    readings: dict[tuple[float, ...], NumberStyle] = {}
    for style in fitting:
        readings.setdefault(tuple(float(style.standard(cell) or "nan") for cell in sorted(numeric)), style)
    if len(readings) > 1:
        cell = sorted(odd)[0]
        first, second = (style.standard(cell) for style in list(readings.values())[:2])
        raise InputError(
            f"{where}: {cell!r} may be {first} or {second}, and no other cell tells which; save "
            "numbers with a decimal point and without marks between thousands"
        )
    return next(iter(readings.values()), None)
