"""A text table as a data frame: pandas reads it, with every parameter decided beforehand."""

from __future__ import annotations

import codecs
import io
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from disentangle_metrics.errors import InputError
from disentangle_metrics.files.text_format import LINES_LOOKED_AT, TextFormat, cells_of, find_format
from disentangle_metrics.files.text_numbers import MISSING_WORDS

if TYPE_CHECKING:
    import pandas as pd

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
NO_TABLES = {
    "%%MatrixMarket": "a Matrix Market file; read it with scipy.io.mmread and save it with numpy.save",
    "@relation": "an ARFF file; read it with scipy.io.arff and save it as CSV",
    "<?xml": "an XML file; save the table as CSV",
}
CHARACTERS_LOOKED_AT, FEWEST_LINES = 200_000, 20  # of tables with many columns
BLOCK, LONGEST_LINE, MOST_COLUMNS = 2**22, 2**24, 100_000
MEASURED = re.compile(r"([€$£¥]\s?)?[+-]?\d+([.,]\d+)*\s?(%|[a-zA-Zµ°]{1,3})?")
MISSING_IN_WORDS = ("", "nan", "NaN", "<NA>")
UNIT_NAMES = 20  # rows from which on a few words among numbers are no categories


@dataclass(frozen=True)
class Missing:
    """The first cell of a column that has no value, as it is written, and how many there are."""

    row: int
    cell: str
    count: int


@dataclass(frozen=True)
class TextTable:
    """The columns; whether the first line was taken for their names; and what the user should know."""

    frame: pd.DataFrame
    has_header: bool
    notes: list[str] = field(default_factory=list)
    missing: dict[str, Missing] = field(default_factory=dict)  # of the columns that lack values
    empty: int = 0  # last rows without a cell, which were left out


def read_text_table(path: Path, *, empty_end: bool = True) -> TextTable:
    """Read a table of numbers and categories, one row a line.

    Cells are separated by commas, semicolons, tabs, bars or spaces, and may be quoted. Lines that
    begin with # before the table are comments; the last of them holds the names if it fits. The
    first line holds names if it has text above a column of numbers, or, where all columns are text,
    if none of its words comes again below it. Without `empty_end` last lines of separators alone, as
    Excel writes them, are left out.

    Raises
    ------
    InputError
        If the file is not such a table, or how it is to be read cannot be told; the message names
        the line or the cell.
    """
    _refuse_endless_line(path)
    text, notes = _decoded(path)
    for start, advice in NO_TABLES.items():
        if text[:200].lstrip().lower().startswith(start.lower()):
            raise InputError(f"{path} is {advice}")
    text, comment = _without_comments(text)
    empty = 0
    lines = max(FEWEST_LINES, text[:CHARACTERS_LOOKED_AT].count("\n"))
    columns = 1 + max(map(text.partition("\n")[0].count, ",;\t| "))
    if columns > MOST_COLUMNS:
        raise InputError(
            f"{path} has up to {columns:,} columns, and text tables of more than {MOST_COLUMNS:,} are not "
            "read; save the array with numpy.save"
        )
    head = "\n".join(text.split("\n", LINES_LOOKED_AT)[: min(lines, LINES_LOOKED_AT)])
    if not head.strip():
        raise InputError(f"{path} is empty")
    form = find_format(str(path), _whole_rows(head))
    form = _named_by_comment(form, comment)
    if not empty_end:
        text, empty = _without_empty_end(text, form)
    _check_widths(path, text, form)
    frame = _frame(path, text, form)
    table = _settled(path, frame, form)
    if empty:
        notes.append(f"{path}: the last {empty:,} rows have only empty cells and are left out")
    return replace(table, notes=[*notes, *table.notes], empty=empty)


def _refuse_endless_line(path: Path) -> None:
    """Raise InputError if a line is longer than that of any table, before all of it is in memory."""
    with path.open("rb") as file:
        length = 0
        while block := file.read(BLOCK):
            ends = max(block.rfind(b"\n"), block.rfind(b"\r"))
            length = len(block) - ends - 1 + (length if ends < 0 else 0)
            if length > LONGEST_LINE:
                raise InputError(
                    f"{path} has a line of more than {LONGEST_LINE:,} bytes and is no text table; if it "
                    "is one, save it with numpy.save"
                )


def _decoded(path: Path) -> tuple[str, list[str]]:
    content = path.read_bytes()
    encoding = next((name for mark, name in MARKS if content.startswith(mark)), "utf-8")
    if encoding == "utf-8" and content[:4000].count(0) > len(content[:4000]) // 4:
        encoding = "utf-16-le" if content[1:4000:2].count(0) > content[0:4000:2].count(0) else "utf-16-be"
    notes = []
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise InputError(f"{path} is not {encoding} text ({error.reason}); save it as UTF-8") from error
        try:
            text = content.decode("cp1252")
        except UnicodeDecodeError:
            text = content.decode("latin-1")
        notes.append(f"{path} is not UTF-8 text and is read as Windows-1252 (Latin-1)")
    if "\x00" in text:
        raise InputError(f"{path} has a null character at {text.index(chr(0)):,} and is no text table")
    return text.replace("\r\n", "\n").replace("\r", "\n"), notes


def _without_comments(text: str) -> tuple[str, str]:
    """The text from the first line that is no comment, and the last comment before it.

    A file in which every line begins with # has no comments but cells that do, such as colours. Excel's
    ``sep=;`` is left out too.
    """
    if text[:4].lower() == "sep=" and "\n" in text[:7]:
        text = text.partition("\n")[2]
    rest, comment = text, ""
    while rest.startswith(("#", "%")) or (rest.startswith("\n") and comment):
        line, _, rest = rest.partition("\n")
        comment = line.lstrip("#%").strip() or comment
    return (rest, comment) if rest.strip() else (text, "")


def _without_empty_end(text: str, form: TextFormat) -> tuple[str, int]:
    """The text without last lines of nothing but separators, and how many they are."""
    empty = 0
    kept = text.rstrip("\n ")
    while form.separator not in ("", " ") and kept.endswith(form.separator):
        start, _, line = kept.rpartition("\n")
        if line.strip(f"{form.separator} "):
            break
        kept, empty = start.rstrip("\n "), empty + 1
    return (kept, empty) if empty else (text, 0)


def _whole_rows(head: str) -> str:
    """The head up to its last line in which no quotation is open."""
    while head.count('"') % 2 and "\n" in head:
        head = head.rpartition("\n")[0]
    return head


def _named_by_comment(form: TextFormat, comment: str) -> TextFormat:
    if form.names is not None or not comment:
        return form
    names = next(cells_of(comment, form.separator), [])
    fits = len(names) == form.width and not any(map(form.style.is_number, names))
    return replace(form, names=names) if fits else form


def _check_widths(path: Path, text: str, form: TextFormat) -> None:
    """Raise InputError for a row of another number of cells, anywhere in the file."""
    plain = '"' not in text and form.separator not in ("", " ")
    if plain and all(
        line.count(form.separator) == form.width - 1 for line in text.split("\n") if line.strip()
    ):
        return
    if not form.separator:
        return
    first = 1 if form.names is not None else 0
    for number, row in enumerate(cells_of(text, form.separator), 1):
        if len(row) == form.width or (number == first and len(row) == form.width - 1):
            continue
        if len(row) == form.width + 1 and not row[-1]:  # a separator at the end
            continue
        raise InputError(
            f"{path}: line {number} (blank ones not counted) has {len(row)} cells where the others have "
            f"{form.width}; repair it, or quote cells with a separator in them"
        )


def _frame(path: Path, text: str, form: TextFormat) -> pd.DataFrame:
    """All cells: numbers where a whole column is plain numbers, else text."""
    import pandas as pd

    written = (form.names, (form.names or [])[1:], [*(form.names or []), ""])
    named = form.names is not None and next(cells_of(text, form.separator), None) in written
    try:
        frame: pd.DataFrame = pd.read_csv(
            io.StringIO(text),
            sep=r"\s+" if form.separator == " " else form.separator or "\x1f",
            header=None,
            skiprows=_lines_before(text, named),
            names=list(range(form.width)),
            usecols=list(range(form.width)),
            index_col=False,
            keep_default_na=False,
            na_values=[""],
            dtype=None if form.style.plain else str,
            skipinitialspace=form.separator != "\t",
            low_memory=False,
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, OverflowError) as error:
        raise InputError(f"{path} is not a table: {str(error).strip()}") from error
    if frame.empty:
        raise InputError(f"{path} has no rows below its header")
    return frame.set_axis(_names(path, form, frame), axis=1)


def _lines_before(text: str, named: bool) -> int:
    """Lines up to and with the one that holds the names."""
    if not named:
        return 0
    return text[: len(text) - len(text.lstrip("\n"))].count("\n") + 1


def _names(path: Path, form: TextFormat, frame: pd.DataFrame) -> list[Any]:
    if form.names is None:
        return list(range(form.width))
    names = [name.strip() for name in form.names]
    counts = Counter(names)
    if twice := next((name for name in names if name and counts[name] > 1), None):
        raise InputError(f"{path} has several columns named {twice!r}; give each a name of its own")
    return [name or (f"column {place}" if place else "") for place, name in enumerate(names)]


def _settled(path: Path, frame: pd.DataFrame, form: TextFormat) -> TextTable:
    """Each column as numbers, or as words, or refused."""
    import pandas as pd

    notes: list[str] = []
    missing: dict[str, Missing] = {}
    columns: dict[Any, Any] = {}
    left_out: list[Any] = []  # columns without a name and without a value
    for name in frame.columns:
        column = frame[name]
        shown = f"column {name}" if form.names is not None else f"column {name} (from 0)"
        if pd.api.types.is_numeric_dtype(column):
            empty = column.isna()
            if (
                empty.all()
                and form.names is not None
                and not form.names[len(columns) + len(left_out)].strip()
            ):
                left_out.append(name)
                continue
            if empty.any():
                missing[str(name)] = Missing(int(np.argmax(empty)), "", int(empty.sum()))
                if column.dtype.kind == "f" and column.abs().max() >= 2**53:
                    raise InputError(
                        f"{path}: {shown} has integers of 2^53 and more beside empty cells, and would lose "
                        "digits; save it as text, such as id_123"
                    )
            columns[name] = column
            continue
        settled, words = _numbers_or_words(path, shown, column, form)
        columns[name] = settled
        if words is not None:
            notes.append(f"{path}: {shown}: {words}")
        lacking = settled.isna()
        if lacking.any():
            row = int(np.argmax(lacking))
            cell = "" if pd.isna(column.iloc[row]) else str(column.iloc[row])
            missing[str(name)] = Missing(row, cell, int(lacking.sum()))
    if left_out:
        notes.append(f"{path}: {len(left_out)} columns without a name hold nothing and are left out")
    return TextTable(pd.DataFrame(columns), form.names is not None, notes, missing)


def _numbers_or_words(path: Path, shown: str, column: Any, form: TextFormat) -> tuple[Any, str | None]:
    """The column as numbers if all its cells but missing ones are; else as words, and what to know of it."""
    import pandas as pd

    cells = column.astype(object).where(column.notna(), "")
    cells = cells.map(lambda cell: str(cell).strip())
    levels = list(dict.fromkeys(cells))
    numbers = {cell: form.style.standard(cell) for cell in levels if cell}
    is_word = {cell for cell, number in numbers.items() if number is None and cell not in MISSING_WORDS}
    is_number = {cell for cell, number in numbers.items() if number is not None and cell not in MISSING_WORDS}
    if not is_word and is_number:
        texts = [None if cell in MISSING_WORDS else numbers.get(cell) for cell in cells]
        if all((numbers[cell] or "").lstrip("+-").isdigit() for cell in is_number):
            whole = [None if text is None else int(text) for text in texts]
            return pd.Series(whole, dtype=object if None in whole else None), None
        return pd.Series([np.nan if text is None else float(text) for text in texts]), None
    if is_number and is_word:
        _refuse_mixed(path, shown, cells, is_word, numbers)
    if is_word and not is_number:
        _refuse_units(path, shown, cells, is_word)
    words = cells.where(~cells.isin(MISSING_IN_WORDS), None).astype(object)
    spoken = sorted(is_word and (set(levels) & MISSING_WORDS) - set(MISSING_IN_WORDS))
    if not is_word and not is_number:  # nothing but such words
        words, spoken = cells.where(cells.isin(()), None).astype(object), []
        if len(set(levels) - {""}) > 1:
            words, spoken = cells.where(cells != "", None).astype(object), sorted(set(levels) - {""})
    remark = None
    if spoken:
        remark = f"{', '.join(map(repr, spoken))} beside other words is read as a category, not as missing"
    elif is_number and is_word:
        odd = next(cell for cell in cells if cell in is_word)
        remark = f"holds numbers and words, such as {odd!r}, and is read as categories"
    return words, remark


def _refuse_units(path: Path, shown: str, cells: Any, words: set[str]) -> None:
    """Raise InputError if the words are measurements with a unit: many numbers with the same letters."""
    found = [MEASURED.fullmatch(word) for word in words]
    if len(words) < UNIT_NAMES or not all(found):
        return
    if len({(match[1], match[3]) for match in found if match}) == 1:
        cell = next(cell for cell in cells if cell in words)
        raise InputError(
            f"{path} has {cell!r} in {shown}, a number with a unit; save numbers alone, or leave "
            "the column out with --drop-columns"
        )


def _refuse_mixed(
    path: Path, shown: str, cells: Any, is_word: set[str], numbers: dict[str, str | None]
) -> None:
    """Raise InputError if words among numbers are a slip: beside fractions, or few among many."""
    count = int(cells.isin(is_word).sum())
    fractions = any(text is not None and not text.lstrip("+-").isdigit() for text in numbers.values())
    few = len(cells) >= UNIT_NAMES and count <= len(cells) / 20
    if fractions or few:
        row = int(np.argmax(cells.isin(is_word)))
        raise InputError(
            f"{path} has {cells.iloc[row]!r} in row {row}, {shown}, where other rows have numbers; repair "
            "the cell, leave the column out with --drop-columns, or, if it is a category, write all its "
            "cells as words"
        )
