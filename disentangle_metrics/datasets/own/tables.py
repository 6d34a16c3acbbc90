"""A table of factors from a file: text, Parquet, Feather, JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from disentangle_metrics.encoders.sniffing import FileKind, file_kind
from disentangle_metrics.errors import DatasetError, InputError
from disentangle_metrics.files.arrays import FRAMES
from disentangle_metrics.files.text_table import read_text_table

if TYPE_CHECKING:
    import pandas as pd

TABLES = (".csv", ".tsv", ".parquet", ".feather", ".json", ".jsonl")


def read_table(path: Path) -> pd.DataFrame:
    """The table, with text for the names of its columns.

    Raises
    ------
    DatasetError
        If there is no such file, or it cannot be read as a table.
    """
    if not path.is_file():
        raise DatasetError(f"there is no file {path} of factors")
    try:
        kind = file_kind(path)
        if kind is FileKind.TEXT:
            frame: Any = read_text_table(path).frame
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
    return columns
