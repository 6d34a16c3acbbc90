"""Files that hold a table with named columns beside text: Parquet, Feather and Arrow, JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from disentangle_metrics.errors import InputError
from disentangle_metrics.kit.installing import install_line
from disentangle_metrics.kit.limits import refuse_growth

if TYPE_CHECKING:
    import pandas as pd

OLDEST_PYARROW = 15  # older ones could run code from a file's description of its types
UNEVEN = "rows or columns have different lengths; save the table as CSV"


def read_parquet(path: Path) -> pd.DataFrame:
    """A Parquet file; needs pyarrow."""
    _import_pyarrow(path, "a Parquet file")
    from pyarrow import parquet

    described = parquet.read_metadata(path)
    refuse_growth(path, 8 * described.num_rows * described.num_columns, "its table takes")
    frame: pd.DataFrame = parquet.read_table(path).to_pandas(integer_object_nulls=True)
    return frame


def read_arrow(path: Path) -> pd.DataFrame:
    """A Feather file, or an Arrow file or stream; needs pyarrow."""
    pyarrow = _import_pyarrow(path, "an Arrow or Feather file")
    from pyarrow import feather

    with path.open("rb") as file:
        start = file.read(4)
    if start in (b"ARRO", b"FEA1"):
        table = feather.read_table(path)
    else:
        with pyarrow.OSFile(str(path)) as source, pyarrow.ipc.open_stream(source) as stream:
            table = stream.read_all()
    frame: pd.DataFrame = table.to_pandas(integer_object_nulls=True)
    return frame


def _import_pyarrow(path: Path, what: str) -> Any:
    try:
        import pyarrow
    except ModuleNotFoundError:
        raise InputError(
            f"{path} is {what}, and reading it needs the package pyarrow; install it with: "
            f"{install_line('data')}"
        ) from None
    if int(pyarrow.__version__.partition(".")[0]) < OLDEST_PYARROW:
        raise InputError(
            f"{path} is {what}, and reading it safely needs pyarrow {OLDEST_PYARROW} or newer, found "
            f"{pyarrow.__version__}; upgrade it with: pip install --upgrade pyarrow"
        )
    return pyarrow


def read_json(path: Path) -> pd.DataFrame:
    """A table in JSON: records, one record a line, columns by name, a list of rows, or one column's list.

    Row labels, as pandas writes them, are the index. Those that count 0, 1, 2, ... are none.

    Raises
    ------
    InputError
        If it is of another form.
    """
    import pandas as pd

    text = path.read_text(encoding="utf-8-sig")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        try:
            content = [json.loads(line) for line in text.split("\n") if line.strip()]
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path} is no sound JSON file ({error}); save the table as CSV") from error
    labels: list[Any] | None = None
    if isinstance(content, dict) and all(isinstance(content.get(name), list) for name in ("columns", "data")):
        labels, content = _plain(content.get("index")), _records(path, content["columns"], content["data"])
    elif isinstance(content, dict) and content and all(isinstance(c, dict) for c in content.values()):
        labels, content = _by_label(path, content)
    if isinstance(content, list) and content and not any(isinstance(cell, list | dict) for cell in content):
        content = [[cell] for cell in content]  # one column
    records = isinstance(content, list) and content and all(isinstance(row, dict) for row in content)
    rows = isinstance(content, list) and content and all(isinstance(row, list) for row in content)
    columns = isinstance(content, dict) and content and all(isinstance(c, list) for c in content.values())
    if not (records or rows or columns):
        raise InputError(
            f"{path} is JSON that is no table; accepted: records, columns by name, or rows; else "
            "save it as CSV"
        )
    if records and (odd := next((i for i, row in enumerate(content) if set(row) != set(content[0])), None)):
        raise InputError(f"{path}: record {odd} has other names than the first; save the table as CSV")
    lengths = {len(part) for part in (content.values() if columns else content)}
    if len(lengths) > 1:
        raise InputError(f"{path}: {UNEVEN}")
    frame = _unrounded(pd.DataFrame(content), content)
    if labels is not None:
        if len(labels) != len(frame):
            raise InputError(f"{path} has {len(frame):,} rows and {len(labels):,} row labels; save it as CSV")
        if labels != list(range(len(frame))):
            frame.index = pd.Index(labels)
    for name in frame.columns:
        cell = frame[name].iloc[0]
        if isinstance(cell, (list, dict)):
            raise InputError(
                f"{path}: column {name!r} holds lists or records; give each number its own column"
            )
    return frame


def _unrounded(frame: pd.DataFrame, content: Any) -> pd.DataFrame:
    """The table that pandas made of the content; columns in which it rounded whole numbers as they were."""
    import pandas as pd

    decimals = [place for place, kind in enumerate(frame.dtypes) if kind == np.float64]
    large = [place for place in decimals if (frame.iloc[:, place].abs() >= 2**53).any()]
    if large:
        cells = pd.DataFrame(content, dtype=object)
        for place in large:
            if any(isinstance(cell, int) and int(float(cell)) != cell for cell in cells.iloc[:, place]):
                frame.isetitem(place, cells.iloc[:, place])
    return frame


def _plain(labels: Any) -> list[Any] | None:
    """Row labels that stand in a list of their own, those of several parts as text."""
    if not isinstance(labels, list):
        return None
    return [json.dumps(label) if isinstance(label, (list, dict)) else label for label in labels]


def _records(path: Path, columns: list[Any], rows: list[Any]) -> list[Any]:
    """Rows as records, of a table whose names stand apart."""
    if len(set(columns)) < len(columns):
        raise InputError(f"{path}: two columns have one name; save the table as CSV")
    if any(len(row) != len(columns) for row in rows):
        raise InputError(f"{path}: {UNEVEN}")
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _by_label(path: Path, content: dict[str, dict[str, Any]]) -> tuple[list[Any], dict[str, list[Any]]]:
    """Row labels, and columns by name, of columns that hold each cell under its row's label.

    The same form with rows and columns exchanged is refused where there are more of the outer names, unless
    the inner ones are numbers, which name rows, and the outer ones are words.
    """
    first = next(iter(content.values()))
    odd = [name for name, column in content.items() if column.keys() != first.keys()]
    if odd:
        raise InputError(f"{path}: column {odd[0]!r} has other row labels than the first; save it as CSV")
    inner = list(first)
    labels = _numbers(inner)
    if len(content) > len(inner) and (labels is None or _numbers(list(content)) is not None):
        raise InputError(
            f"{path}: {len(content):,} names hold {len(inner):,} values each, as if each row stood under its "
            "label; save the table as CSV, or with pandas' orient 'split'"
        )
    columns = {name: [column[label] for label in inner] for name, column in content.items()}
    return labels or inner, columns


def _numbers(names: list[str]) -> list[int] | None:
    """The whole numbers that JSON, whose names are texts, has made texts of; None if not all are."""
    try:
        numbers = [int(name) for name in names]
    except ValueError:
        return None
    return numbers if list(map(str, numbers)) == names else None
