"""Files that hold a table with named columns beside text: Parquet, Feather and Arrow, JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from disentangle_metrics.errors import InputError
from disentangle_metrics.kit.installing import install_line
from disentangle_metrics.kit.limits import refuse_growth

if TYPE_CHECKING:
    import pandas as pd

OLDEST_PYARROW = 15  # older ones could run code from a file's description of its types


def read_parquet(path: Path) -> pd.DataFrame:
    """A Parquet file; needs pyarrow."""
    _import_pyarrow(path, "a Parquet file")
    import pandas as pd
    from pyarrow import parquet

    described = parquet.read_metadata(path)
    refuse_growth(path, 8 * described.num_rows * described.num_columns, "its table takes")

    return pd.read_parquet(path, engine="pyarrow")


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
    """A table in JSON: records, one record a line, columns by name, or a list of rows.

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
            content = [json.loads(line) for line in text.splitlines() if line.strip()]
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path} is no sound JSON file ({error}); save the table as CSV") from error
    if isinstance(content, dict) and {"columns", "data"} <= set(content):
        content = [dict(zip(content["columns"], row, strict=False)) for row in content["data"]]
    if isinstance(content, dict) and all(isinstance(column, dict) for column in content.values()):
        content = {name: list(column.values()) for name, column in content.items()}
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
        raise InputError(f"{path}: rows or columns have different lengths; save the table as CSV")
    frame = pd.DataFrame(content)
    for name in frame.columns:
        cell = frame[name].iloc[0]
        if isinstance(cell, (list, dict)):
            raise InputError(
                f"{path}: column {name!r} holds lists or records; give each number its own column"
            )
    return frame
