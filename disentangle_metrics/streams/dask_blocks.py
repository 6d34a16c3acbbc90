"""Dask collections in blocks of rows: each is worked on where it lies, and two answers become one.

Dask is not imported before one of its collections is given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.gaussian_posterior import GaussianPosterior

T = TypeVar("T")


def is_dask(value: Any) -> bool:
    """Whether it is a Dask array or DataFrame, or a posterior of them."""
    parts = (value.mean, value.logvar) if isinstance(value, GaussianPosterior) else (value,)
    return all(hasattr(part, "__dask_graph__") for part in parts)


def row_blocks(*values: Any) -> list[tuple[Any, ...]]:
    """Blocks of rows of each value, side by side: all columns, and as the first value is divided.

    Raises
    ------
    InputError
        If only some are Dask collections, or they are divided into other numbers of rows.
    """
    if not all(map(is_dask, values)):
        raise InputError("`latents` and `factors` must both be Dask collections, or neither")
    columns = [_blocks(value, like=values[0]) for value in values]
    if len({len(blocks) for blocks in columns}) > 1:
        raise InputError(
            f"`latents` and `factors` are divided into {' and '.join(str(len(b)) for b in columns)} blocks "
            "of rows; they must have the same rows in each"
        )
    return list(zip(*columns, strict=True))


def _blocks(value: Any, like: Any) -> list[Any]:
    """The delayed blocks of one value."""
    from dask.delayed import delayed

    if isinstance(value, GaussianPosterior):
        pairs = zip(_blocks(value.mean, like), _blocks(value.logvar, like), strict=True)
        return [delayed(GaussianPosterior)(mean, logvar) for mean, logvar in pairs]
    if not hasattr(value, "rechunk"):  # a DataFrame, in partitions of rows
        return list(value.to_delayed())
    like = like.mean if isinstance(like, GaussianPosterior) else like
    rows = getattr(like, "chunks", value.chunks)[0]
    if sum(rows) == value.shape[0] and rows != value.chunks[0]:  # not so with lengths that nobody knows yet
        value = value.rechunk({0: rows})
    if value.ndim == 1:
        return list(value.to_delayed())
    return list(value.rechunk({1: -1}).to_delayed().ravel())


def map_reduce(blocks: list[tuple[Any, ...]], read: Callable[..., T], merge: Callable[[T, T], T]) -> T:
    """``read(*block)`` of each block with rows, merged two by two, where Dask's scheduler places the work.

    No machine holds more than the blocks that it reads and two answers at a time.

    Raises
    ------
    InputError
        If no block has a row.
    """
    from dask.delayed import delayed

    answers: list[Any] = [delayed(_read)(read, *block) for block in blocks]
    merged = delayed(_merge)
    while len(answers) > 1:
        pairs = [merged(merge, *answers[i : i + 2]) for i in range(0, len(answers) - 1, 2)]
        answers = [*pairs, *answers[2 * len(pairs) :]]
    result: T | None = answers[0].compute()
    if result is None:
        raise InputError("`latents` is empty: none of its blocks has a row")
    return result


def _read(read: Callable[..., T], *block: Any) -> T | None:
    """What is read of a block; None of one without rows, as filters leave them."""
    tables = [part.mean if isinstance(part, GaussianPosterior) else part for part in block]
    return read(*block) if any(getattr(table, "shape", (1,))[0] for table in tables) else None


def _merge(merge: Callable[[T, T], T], one: T | None, other: T | None) -> T | None:
    return merge(one, other) if one is not None and other is not None else one if other is None else other
