"""A table of factors from a file: text, Parquet, Feather, JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from disentangle_metrics.encoders.sniffing import FileKind, file_kind
from disentangle_metrics.errors import DatasetError, InputError
from disentangle_metrics.files.arrays import FRAMES
from disentangle_metrics.files.row_names import name_rows
from disentangle_metrics.files.text_table import read_text_table
from disentangle_metrics.inputs.row_labels import matching_rows

if TYPE_CHECKING:
    import pandas as pd

TABLES = (".csv", ".tsv", ".parquet", ".feather", ".json", ".jsonl")


def read_table(path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """All columns of the table, with text for their names; and what to know of how it was read.

    Raises
    ------
    DatasetError
        If there is no such file, or it cannot be read as a table.
    """
    if not path.is_file():
        raise DatasetError(f"there is no file {path} of factors")
    try:
        kind = file_kind(path)
        notes: tuple[str, ...] = ()
        if kind is FileKind.TEXT:
            table = read_text_table(path)
            frame: Any = table.frame
            notes = tuple(table.notes)
        elif kind in FRAMES:
            frame = FRAMES[kind](path)
        else:
            raise DatasetError(f"{path} is {kind.value}; accepted: {', '.join(TABLES)}")
    except DatasetError:
        raise
    except InputError as error:
        raise DatasetError(str(error)) from error
    except Exception as error:  # a damaged file fails in as many ways as there are readers
        reason = str(error).partition("\n")[0][:200]
        raise DatasetError(f"{path} is truncated or damaged ({reason})") from error
    if frame.index.name is not None or frame.index.dtype.kind not in "iu":
        frame = frame.reset_index()
    columns: pd.DataFrame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    return columns, notes


def without_row_labels(
    path: Path, frame: pd.DataFrame, factor_names: list[str] | None, picture_names: str | None = None
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The table without row labels and identifiers, and what to know of them; chosen columns stay.

    The index of the answer has the row labels, if they do more than count.

    Raises
    ------
    DatasetError
        If the first column has no name and cannot be row labels.
    """
    kept = [*(factor_names or []), *([] if picture_names is None else [picture_names])]
    nameless = (
        f"{path}: the first column has no name, and its values are not those of row labels (all different, "
        "text or whole numbers); give it a name"
    )
    try:
        named = name_rows(path, frame, "factors", None, kept)
    except InputError as error:
        raise DatasetError(nameless) from error
    if factor_names is None and "" in named.frame.columns and picture_names != "":
        raise DatasetError(nameless)
    # How the note says to keep a column is for files of factors alone.
    return named.frame, tuple(note.partition("; to keep it")[0] for note in named.notes)


def rows_of_images(path: Path, factor_names: list[str] | None = None) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """A table whose row i describes image i, without row labels and identifiers; and what to know of it.

    Raises
    ------
    DatasetError
        If it cannot be read, or its row labels count the images in another order.
    """
    frame, notes = read_table(path)
    frame, left_out = without_row_labels(path, frame, factor_names)
    by_place = frame.reset_index(drop=True)
    try:
        matching_rows(frame, by_place, ("factors", "images"))
    except InputError as error:
        raise DatasetError(
            f"{path}: the row labels count the images in another order ({frame.index[0]}, {frame.index[1]}, "
            "...); sort the rows by them, or leave them out if row i describes image i"
        ) from error
    return by_place, (*notes, *left_out)
