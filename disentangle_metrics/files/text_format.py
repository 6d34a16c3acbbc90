"""How a text table is written: separator, decimal mark, names of columns; found from its whole head.

Every separator that could be meant is tried on all lines of the head. One is taken only if it alone
cuts all lines into cells that make sense. A tie is refused.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from disentangle_metrics.errors import InputError
from disentangle_metrics.files.text_numbers import (
    MISSING_WORDS,
    STYLES,
    NumberStyle,
    looks_numeric,
    number_style,
)

LINES_LOOKED_AT = 1000
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "spaces", "": "no separator"}
WORDS = re.compile(r'"((?:[^"]|"")*)"|(\S+)')

Rows = list[list[str]]


@dataclass(frozen=True)
class TextFormat:
    """How to read a table: `rows` are those of the head, without names and comments."""

    separator: str
    style: NumberStyle
    names: list[str] | None
    width: int
    rows: Rows = field(repr=False)


@dataclass(frozen=True)
class _Reading:
    """What one separator makes of the head."""

    separator: str
    rows: Rows
    names_short: bool  # the first line has one cell fewer: it names all columns but the row labels
    style: NumberStyle
    ambiguous: str = ""


def find_format(where: str, text: str) -> TextFormat:
    """The format of the table whose first lines are `text`, without comments before them.

    Raises
    ------
    InputError
        If no separator cuts it into a table, or more than one does; or it cannot be told whether the
        first line holds names.
    """
    quoted = set(re.findall(r'"([^"\n]*)"', text)) if '"' in text else set()
    readings, problems = [], {}
    for separator in SEPARATORS:
        if separator and not (separator in text or (separator == " " and re.search(r"\S\s+\S", text))):
            continue
        reading = _read(where, text, separator, quoted)
        if isinstance(reading, str):
            problems[separator] = reading
        else:
            readings.append(reading)
    wide = [reading for reading in readings if reading.separator]
    if any(reading.separator != " " for reading in wide):  # spaces beside other separators are padding
        readings = [reading for reading in readings if reading.separator != " "]
        wide = [reading for reading in wide if reading.separator != " "]
    narrow = next((reading for reading in readings if not reading.separator), None)
    if len(wide) == 1 and not (narrow and narrow.rows and _could_be_one_column(wide[0], narrow)):
        chosen = wide[0]
    elif not wide and narrow is not None and (_is_numeric(narrow) or not _is_torn(problems)):
        chosen = narrow
    elif not readings or (not wide and _is_torn(problems)):
        raise InputError(f"{where} is not a table: {_worst(problems)}")
    else:
        between = " or ".join(SEPARATORS[reading.separator] for reading in readings)
        raise InputError(
            f"{where}: whether cells are separated by {between} cannot be told; quote the cells, or save the "
            "table with commas between cells and points in numbers"
        )
    if chosen.ambiguous:
        raise InputError(chosen.ambiguous)
    return _with_names(where, chosen)


def cells_of(text: str, separator: str) -> Iterator[list[str]]:
    """The cells of each line that is not blank."""
    if separator == " ":
        for line in text.split("\n"):
            if line.strip():
                yield [
                    match[1].replace('""', '"') if match[1] is not None else match[2]
                    for match in WORDS.finditer(line)
                ]
    elif not separator and '"' not in text:
        yield from ([line.strip()] for line in text.split("\n") if line.strip())
    else:
        delimiter = separator or "\x1f"
        lines = io.StringIO(text, newline="")
        for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=separator != "\t"):
            if any(cell.strip() for cell in row) or len(row) > 1:
                yield [cell.strip() for cell in row]


def _read(where: str, text: str, separator: str, quoted: set[str]) -> _Reading | str:
    """The reading, or what is wrong with it."""
    try:
        rows = list(cells_of(text, separator))
    except csv.Error as error:
        return str(error)
    if not rows:
        return "it has no rows"
    first, below = len(rows[0]), {len(row) for row in rows[1:]} or {len(rows[0])}
    width = max(below, key=lambda w: sum(len(row) == w for row in rows))
    if len(below) > 1:
        number, odd = next((i, row) for i, row in enumerate(rows[1:], 2) if len(row) != width)
        return f"line {number} has {_counted(len(odd))} where others have {width}"
    ends_open = len(rows) > 1 and width > 1 and all(not row[-1] for row in rows[1:])
    if separator and ends_open and first in (width, width - 1):
        rows = [row[: width - 1] for row in rows]  # every line ends with a separator
        first, width = len(rows[0]), width - 1
    if separator and width < 2:
        return "one column"
    if first not in (width, width - 1):
        return f"the first line has {_counted(first)} where the others have {width}"
    names_short = first == width - 1
    if names_short and not _are_labels(rows, quoted):
        return (
            f"the first line has {_counted(first)} where the others have {width}, and the first cells are no "
            "row labels: words or a count, all different"
        )
    style, ambiguous = _style(where, rows)
    if separator == " " and not _are_spaced(rows, quoted):
        if names_short or len(rows) < 2:
            return "words with spaces between them"
        ambiguous = (
            f"{where}: whether spaces separate cells or words cannot be told, as in "
            f"{' '.join(rows[0])!r}; quote the cells, or save the table with commas between them"
        )
    for row in rows:
        for cell in row:
            two_styles = bool(ambiguous) and looks_numeric(cell)
            if cell not in quoted and not two_styles and not _is_one_cell(cell, style, separator):
                return f"{cell!r} is no cell"
    return _Reading(separator, rows, names_short, style, ambiguous)


def _style(where: str, rows: Rows) -> tuple[NumberStyle, str]:
    """The style of the columns of numbers, and what is ambiguous about it."""
    numbers = []
    below = rows[1:] or rows
    for place in range(len(below[0])):
        cells = [row[place] for row in below if row[place] and row[place] not in MISSING_WORDS]
        numeric = bool(cells) and all(map(looks_numeric, cells))
        if numeric and any(all(style.is_number(cell) for cell in cells) for style in STYLES):
            numbers += cells
    try:
        style = number_style(numbers, where)
    except InputError as error:
        return STYLES[1], str(error)
    if style is None:
        marked = {mark: next((cell for cell in numbers if mark in cell), "") for mark in ".,"}
        shown = " and ".join(repr(cell) for cell in marked.values() if cell)
        return STYLES[0], (
            f"{where} has numbers of different styles, such as {shown}; save all with a decimal point and "
            "without marks between thousands"
        )
    return style, ""


def _is_one_cell(cell: str, style: NumberStyle, separator: str) -> bool:
    """Whether no separator is left in it; words between other separators may hold commas."""
    if style.is_number(cell):
        return True
    words = separator in (";", "\t", "|") and re.search(r"[^\W\d]", cell)
    if any(mark in cell for mark in (";\t|" if words else ",;\t|")):
        return False
    return not re.fullmatch(r"[+-]?[\d.]+(\s+[+-]?[\d.]+)+", cell)


def _are_labels(rows: Rows, quoted: set[str]) -> bool:
    """Whether the first cells can be row labels: all different, and words, quoted, or a count.

    R counts from 1, pandas from 0.
    """
    labels = [row[0] for row in rows[1:]]
    words = not any(STYLES[0].is_number(label) for label in labels)
    counts = any(labels == [str(first + place) for place in range(len(labels))] for first in (0, 1))
    return len(set(labels)) == len(labels) and (words or counts or quoted.issuperset(labels))


def _are_spaced(rows: Rows, quoted: set[str]) -> bool:
    """Whether spaces separate cells and not words: a column of numbers, or quoted words, says so."""
    below = rows[1:] or rows
    columns = [[row[place] for row in below] for place in range(len(below[0]))]
    numeric = [all(looks_numeric(cell) or cell in MISSING_WORDS for cell in column) for column in columns]
    plain_words = [
        not number and not all(cell in quoted for cell in column)
        for number, column in zip(numeric, columns, strict=True)
    ]
    return any(numeric) or not any(plain_words)


def _could_be_one_column(wide: _Reading, narrow: _Reading) -> bool:
    """Whether a column of numbers with a decimal comma explains the lines as well as two columns do.

    Without a name above them, whole numbers with a comma between are two columns, unless the second
    begins with a zero.
    """
    if wide.separator != "," or narrow.style.decimal != ",":
        return False
    if len(narrow.rows[0]) == 1 and not narrow.style.is_number(narrow.rows[0][0]):
        return wide.names_short
    return any(re.fullmatch(r"0\d+", cell) for row in wide.rows for cell in row[1:])


def _is_numeric(narrow: _Reading) -> bool:
    return all(narrow.style.is_number(row[0]) for row in narrow.rows[1:])


def _is_torn(problems: dict[str, str]) -> bool:
    """Whether a separator in front of numbers cuts most lines alike, and a few not."""
    return any(
        text.startswith(("line ", "the first line has")) for sep, text in problems.items() if sep.strip()
    )


def _worst(problems: dict[str, str]) -> str:
    for separator, text in sorted(problems.items(), key=lambda item: item[0] == " "):
        if text.startswith(("line ", "the first line has")):
            return f"with {SEPARATORS[separator]} between cells, {text}"
    if torn := next((item for item in problems.items() if item[1].endswith("is no cell")), None):
        return f"with {SEPARATORS[torn[0]]} between cells, {torn[1]}"
    return next(iter(problems.values()), "it has no rows")


def _counted(cells: int) -> str:
    return f"{cells} cell{'' if cells == 1 else 's'}"


def _with_names(where: str, reading: _Reading) -> TextFormat:
    rows = reading.rows
    width = len(rows[-1])
    if reading.names_short:
        names: list[str] | None = ["", *rows[0]]
    elif _has_header(where, rows, reading.style):
        names = rows[0]
    else:
        return TextFormat(reading.separator, reading.style, None, width, rows)
    if len(rows) < 2:
        raise InputError(f"{where} has no rows below its header")
    return TextFormat(reading.separator, reading.style, names, width, rows[1:])


def _has_header(where: str, rows: Rows, style: NumberStyle) -> bool:
    """Whether the first line holds names: text above a column of numbers; or words that never come again."""
    first, below = rows[0], rows[1:]

    def is_number(cell: str) -> bool:
        return style.is_number(cell) or STYLES[0].is_number(cell)

    if not below:
        return not any(map(is_number, first))
    columns = [[row[place] for row in below] for place in range(len(first))]
    filled = [[cell for cell in cells if cell and cell not in MISSING_WORDS] for cells in columns]
    numbers = [bool(cells) and all(map(is_number, cells)) for cells in filled]
    if any(
        not is_number(name) and name not in MISSING_WORDS and number
        for name, number in zip(first, numbers, strict=True)
    ):
        return True
    if not any(map(is_number, first)):
        return not any(name in cells for name, cells in zip(first, columns, strict=True))
    if len(first) > 1 and first == [str(place) for place in range(len(first))]:
        # Data frames without names are saved under the names 0, 1, 2, ...
        if not all(cell.lstrip("-").isdigit() for cells in columns for cell in cells):
            return True
        raise InputError(
            f"the first line of {where} is {','.join(first)}, which may be data or the numbers of the "
            f"columns; give the columns names, or save the table as .npy"
        )
    return False
