"""Rows to train a predictor on, and rows to test it on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import InputError, NotApplicable

Rows = NDArray[np.int64]


def split_rows(
    split: float | Sequence[Any] | None,
    total: int,
    max_rows: int | None,
    rng: np.random.Generator,
    given: int,
    origin: Rows | None,
) -> tuple[Rows, Rows]:
    """Rows to train a probe on, and rows to test it on, of `total` rows.

    `split` is the share of the rows to test on, shuffled; or index arrays (train, test) among `given` rows,
    of which `origin` are here; or None: train and test on the same rows. At most `max_rows` are drawn,
    None: all, if none are given.

    Raises
    ------
    InputError
        If it is no pair, or names a row that is not there.
    NotApplicable
        If a part has no row.
    """
    if isinstance(split, tuple | list):
        return given_split(split, given, origin)
    most = total if max_rows is None else max_rows
    train, test = drawn_split(total, cast("float | None", split), most, rng)
    if not len(train):
        raise NotApplicable(f"{total} rows are too few to train on some and test on others")
    return train, test


def drawn_split(
    total: int, share: float | None, max_rows: int, rng: np.random.Generator
) -> tuple[Rows, Rows]:
    """At most `max_rows` of `total` rows, shuffled; the first `share` of them (rounded up) is the test part.

    With `share` None both parts are the same rows. The train part is empty if there are too few rows.
    """
    if share is None and total <= max_rows:
        rows = np.arange(total)
        return rows, rows
    rows = rng.permutation(total)[:max_rows].astype(np.int64)
    if share is None:
        return rows, rows
    tested = math.ceil(len(rows) * share - 1e-9)
    return rows[tested:], rows[:tested]


def given_split(split: Sequence[Any], total: int, origin: Rows | None = None) -> tuple[Rows, Rows]:
    """A pair (train, test) of index or boolean arrays, checked against the number of rows.

    Parameters
    ----------
    split, total
        The pair, and the number of rows it speaks of.
    origin
        Which of those rows are here, in ascending order, if not all: what comes back are places
        among these, and rows that are not here are left out.

    Raises
    ------
    InputError
        If it is no such pair, or names a row that is not there.
    NotApplicable
        If no row of a part is here.
    """
    if len(split) != 2:
        raise InputError(f"`split` must be a pair (train, test) of index arrays, got {len(split)} of them")
    train, test = (_rows(part, name, total) for part, name in zip(split, ("train", "test"), strict=True))
    return (train, test) if origin is None else (_places(train, origin), _places(test, origin))


def _places(rows: Rows, origin: Rows) -> Rows:
    place = np.minimum(np.searchsorted(origin, rows), len(origin) - 1)
    found: Rows = place[origin[place] == rows]
    if not len(found):
        raise NotApplicable("a part of `split` has no row with values")
    return found


def _rows(part: Any, name: str, total: int) -> Rows:
    index = np.asarray(part)
    if index.dtype == bool and index.shape == (total,):
        index = np.flatnonzero(index)
    if index.dtype == bool:
        raise InputError(
            f"the {name} part of `split` is a mask of shape {index.shape}, but there are {total:,} rows; "
            "pass one value for each row, as in `(mask, ~mask)`"
        )
    if index.ndim != 1 or index.dtype.kind not in "iu" or not len(index):
        raise InputError(f"the {name} part of `split` must be a list of row numbers, got {part!r:.80}")
    if index.min() < 0 or index.max() >= total:
        odd = index.min() if index.min() < 0 else index.max()
        raise InputError(f"the {name} part of `split` has row {odd}, but there are {total:,} rows")
    return index.astype(np.int64)
