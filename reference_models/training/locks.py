"""Files that one process at a time may write to, on machines that share a folder too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from disentangle_metrics import InputError


@contextmanager
def sole_writer(path: Path) -> Iterator[None]:
    """Hold the file's lock. Raises InputError if another process holds it.

    The lock ends with its process, however that ends.
    """
    lock = lock_of(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise InputError(
            f"another process is writing to {path}; wait for it, or choose another folder"
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def turn(path: Path) -> Iterator[None]:
    """Hold the lock of a file or folder; wait while another process holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with lock_of(path):
        yield


def lock_of(path: Path) -> FileLock:
    """The lock is a file beside it."""
    return FileLock(path.with_name(f"{path.name}.lock"))
