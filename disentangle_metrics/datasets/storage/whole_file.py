"""Files that are there whole or not at all, whoever is killed or writes the same at the same time."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ABANDONED = 3600.0  # seconds after which an unfinished file is nobody's


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """The path of a new, empty file beside `path`, which takes its place when the block ends well.

    Raises
    ------
    OSError
        If the folder cannot be made or written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(path)
    handle, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    unfinished = Path(name)
    try:
        yield unfinished
        with unfinished.open("rb+") as file:
            os.fsync(file.fileno())
        unfinished.chmod(0o644)
        try:
            os.replace(unfinished, path)
        except PermissionError:  # Windows, while another process reads the file it was quicker to put there
            if not path.exists():
                raise
    finally:
        unfinished.unlink(missing_ok=True)


def remove_abandoned(path: Path) -> None:
    """Delete what killed processes left unfinished beside `path`."""
    for file in path.parent.glob(f"{path.name}.*.part"):
        try:
            if time.time() - file.stat().st_mtime > ABANDONED:
                file.unlink()
        except OSError:
            continue  # another process was faster
