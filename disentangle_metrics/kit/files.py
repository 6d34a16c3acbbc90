"""Files that are there whole or not at all, whoever is killed or writes the same at the same time."""

from __future__ import annotations

import filecmp
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = ".part"
LOCKED_AFTER = 2.0  # seconds within which a writer holds the lock of its unfinished file
ABANDONED = 3600.0  # seconds after which an unfinished file is nobody's, where there are no locks


def expanded(path: str | os.PathLike[str]) -> Path:
    """The path with ~ as the user's folder; as it is where nobody knows that folder."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def same_file(first: Path, second: Path) -> bool:
    """Whether two paths lead to one file, which need not be there yet."""
    try:
        return first.samefile(second)
    except OSError:
        pass
    try:
        return first.resolve() == second.resolve()
    except (OSError, RuntimeError):
        return False


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """The path of a new, empty file beside `path`, which takes its place when the block ends well.

    A reader, and a process that is killed in between, finds the old file or the new one.

    Raises
    ------
    OSError
        If the folder cannot be made or written to, or another content stays, which cannot be replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(path)
    handle, name = tempfile.mkstemp(prefix=_prefix(path), suffix=UNFINISHED, dir=path.parent)
    unfinished = Path(name)
    lock = _locked(handle)
    try:
        yield unfinished
        with unfinished.open("rb+") as file:
            os.fsync(file.fileno())
        unfinished.chmod(0o644)  # mkstemp lets only its owner read
        try:
            os.replace(unfinished, path)
        except PermissionError:
            # Windows, while another process reads the file that it was quicker to put there. In a sticky
            # folder the old file is another user's.
            if not (path.is_file() and filecmp.cmp(unfinished, path, shallow=False)):
                raise
    finally:
        unfinished.unlink(missing_ok=True)
        if lock is not None:
            os.close(lock)


def write_whole(path: Path, content: bytes | str) -> None:
    """Replace `path` by `content`, text as UTF-8; the old file stays until the new one is on the disk.

    A link keeps pointing at its file, which is what gets replaced. A device or a pipe is written to.
    """
    content = content.encode() if isinstance(content, str) else content
    if path.exists() and not path.is_file():  # as given: what /dev/stdout leads to may have no path
        path.write_bytes(content)
        return
    path = path.resolve()
    with whole_file(path) as unfinished:
        unfinished.write_bytes(content)


def also_written(text: str, path: str | Path | None) -> str:
    """The text, written to `path` too if one is given, where ~ is the user's folder."""
    if path is not None:
        write_whole(expanded(path), text)
    return text


def remove_unfinished(folder: Path) -> None:
    """Delete what killed processes left unfinished in `folder`, which nobody else may be writing to."""
    for file in folder.glob(f".*{UNFINISHED}"):
        file.unlink(missing_ok=True)


def _prefix(path: Path) -> str:
    """How the names of unfinished files begin: as the file's, as far as a file system takes them."""
    name = os.fsencode(path.name)
    if len(name) > 180:
        return f".{hashlib.sha256(name).hexdigest()[:32]}."
    return f".{path.name}."


def _remove_abandoned(path: Path) -> None:
    """Delete what killed processes left unfinished beside `path`."""
    for name in os.listdir(path.parent):
        if not (name.startswith(_prefix(path)) and name.endswith(UNFINISHED)):
            continue
        file = path.parent / name
        try:
            age = time.time() - file.stat().st_mtime
            if age > ABANDONED or (age > LOCKED_AFTER and _is_unlocked(file)):
                file.unlink()
        except OSError:
            continue  # another process was faster


def _locked(handle: int) -> int | None:
    """The handle with a lock, which the system lets go when its process ends, however it ends.

    Where there are no locks the handle is closed: Windows does not replace a file that is open.
    """
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        os.close(handle)
        return None
    return handle


def _is_unlocked(file: Path) -> bool:
    """Whether no living process writes the file; False where that cannot be told."""
    try:
        import fcntl
    except ImportError:
        return False
    with file.open("rb") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
