"""Which column of a table names the pictures of a folder, and which row belongs to which picture."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from disentangle_metrics.datasets.own.pictures import SUFFIXES
from disentangle_metrics.datasets.own.tables import read_table, without_row_labels
from disentangle_metrics.errors import DatasetError

if TYPE_CHECKING:
    import pandas as pd

CALLED = re.compile(
    r"((file|image|img|picture|photo)s?([_ -]?(name|path|file|stem|id|number)s?)?|(name|path|stem)s?)",
    re.IGNORECASE,
)


def matched(
    folder: Path, pictures: list[str], table: Path, factor_names: list[str] | None
) -> tuple[list[str], pd.DataFrame, tuple[str, ...]]:
    """The pictures in the order of the table's rows, the factors, and what to know of both.

    Raises
    ------
    DatasetError
        If the table cannot be read, no column or several name pictures, or a row names one that is not
        there, or one twice.
    """
    frame, notes = read_table(table)
    column, names = _column_of_names(folder, pictures, frame, table)
    cells = [_spelt(cell) for cell in frame[column]]
    if odd := [row for row, cell in enumerate(cells) if len(names.get(cell, ())) != 1]:
        row, cell = odd[0], cells[odd[0]]
        several = names.get(cell)
        found = f"{several[0]} and {several[1]} are called so" if several else "there is no such picture"
        raise DatasetError(
            f"{table}: row {row} names {cell!r} in column {column!r}, and {found} in {folder} "
            f"({len(odd):,} rows like it)"
        )
    order = [names[cell][0] for cell in cells]
    if len(set(order)) < len(order):
        first = {name: row for row, name in reversed(list(enumerate(order)))}
        twice = next(row for row, name in enumerate(order) if first[name] < row)
        raise DatasetError(f"{table}: row {twice} names {cells[twice]!r}, as an earlier row does")
    kept, left_out = without_row_labels(table, frame, factor_names, column)
    factors = kept.drop(columns=column).reset_index(drop=True)
    if not factors.shape[1]:
        raise DatasetError(f"{table} has no column beside {column!r}, the names of the pictures")
    left = len(pictures) - len(order)
    unnamed = (f"{table} does not name {left:,} pictures of {folder}, which are left out",) if left else ()
    return order, factors, (*notes, *left_out, *unnamed)


def _column_of_names(
    folder: Path, pictures: list[str], frame: pd.DataFrame, table: Path
) -> tuple[str, dict[str, list[str]]]:
    """The column that names the pictures; and from what its cells may say to the pictures called so.

    Names with their endings in most rows come first, then names under a word for names. Else the column
    that names the most pictures is it: numbers name pictures too.

    Raises
    ------
    DatasetError
        If no column names a picture, or two name one in each row and disagree.
    """
    import pandas as pd

    texts = _pictures_by_name(pictures)
    numbers = _pictures_by_number(pictures, texts)
    names = {
        column: numbers if pd.api.types.is_integer_dtype(frame[column]) else texts for column in frame.columns
    }
    orders: dict[str, list[str]] = {}
    ranks: dict[str, tuple[bool, bool, int]] = {}
    for column in frame.columns:
        cells = [_spelt(cell) for cell in frame[column]]
        hits = {found[0]: cell for cell in cells if len(found := names[column].get(cell, [])) == 1}
        endings = sum(cell.lower().endswith(SUFFIXES) for cell in hits.values())
        worded = CALLED.fullmatch(column) is not None and 2 * len(hits) > len(cells)
        ranks[column] = (2 * endings > len(cells), worded, len(hits))
        if len(hits) == len(cells):
            orders[column] = list(hits)
    best = max(ranks, key=lambda column: ranks[column])
    if best == "" and names[best] is numbers:  # a count of the rows, unless there are other names
        best = next((column for column in frame.columns if _may_be_names(column, frame[column])), best)
    if not any(hits for _, _, hits in ranks.values()):
        raise DatasetError(
            f"{table}: no column names the pictures of {folder}, such as {pictures[0]}; add a column of "
            f"their file names"
        )
    for other, order in orders.items():
        if ranks[other] == ranks[best] and order != orders[best]:
            shown = " and ".join(
                repr(column) if column else "a column without a name" for column in (best, other)
            )
            with_endings, worded, _ = ranks[best]
            remedy = (
                f"write the names in one of them with their endings, such as {pictures[0]}, or leave one out"
            )
            if with_endings:
                rename = "" if worded else "call the right one `file`, or "
                remedy = f"{rename}leave the {'wrong one' if worded else 'other'} out"
            raise DatasetError(
                f"{table}: {shown} name the pictures of {folder} in different orders; {remedy}"
            )
    return best, names[best]


def _may_be_names(column: str, cells: pd.Series) -> bool:
    """Whether a column holds another file name in each row, or a number under a word for names."""
    import pandas as pd

    if not column or not cells.is_unique:
        return False
    if pd.api.types.is_integer_dtype(cells):
        return CALLED.fullmatch(column) is not None
    return all(_spelt(cell).lower().endswith(SUFFIXES) for cell in cells)


def _pictures_by_name(pictures: list[str]) -> dict[str, list[str]]:
    """From what a table may write to the pictures that have this path, file name or stem.

    Where one picture alone has the more exact spelling, the others are left out.
    """
    ways: dict[str, list[str]] = {}
    for spell in (
        lambda name: Path(name).stem,
        lambda name: Path(name).name,
        lambda name: str(Path(name).with_suffix("").as_posix()),
        lambda name: name,
    ):
        called: dict[str, list[str]] = {}
        for name in pictures:
            called.setdefault(spell(name), []).append(name)
        ways.update({text: names for text, names in called.items() if len(names) == 1 or text not in ways})
    return ways


def _pictures_by_number(pictures: list[str], by_name: dict[str, list[str]]) -> dict[str, list[str]]:
    """From a whole number to the pictures whose stem it is: a column of numbers has lost leading zeros."""
    stems: dict[str, list[str]] = {}
    for stem in dict.fromkeys(Path(name).stem for name in pictures):
        if stem.isascii() and stem.isdigit():
            stems.setdefault(str(int(stem)), []).append(stem)
    return {number: [name for stem in of for name in by_name[stem]] for number, of in stems.items()}


def _spelt(cell: Any) -> str:
    return str(cell).strip().replace("\\", "/").removeprefix("./")
