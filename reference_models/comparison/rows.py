"""The rows of a comparison: an append-only file of JSON lines, one for each run that ended."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from disentangle_metrics import InputError

Row = dict[str, Any]


def read_rows(path: Path) -> list[Row]:
    """The last row of every run, in the order of the file; none if there is no file.

    A last line without its end, as a killed process leaves it, is not a row. Raises InputError if
    another line cannot be read.
    """
    if not path.exists():
        return []
    rows: dict[str, Row] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(keepends=True), 1):
        if not line.endswith("\n"):
            break
        try:
            row = json.loads(line)
            rows.pop(row["key"], None)
            rows[row["key"]] = row
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise InputError(
                f"line {number} of {path} is no row of a comparison ({error}); delete or mend it"
            ) from None
    return list(rows.values())


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
