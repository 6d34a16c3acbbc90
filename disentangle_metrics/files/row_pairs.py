"""Whether the rows of a file of latents and of a file of factors belong together by label or by place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from disentangle_metrics.errors import InputError
from disentangle_metrics.files.row_names import counts
from disentangle_metrics.inputs.row_labels import labels_of, matching_rows
from disentangle_metrics.inputs.tables import FEWEST_IDENTIFIERS

if TYPE_CHECKING:
    import pandas as pd

    from disentangle_metrics.files.arrays import ArrayFile


def shared_column(latents: ArrayFile, factors: ArrayFile) -> str | None:
    """The first column of both files if it names their rows, and one of them was read as if it did not.

    It has the same name and whole numbers in both, another in each row, and one file has all of the other.
    """
    import pandas as pd

    name = next(iter(latents.choosable), "")
    if not name or name.isdigit() or name != next(iter(factors.choosable), ""):
        return None
    first, second = (_named(file, name) for file in (latents, factors))
    if first is None or second is None:
        return None
    if isinstance(first, pd.RangeIndex) and second.max() == len(first):
        first = first + 1  # labels that count from 1 were left out
    few, many = sorted((set(first), set(second)), key=len)
    unlike = latents.labelled and factors.labelled
    return name if not unlike and few <= many and len(few) >= FEWEST_IDENTIFIERS else None


def _named(file: ArrayFile, name: str) -> pd.Index | None:
    """The whole numbers, different in each row, of the first column of a table, or of its labels."""
    import pandas as pd

    frame = file.value
    if not file.labelled and str(frame.columns[0]) == name:
        found = pd.Index(frame.iloc[:, 0])
    elif frame.index.name == name:
        found = frame.index
    else:
        return None
    return found if found.dtype.kind in "iu" and found.is_unique else None


def rows_in_common(latents: ArrayFile, factors: ArrayFile) -> tuple[ArrayFile, ArrayFile, tuple[str, ...]]:
    """Both files without the rows whose labels the other one lacks, and a note for each that has such rows.

    They stay as they are where rows cannot be told by their labels.
    """
    labels, others = labels_of(latents.value), labels_of(factors.value)
    if labels is None or others is None or not _can_be_joined(labels, others):
        return latents, factors, ()
    kept, notes = [], []
    for file, these, those, other in (
        (latents, labels, others, factors.path),
        (factors, others, labels, latents.path),
    ):
        shared = these.isin(those)
        value = file.value if shared.all() else file.value[shared]
        kept.append(replace(file, value=value, rows=len(value)))
        if len(alone := these[~shared]):
            notes.append(
                f"{len(alone):,} of {len(these):,} rows of {file.path}, such as {str(alone[0])!r}, are left "
                f"out: {other} has no row of their labels"
            )
    return kept[0], kept[1], tuple(notes)


def _can_be_joined(labels: pd.Index | None, others: pd.Index | None) -> bool:
    """Whether rows with a label in common are the same samples; not if both only count, from 0 and from 1."""
    if labels is None or others is None or not (labels.is_unique and others.is_unique):
        return False
    if counts(labels) and counts(others) and labels[0] != others[0]:
        return False
    return bool(labels.isin(others).any())


def check_rows(latents: ArrayFile, factors: ArrayFile, *, joins: bool = False) -> None:
    """Refuse files of different rows, with the likely reason; `joins`: --missing drop takes the common ones.

    Raises
    ------
    InputError
        If the numbers of rows differ, or some of their labels do.
    """
    alone = _without_partner(latents, factors, joins)
    if latents.rows == factors.rows:
        if joins and alone and _can_be_joined(labels_of(latents.value), labels_of(factors.value)):
            raise InputError(
                f"the row labels of {latents.path} and {factors.path} disagree ({'; '.join(alone)})"
            )
        return
    hints = [
        f"the first line of {file.path} was taken for {'names' if file.has_header else 'data'}"
        for file in (latents, factors)
        if file.has_header is not None and abs(latents.rows - factors.rows) == 1
    ]
    hints += [
        f"the last {file.empty:,} rows of {file.path} have only empty cells and are left out; --missing drop "
        "reads them"
        for file in (latents, factors)
        if file.empty
    ]
    width, of_factors = np.shape(latents.value)[1:2], np.shape(factors.value)[1:2]
    wide = of_factors > (factors.rows,)
    if of_factors == (latents.rows,) and (wide or width != (factors.rows,)):
        hints.append("the factors have as many columns: they may be transposed, so save their transpose")
    elif width == (factors.rows,):
        hints.append("the latents have as many columns: they may be transposed, so save their transpose")
    elif width == of_factors > (max(latents.rows, factors.rows),):
        hints.append("both have as many columns: they may be transposed, so save their transposes")
    hints += alone
    hint = f" ({'; '.join(hints)})" if hints else ""
    raise InputError(
        f"the latents of {latents.path} have {latents.rows:,} rows but the factors of {factors.path} have "
        f"{factors.rows:,}; row i of both must describe the same sample{hint}"
    )


def _without_partner(latents: ArrayFile, factors: ArrayFile, joins: bool) -> list[str]:
    """What to say of files that have row labels in common, and others that one of them lacks."""
    labels, others = labels_of(latents.value), labels_of(factors.value)
    if labels is None or others is None or not labels.isin(others).any():
        return []
    hints = []
    for file, these, those in ((latents, labels, others), (factors, others, labels)):
        if len(alone := these[~these.isin(those)]):
            rows = f"{len(alone):,} of the row labels of {file.path}, such as {str(alone[0])!r}"
            hints.append(f"{rows}, are in no row of the other file")
    if hints:
        drop = joins and _can_be_joined(labels, others)
        hints.append("--missing drop leaves these rows out" if drop else "leave these rows out")
    return hints


def matched_by_place(latents: ArrayFile, factors: ArrayFile) -> tuple[ArrayFile, ArrayFile, tuple[str, ...]]:
    """Both files, without row labels if rows go by place, and a note if only one has them.

    Raises
    ------
    InputError
        If these labels are those of the other file in another order.
    """
    by_place, note = goes_by_place(latents, factors)
    if not by_place:
        return latents, factors, ()
    latents, factors = (
        replace(file, value=file.value.reset_index(drop=True), labelled=False) if file.labelled else file
        for file in (latents, factors)
    )
    return latents, factors, (note,) if note else ()


def goes_by_place(latents: ArrayFile, factors: ArrayFile) -> tuple[bool, str]:
    """Whether rows go by place though a file has row labels, and a note if the other one has none.

    Labels that count 0, 1, 2, ... or 1, 2, 3, ... say no more than places do.

    Raises
    ------
    InputError
        If the labels of one file count the rows in another order, so that they may be the other file's.
    """
    counting = [counts(file.value.index) for file in (latents, factors) if file.labelled]
    if len(counting) != 1:
        return bool(counting) and all(counting), ""
    labels, others = labels_of(latents.value), labels_of(factors.value)
    if labels is None or others is None:
        if hasattr(latents.value, "columns") and hasattr(factors.value, "columns"):
            matching_rows(latents.value, factors.value, ("latents", "factors"))  # which refuses such labels
    elif labels.dtype.kind in "iu" and others.dtype.kind in "iu":
        return False, ""  # numbers that a data frame kept are labels too, and rows are matched by them
    elif not labels.is_unique and not others.is_unique:
        return False, ""  # an index that is a factor too; rows are taken in order if it is the same in both
    if counting[0]:
        return True, ""
    file = latents if latents.labelled else factors
    return True, f"only {file.path} has row labels, so row i of both files is taken for the same sample"
