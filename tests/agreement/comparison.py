"""A comparison: what a peer recorded of a metric, beside the call of ours that should give the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tests.agreement.reference import CASES, MADE_CASES, values

Record = Mapping[str, Any]
EVERY_CASE = (*CASES, *MADE_CASES)


class Pair(NamedTuple):
    """Our numbers, the peer's, and how far they may lie apart (a number, or one for each entry)."""

    ours: npt.ArrayLike
    theirs: npt.ArrayLike
    allowed: npt.ArrayLike


Pairs = Callable[[str, Record], Iterator[Pair]]


@dataclass(frozen=True)
class Comparison:
    """One row of the page.

    Parameters
    ----------
    peer, metric
        As in the recorded values.
    what
        Which of the recorded numbers are compared.
    call
        The call of ours, for the reader.
    tolerance
        The same as `Pair.allowed`, in words.
    pairs
        Gives the pairs of a case and its record.
    where
        Keeps the records that this comparison is about; by default all of the peer and metric.
    parameters
        Which values of the record's parameters, for the reader.
    slow
        Tells of a case with N rows whether it takes more than a few seconds.
    explained
        Cases which are left to the explanations, because the peer's numbers there are not the right ones.
    """

    peer: str
    metric: str
    what: str
    call: str
    tolerance: str
    pairs: Pairs
    where: Callable[[Record], bool] = lambda record: True
    parameters: str = ""
    slow: Callable[[int], bool] = lambda rows: False
    explained: tuple[str, ...] = field(default=())

    @property
    def name(self) -> str:
        return f"{self.peer}, {self.metric}" + (f" ({self.parameters})" if self.parameters else "")

    def records(self) -> dict[str, tuple[str, Record]]:
        """The (case, record) to compare, by names; failed runs and explained cases are left out."""
        return {
            f"{case} {number}": (case, record)
            for case in EVERY_CASE
            for number, record in enumerate(of(case, self.peer, self.metric))
            if "error" not in record and self.where(record) and not case.startswith(self.explained or "-")
        }

    def is_slow(self, case: str) -> bool:
        return self.slow(values()["cases"][case]["input"]["N"])


@dataclass(frozen=True)
class Measured:
    """Of one record: the number of finite numbers compared, their deviation, and that over the allowed."""

    numbers: int
    deviation: float
    share: float
    undefined: int


def measure(comparison: Comparison, case: str, record: Record) -> Measured:
    """Compare one record; numbers which are not finite in the peer's are counted apart."""
    count, undefined, deviation, share = 0, 0, 0.0, 0.0
    for pair in comparison.pairs(case, record):
        theirs = np.asarray(pair.theirs, dtype=float)
        ours = np.broadcast_to(np.asarray(pair.ours, dtype=float), theirs.shape)
        allowed = np.broadcast_to(np.asarray(pair.allowed, dtype=float), theirs.shape)
        finite = np.isfinite(theirs)
        undefined += int((~finite).sum())
        if not finite.any():
            continue
        gaps = np.abs(ours - theirs)[finite]
        count += int(finite.sum())
        # A NaN of ours where the peer has a number must not pass: no comparison with NaN is true.
        deviation = max(deviation, float(np.where(np.isnan(gaps), np.inf, gaps).max()))
        share = max(share, float(np.where(np.isnan(gaps), np.inf, gaps / allowed[finite]).max()))
    return Measured(count, deviation, share, undefined)


def of(case: str, peer: str, metric: str) -> list[Record]:
    """The records of a case by peer and metric, with those of failed runs; not of runs that were left out."""
    return [
        record
        for record in values()["cases"][case]["results"]
        if record["peer"] == peer and record["metric"] == metric and "skipped" not in record
    ]


def pairs_recorded() -> list[tuple[str, str]]:
    """Every (peer, metric) with a record, in the order of recording."""
    recorded = (record for case in EVERY_CASE for record in values()["cases"][case]["results"])
    return list(dict.fromkeys((r["peer"], r["metric"]) for r in recorded if "skipped" not in r))


def short(case: str) -> str:
    """What the page calls a case: p01, or the whole name of a made one."""
    return case if case in MADE_CASES else case[:3]


def shown(value: float | str) -> str:
    """A number to nine decimals; what is no number as it was recorded."""
    try:
        number = float(value)
    except ValueError:
        return str(value)
    if math.isnan(number):
        return "NaN"
    return "infinite" if math.isinf(number) else f"{number:.9f}"
