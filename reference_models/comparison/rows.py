"""The rows of a comparison: an append-only file of JSON lines, one for each run that ended."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from disentangle_metrics import InputError

Row = dict[str, Any]
Kinds = dict[str, type | tuple[type, ...]]
NUMBER = (int, float)
FINISHED: Kinds = {
    "purpose": str,
    "dataset": str,
    "model": str,
    "variant": str,
    "beta": NUMBER,
    "seed": int,
    "learning_rate": NUMBER,
    "iterations": int,
    "batch_size": int,
    "arguments": dict,
    "reconstruction": NUMBER,
    "kl": list,
    "active_latents": int,
    "published": dict,
    "seconds": NUMBER,
    "measuring_seconds": NUMBER,
}


def read_rows(path: Path) -> list[Row]:
    """The last row of every run, in the order of the file; none if there is no file.

    A last line without its end, as a killed process leaves it, is not a row. Raises InputError if
    another line cannot be read, or is not such a row.
    """
    try:
        content = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise InputError(f"{str(path)[:80]!r} cannot be read: {error.strerror or error}") from error
    rows: dict[str, Row] = {}
    for number, line in enumerate(content.split(b"\n")[:-1], 1):
        try:
            row = json.loads(line.decode("utf-8"))
            if not isinstance(row["key"], str):
                raise TypeError("its key is no text")
            rows.pop(row["key"], None)
            rows[row["key"]] = row
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(
                f"line {number} of {path} is no row of a comparison ({error}); delete or mend it"
            ) from None
    return list(rows.values())


def read_files(paths: Iterable[Path]) -> list[Row]:
    """The rows of several files; of a run that is in more than one, the last that did not fail.

    Raises InputError if a file cannot be read, or has a row of a finished run that lacks something.
    """
    rows: dict[str, Row] = {}
    for path in paths:
        for row in read_rows(path):
            check_finished(path, row)
            if "error" in row and "error" not in rows.get(row["key"], row):
                continue  # a try that failed elsewhere takes no result away
            rows.pop(row["key"], None)
            rows[row["key"]] = row
    return list(rows.values())


def check_finished(path: Path, row: Row) -> None:
    """Raise InputError unless the row of a finished run has what every such row has, each of its kind."""
    for name, kind in FINISHED.items() if "error" not in row else ():
        if not isinstance(row.get(name), kind) or isinstance(row[name], bool):
            shown = repr(row.get(name))[:80]
            raise InputError(f"the row {row['key']!r} of {path} is no row of a comparison: {name} is {shown}")


def append_row(path: Path, row: Mapping[str, Any]) -> None:
    """Add one row, and return when it is on the disk."""
    with path.open("a+b") as file:
        end = file.seek(0, os.SEEK_END)
        if end and (file.seek(end - 1), file.read(1))[1] != b"\n":  # cut off by a kill
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
        file.write((json.dumps(row) + "\n").encode())
        file.flush()
        os.fsync(file.fileno())
