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
OF_FILES = re.compile("file|image|path", re.IGNORECASE)  # how words start that say little else


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
        raise DatasetError(
            f"{table}: row {twice} names {cells[twice]!r} in column {column!r}, as an earlier row does; give "
            f"each picture one row, or, if {column!r} is a factor, add a column of file names, such as "
            f"{pictures[0]}"
        )
    kept, left_out = without_row_labels(table, frame, factor_names, column)
    factors = kept.drop(columns=column).reset_index(drop=True)
    if not factors.shape[1]:
        raise DatasetError(f"{table} has no column beside {column!r}, the names of the pictures")
    if (moved := _first_elsewhere(folder, cells, order)) is not None:
        notes = (
            *notes,
            f"{table}: column {column!r} names pictures of another folder, such as {moved!r}; the ends of "
            f"these paths are taken for pictures of {folder}",
        )
    left = len(pictures) - len(order)
    unnamed = (f"{table} does not name {left:,} pictures of {folder}, which are left out",) if left else ()
    return order, factors, (*notes, *left_out, *unnamed)


def _column_of_names(
    folder: Path, pictures: list[str], frame: pd.DataFrame, table: Path
) -> tuple[str, dict[str, list[str]]]:
    """The column that names the pictures; and from what its cells may say to the pictures called so.

    Names with their endings in most rows come first, then names under a word for names. Else the column
    that names the most pictures is it: numbers name pictures too, where no column has the form of names.

    Raises
    ------
    DatasetError
        If no column names a picture, or two name one in each row and disagree.
    """
    import pandas as pd

    texts = _pictures_by_name(pictures)
    numbers = _pictures_by_number(pictures, texts)
    names: dict[str, dict[str, list[str]]] = {}
    orders: dict[str, list[str]] = {}
    ranks: dict[str, tuple[bool, bool, int]] = {}
    for column in frame.columns:
        cells = [_spelt(cell) for cell in frame[column]]
        names[column] = numbers if pd.api.types.is_integer_dtype(frame[column]) else texts
        paths = names[column] is texts and _may_be_paths(column, cells)
        if paths and not any(cell in texts for cell in cells):
            names[column] = _pictures_by_end(cells, pictures, texts)
        hits = {found[0]: cell for cell in cells if len(found := names[column].get(cell, [])) == 1}
        endings = sum(cell.lower().endswith(SUFFIXES) for cell in hits.values())
        worded = CALLED.fullmatch(column) is not None and 2 * len(hits) > len(cells)
        ranks[column] = (2 * endings > len(cells), worded, len(hits))
        if len(hits) == len(cells):
            orders[column] = list(hits)
    best = max(ranks, key=lambda column: ranks[column])
    with_endings, worded, most = ranks[best]
    if not (with_endings or worded) and (names[best] is numbers or not most):  # maybe a count of something
        best = next((column for column in frame.columns if _may_be_names(column, frame[column])), best)
    if not most and not _may_be_names(best, frame[best]):
        raise DatasetError(
            f"{table}: no column names the pictures of {folder}, such as {pictures[0]}; add a column of "
            f"their file names"
        )
    for other, order in orders.items():
        if ranks[other] == ranks[best] and order != orders[best]:
            shown = " and ".join(
                repr(column) if column else "a column without a name" for column in (best, other)
            )
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
    """Whether a column holds another file name in each row, or a number or text under a word for names."""
    import pandas as pd

    if not column or not cells.is_unique:
        return False
    if pd.api.types.is_integer_dtype(cells):
        return CALLED.fullmatch(column) is not None
    return all(isinstance(cell, str) for cell in cells) and _may_be_paths(column, list(map(_spelt, cells)))


def _may_be_paths(column: str, cells: list[str]) -> bool:
    """Whether most cells end as pictures do, or the column is called after files."""
    if CALLED.fullmatch(column) and OF_FILES.match(column):
        return True
    return 2 * sum(cell.lower().endswith(SUFFIXES) for cell in cells) > len(cells)


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


def _pictures_by_end(
    cells: list[str], pictures: list[str], by_name: dict[str, list[str]]
) -> dict[str, list[str]]:
    """From paths that start in another folder to the pictures at their end.

    The end is a picture's whole path in the folder, or, where no path has one, a file name that no other
    picture has.
    """
    whole = {spelt for name in pictures for spelt in (name, Path(name).with_suffix("").as_posix())}
    ends = {cell: next((end for end in _ends(cell) if end in whole), "") for cell in cells}
    if not any(ends.values()) and len({Path(name).name for name in pictures}) == len(pictures):
        ends = {cell: cell.rpartition("/")[2] for cell in cells}
    return {cell: by_name[end] for cell, end in ends.items() if end in by_name}


def _ends(path: str) -> list[str]:
    """A path without its first folder, its first two, ...; last the file name alone."""
    parts = path.split("/")
    return ["/".join(parts[start:]) for start in range(1, len(parts))]


def _first_elsewhere(folder: Path, cells: list[str], pictures: list[str]) -> str | None:
    """The first cell whose folders are not those that its picture is in."""
    for cell, name in zip(cells, pictures, strict=True):
        place = (folder / name).absolute().parent.as_posix()
        if not f"/{place}".endswith(f"/{cell.rpartition('/')[0]}".rstrip("/")):
            return cell
    return None


def _pictures_by_number(pictures: list[str], by_name: dict[str, list[str]]) -> dict[str, list[str]]:
    """From a whole number to the pictures whose stem it is: a column of numbers has lost leading zeros."""
    stems: dict[str, list[str]] = {}
    for stem in dict.fromkeys(Path(name).stem for name in pictures):
        if stem.isascii() and stem.isdigit():
            stems.setdefault(str(int(stem)), []).append(stem)
    return {number: [name for stem in of for name in by_name[stem]] for number, of in stems.items()}


def _spelt(cell: Any) -> str:
    return str(cell).strip().replace("\\", "/").removeprefix("./")
