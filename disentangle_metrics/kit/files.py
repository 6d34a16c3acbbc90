"""Files that are there whole or not at all, whoever is killed or writes the same at the same time."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = ".part"
ABANDONED = 3600.0  # seconds after which an unfinished file is nobody's


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """The path of a new, empty file beside `path`, which takes its place when the block ends well.

    A reader, and a process that is killed in between, finds the old file or the new one.

    Raises
    ------
    OSError
        If the folder cannot be made or written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(path)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=UNFINISHED, dir=path.parent)
    os.close(handle)
    unfinished = Path(name)
    try:
        yield unfinished
        with unfinished.open("rb+") as file:
            os.fsync(file.fileno())
        unfinished.chmod(0o644)  # mkstemp lets only its owner read
        try:
            os.replace(unfinished, path)
        except PermissionError:  # Windows, while another process reads the file it was quicker to put there
            if not path.exists():
                raise
    finally:
        unfinished.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes | str) -> None:
    """Replace `path` by `content`, text as UTF-8; the old file stays until the new one is on the disk.

    A link keeps pointing at its file, which is what gets replaced. A device or a pipe is written to.
    """
    path = path.resolve()
    content = content.encode() if isinstance(content, str) else content
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    with whole_file(path) as unfinished:
        unfinished.write_bytes(content)


def remove_unfinished(folder: Path) -> None:
    """Delete what killed processes left unfinished in `folder`, which nobody else may be writing to."""
    for file in folder.glob(f".*{UNFINISHED}"):
        file.unlink(missing_ok=True)


def _remove_abandoned(path: Path) -> None:
    """Delete what killed processes left unfinished beside `path`."""
    for file in path.parent.glob(f".{path.name}.*{UNFINISHED}"):
        try:
            if time.time() - file.stat().st_mtime > ABANDONED:
                file.unlink()
        except OSError:
            continue  # another process was faster
