"""Which columns of a table name its rows and measure nothing: row labels and identifiers.

R and pandas write row labels as the first column, with or without a name. Files also carry ids and
file names. Such a column is no latent and no factor.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.tables import FEWEST_IDENTIFIERS

if TYPE_CHECKING:
    import pandas as pd

Role = Literal["latents", "factors"]
FEWEST_WEAK = 5  # rows from which on a count under a name like "x" is no coincidence
NAMES_OF_LABELS = re.compile(
    r"(unnamed: \d+(\.\d+)*|index|idx|ids?|uuid|guid|"
    r"row_?names?|row_?(id|index|num|number)|obs_?names?|barcodes?|"
    r"(sample|cell|image|img|file|row|obs|frame|item|example|video)[_ ]?(id|idx|index|name|path|"
    r"file)|file|filename|"
    r"file_?path|path|level_0|__index_level_0__|.*[_ ](id|idx|uuid|barcode))",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class NamedRows:
    """A table whose index is its row labels, and what was left out of its columns."""

    frame: pd.DataFrame
    labelled: bool
    notes: list[str]


def name_rows(
    path: Path,
    frame: pd.DataFrame,
    role: Role,
    index_col: str | None,
    wanted: list[str],
    *,
    labelled: bool = False,
) -> NamedRows:
    """Make row labels the index, and leave out identifiers; columns asked for by name stay.

    Where the file is `labelled`, the index has the labels, and no column is taken for them but `index_col`.

    Raises
    ------
    InputError
        If the first column has no name and cannot be row labels, or `index_col` repeats a label.
    """
    if index_col is not None:
        return _labelled_by(path, frame, frame.columns[_place(frame, index_col)], asked=True)
    if labelled:
        return _drop_identifiers(NamedRows(frame, True, []), path, role, wanted)
    first = frame.columns[0]
    if first not in wanted and frame.shape[1] > 1:
        if _are_labels(str(first), frame[first], role, alone=not len(_numbers(frame))):
            return _drop_identifiers(_labelled_by(path, frame, first), path, role, wanted)
        if first == "" and not wanted:
            raise InputError(
                f"{path}: the first column has no name, and its values are not those of row labels (all "
                "different, text or whole numbers); give it a name, or say --index-col 0 or --drop-columns 0"
            )
    return _drop_identifiers(NamedRows(frame, False, []), path, role, wanted)


def with_index(path: Path, frame: pd.DataFrame, role: Role, wanted: list[str]) -> NamedRows:
    """A table whose index has a name or is a column of the file: with the columns that it is.

    Parts of the index that are asked for are columns, and so are factors that repeat a value under a name.
    """
    index = frame.index
    labelled = index.name is not None or index.dtype.kind not in "iu"
    there = set(map(str, frame.columns))
    left: list[int] = []
    for level, name in reversed(list(enumerate(index.names))):
        values = index.get_level_values(level)
        repeats = role == "factors" and not wanted and not values.is_unique
        if name is not None and str(name) not in there and (str(name) in wanted or repeats):
            frame = frame.copy(deep=False)
            frame.insert(0, str(name), values.array)
        elif name is not None:
            left.append(level)
    notes = []
    for level in reversed(left):
        values = index.get_level_values(level)
        if values.is_unique or not wanted:
            shown = f"({values[0]}, {values[-1]})" if len(values) else ""
            notes.append(f"{path}: the index {str(values.name)!r} holds row labels {shown} and is left out")
    all_columns = not left and None not in index.names
    return NamedRows(frame, labelled and not all_columns, notes)


def has_column(frame: pd.DataFrame, name: str) -> bool:
    """Whether a column is called so, or is at that place, counted from 0."""
    return name in map(str, frame.columns) or (name.isdigit() and int(name) < frame.shape[1])


def _place(frame: pd.DataFrame, name: str) -> int:
    names = [str(column) for column in frame.columns]
    return names.index(name) if name in names else int(name)


def without_columns(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """The table without these columns, by name or place."""
    places = {_place(frame, name) for name in names if has_column(frame, name)}
    return frame.iloc[:, [place for place in range(frame.shape[1]) if place not in places]]


def _labelled_by(path: Path, frame: pd.DataFrame, column: Any, *, asked: bool = False) -> NamedRows:
    """The column as row labels; one that counts the rows has none, unless it was asked for."""
    labels = frame[column]
    if labels.isna().any():
        raise InputError(f"{path}: column {column!r} has no label in row {int(np.argmax(labels.isna()))}")
    rest = frame.drop(columns=column)
    if not rest.shape[1]:
        raise InputError(f"{path} has no other column than the row labels {str(column)!r}")
    shown = f"column {str(column)!r}" if str(column) else "the first column, which has no name,"
    note = f"{path}: {shown} holds row labels ({labels.iloc[0]}, {labels.iloc[-1]}) and is left out"
    import pandas as pd

    if counts(labels) and not asked:
        places = pd.RangeIndex(len(rest), name=column or None)
        return NamedRows(rest.set_axis(places, axis=0), False, [note])
    return NamedRows(rest.set_axis(pd.Index(labels), axis=0), True, [note])


def _are_labels(name: str, column: Any, role: Role, alone: bool) -> bool:
    """Whether the first column holds row labels: a value for each row, and a name or a form that says so."""
    import pandas as pd

    if not column.is_unique or column.isna().any():
        return False
    if not pd.api.types.is_integer_dtype(column):
        words = all(isinstance(cell, str) for cell in column)
        named = name == "" or NAMES_OF_LABELS.fullmatch(name) is not None
        return words and (named or (len(column) >= FEWEST_IDENTIFIERS))
    if name == "" or NAMES_OF_LABELS.fullmatch(name):
        return True
    if name in ("X", "x", "n", "no", "No", "nr", "Nr", "row", "#", "number", "sample", "cell", "obs"):
        return len(column) >= FEWEST_WEAK and counts(column)
    return role == "latents" and not alone and len(column) >= FEWEST_IDENTIFIERS and _is_a_run(column)


def _numbers(frame: pd.DataFrame) -> list[Any]:
    """The columns of numbers with a fractional part."""
    return [name for name in frame.columns[1:] if frame[name].dtype.kind == "f"]


def counts(column: Any) -> bool:
    """Whether it counts 0, 1, 2, ... or 1, 2, 3, ..."""
    if getattr(column.dtype, "kind", "O") not in "iu":
        return False
    numbers = column.to_numpy()
    return bool(
        len(numbers) and numbers[0] in (0, 1) and (numbers == np.arange(len(numbers)) + numbers[0]).all()
    )


def _is_a_run(column: Any) -> bool:
    """Whether it holds as many consecutive whole numbers as there are rows, in any order."""
    return int(column.max()) - int(column.min()) == len(column) - 1


def _drop_identifiers(named: NamedRows, path: Path, role: Role, wanted: list[str]) -> NamedRows:
    """Leave out columns of text that is different in every row; of factors, also ids by name."""
    frame, notes = named.frame, list(named.notes)
    ids: list[Any] = []
    for name in list(frame.columns):
        column = frame[name]
        if str(name) in wanted or frame.shape[1] < 2 or not column.is_unique or column.isna().any():
            continue
        text = all(isinstance(cell, str) for cell in column)
        called = NAMES_OF_LABELS.fullmatch(str(name)) is not None
        whole = getattr(column.dtype, "kind", "O") in "iu"
        if (text and (called or len(column) >= FEWEST_IDENTIFIERS)) or (called and whole):
            frame = frame.drop(columns=name)
            if called and not counts(column):
                ids.append(column)
            keep = f"; to keep it, name the columns: {path}:{name},..." if role == "factors" else ""
            notes.append(
                f"{path}: column {str(name)!r} is different in every row ({column.iloc[0]}), an "
                f"identifier, and is left out{keep}"
            )
    if len(ids) == 1 and not named.labelled:  # the rows of another table with these ids are matched by them
        import pandas as pd

        return NamedRows(frame.set_axis(pd.Index(ids[0]), axis=0), True, notes)
    return NamedRows(frame, named.labelled, notes)
