"""A CSV file as a data frame: which character separates, and whether the first line holds names."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from disentangle_metrics.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

LINES_LOOKED_AT = 1000


@dataclass(frozen=True)
class CsvTable:
    """The columns, and whether the first line was taken for their names."""

    frame: pd.DataFrame
    has_header: bool


def read_csv(path: Path) -> CsvTable:
    """Read a table of numbers or categories, separated by commas, semicolons, tabs or spaces.

    The first line holds names if it has text above a column of numbers; or, where all columns are
    text, if none of its words comes again below it.

    Raises
    ------
    InputError
        If the file is not such a table, or whether it has a header cannot be told.
    """
    import pandas as pd

    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = [line for line in islice(file, LINES_LOOKED_AT) if line.strip()]
        if not head:
            raise InputError(f"{path} is empty")
        separator = _separator(head[-1])  # the first line may hold names, with spaces in them
        table = list(csv.reader(head, delimiter=separator, skipinitialspace=True))
        has_header = _has_header(path, table)
        frame = pd.read_csv(
            path,
            sep=r"\s+" if separator == " " else separator,
            header=0 if has_header else None,
            encoding="utf-8-sig",
            skipinitialspace=True,
        )
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text ({error.reason}); save it as UTF-8") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error) as error:
        raise InputError(f"{path} is not a table: {str(error).strip()}") from error
    if frame.empty:
        raise InputError(f"{path} has no rows below its header")
    if has_header and _is_row_number(table[0][0], frame):
        frame = frame.iloc[:, 1:]  # data frames are saved with their row numbers unless one says otherwise
    return CsvTable(frame, has_header)


def _separator(line: str) -> str:
    best = max(",;\t", key=line.count)
    if line.count(best):
        return best
    words = line.split()
    return " " if len(words) > 1 and all(map(_is_number, words)) else ","


def _has_header(path: Path, table: list[list[str]]) -> bool:
    first, below = table[0], table[1:]
    if not below:
        return not any(map(_is_number, first))
    columns = [[row[i] for row in below if i < len(row)] for i in range(len(first))]
    if any(not _is_number(name) and _are_numbers(cells) for name, cells in zip(first, columns, strict=True)):
        return True
    if not any(map(_is_number, first)):
        return not any(name in cells for name, cells in zip(first, columns, strict=True))
    if len(first) > 1 and first == [str(i) for i in range(len(first))]:
        # Data frames without names are saved under the names 0, 1, 2, ...
        if not all(cell.lstrip("-").isdigit() for cells in columns for cell in cells):
            return True
        raise InputError(
            f"the first line of {path} is {','.join(first)}, which may be data or the numbers of the "
            f"columns; give the columns names, or save the table as .npy"
        )
    return False


def _is_row_number(name: str, frame: pd.DataFrame) -> bool:
    first = frame.iloc[:, 0]
    return not name.strip() and frame.shape[1] > 1 and first.tolist() == list(range(len(frame)))


def _are_numbers(cells: list[str]) -> bool:
    filled = [cell for cell in cells if cell.strip()]
    return bool(filled) and all(map(_is_number, filled))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
