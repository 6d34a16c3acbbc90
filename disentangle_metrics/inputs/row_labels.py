"""Which row of one data frame belongs to which row of another, where both have row labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def matching_rows(first: Any, second: Any, arguments: tuple[str, str]) -> NDArray[np.int64] | None:
    """For each row of the data frame `first`, the row of `second` with its label.

    None: the rows are in the same order, or one of the two has no labels. A frame that counts its rows
    0, 1, 2, ... has none: pandas counts where nobody gave labels.

    Raises
    ------
    InputError
        If the labels disagree, or it cannot be told whether rows belong together by label or by place.
    """
    labels, others = labels_of(first), labels_of(second)
    if labels is None and others is None:
        return None
    if labels is None or others is None:
        shuffled = labels if labels is not None else others
        both = first is not None and second is not None and len(first) == len(second)
        if both and shuffled is not None and _is_shuffled_count(shuffled):
            which = arguments[0] if labels is not None else arguments[1]
            other = arguments[1] if labels is not None else arguments[0]
            raise InputError(
                f"the row labels of `{which}` are those of `{other}` in another order, {shuffled.min()} to "
                f"{shuffled.max():,} shuffled; say which rows belong together: pass "
                f"`{which}.sort_index()` if labels do, or `{which}.reset_index(drop=True)` if places do"
            )
        return None
    if labels.equals(others) or len(labels) != len(others):  # lengths are compared elsewhere
        return None
    for argument, these in zip(arguments, (labels, others), strict=True):
        if not these.is_unique:
            twice = _plain(these[these.duplicated()][0])
            raise InputError(
                f"the row labels of `{arguments[0]}` and `{arguments[1]}` differ, and {twice!r} stands twice "
                f"in `{argument}`; if row i of both is the same sample, pass both with "
                "`.reset_index(drop=True)`"
            )
    rows: NDArray[np.int64] = np.asarray(others.get_indexer(labels))
    if (rows < 0).any():
        lacking = labels[rows < 0]
        raise InputError(
            f"the row labels of `{arguments[0]}` and `{arguments[1]}` disagree: {len(lacking):,} of "
            f"{len(labels):,} labels of `{arguments[0]}`, such as {_plain(lacking[0])!r}, are not in "
            f"`{arguments[1]}` (which has {_plain(others[0])!r}); pass frames of the same rows, or, "
            "if row i of both is the same sample, both with `.reset_index(drop=True)`"
        )
    return rows


def labels_of(frame: Any) -> pd.Index | None:
    """The row labels of a data frame, if somebody gave it any."""
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        return None
    index = frame.index
    counts = isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1
    return None if counts else index


def _plain(label: Any) -> Any:
    return label.item() if isinstance(label, np.generic) else label


def _is_shuffled_count(labels: pd.Index) -> bool:
    """Whether they are 0 to N - 1, or 1 to N as R counts, in another order."""
    if labels.dtype.kind not in "iu" or not len(labels) or labels.min() not in (0, 1):
        return False
    numbers = np.asarray(labels)
    counting = np.arange(len(numbers)) + labels.min()
    return bool((np.sort(numbers) == counting).all() and not (numbers == counting).all())


def row_mismatch(
    latents: tuple[int, int], factors: tuple[int, int], given: Any, frames: tuple[Any, Any] = (None, None)
) -> str:
    """What to say of latents and `given` factors of these shapes, which have different numbers of rows.

    `frames` are theirs, of those that are data frames.
    """
    message = (
        f"`factors` has {factors[0]:,} rows but `latents` has {latents[0]:,}; "
        f"row i of both must describe the same sample"
    )
    labels, others = map(labels_of, frames)
    if labels is not None and others is not None and hasattr(given, "loc"):
        shared = labels.intersection(others)
        if len(shared) and labels.is_unique and others.is_unique:
            return (
                f"{message} ({len(shared):,} row labels are in both: pass `latents.loc[rows]` and "
                "`factors.loc[rows]` with `rows = latents.index.intersection(factors.index)`)"
            )
    turned = "factors.T" if hasattr(given, "T") else "numpy.transpose(factors)"
    wide = factors[1] > factors[0]
    if latents[1] == factors[0] and not (factors[1] == latents[0] and wide):
        message += " (`latents` looks transposed: pass `latents.T`)"
    elif factors[1] == latents[0]:
        message += f" (`factors` looks transposed: pass `{turned}`)"
    elif latents[1] == factors[1] > max(latents[0], factors[0]):
        message += f" (both look transposed: pass `latents.T` and `{turned}`)"
    return message
