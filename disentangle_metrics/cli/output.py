"""A result file that is known to be writable before the work starts, and appears whole or not at all."""

from __future__ import annotations

import itertools
import os
import stat
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType

from disentangle_metrics.errors import DisentangleMetricsError, InputError
from disentangle_metrics.kit import same_file, write_whole
from disentangle_metrics.kit.commands import UsageError
from disentangle_metrics.kit.files import expanded

STDOUT = "-"


class OutputError(DisentangleMetricsError):
    """A result could not be written, though it seemed so before the work."""

    exit_code = 1


class OutputFile:
    """The file at `path`, or stdout for ``-``; use it in a ``with`` statement around the work.

    Raises
    ------
    InputError
        On entering, if the file could not be written.
    """

    def __init__(self, path: str) -> None:
        self.to_stdout = path == STDOUT
        self.path = expanded(path)

    def __enter__(self) -> OutputFile:
        if self.to_stdout:
            return self
        try:
            self.path.exists()
        except OSError as error:
            raise InputError(f"cannot write {str(self.path)[:80]!r}: {error.strerror}") from error
        if self.path.is_dir():
            raise InputError(f"cannot write {self.path}: it is a folder")
        if not self.path.parent.is_dir():
            raise InputError(f"cannot write {self.path}: there is no folder {self.path.parent}")
        if self.path.exists() and not os.access(self.path, os.W_OK):
            raise InputError(f"cannot write {self.path}: it exists and is read-only")
        if self.path.exists() and _is_kept(self.path.resolve()):
            raise InputError(
                f"cannot write {self.path}: it is another user's file, and in its folder only the owner may "
                "replace it"
            )
        if self.path.exists() and not self.path.is_file():
            return self  # a device or a pipe is written to, not replaced
        try:
            with tempfile.TemporaryFile(dir=self.path.parent):
                pass
        except OSError as error:
            raise InputError(f"cannot write {self.path}: {error.strerror or error}") from error
        return self

    def write(self, content: str | bytes) -> None:
        """Put `content` in place of what was there."""
        if not self.to_stdout:
            try:
                write_whole(self.path, content)
            except OSError as error:
                raise OutputError(f"cannot write {self.path}: {error.strerror or error}") from error
        else:
            write_stdout(content)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is left to do: a file was written whole, or not at all."""


def check_places(outputs: Mapping[str, str], inputs: Mapping[str, Iterable[Path]]) -> None:
    """Refuse outputs that would take the place of one another, or of a file that the command reads.

    Parameters
    ----------
    outputs
        Where to write, by the name of the option.
    inputs
        Files, and folders of files, that are read, by what gave them on the command line.

    Raises
    ------
    UsageError
        If there is one.
    """
    for (kind, path), (other, its) in itertools.combinations(outputs.items(), 2):
        if path == its or (STDOUT not in (path, its) and same_file(expanded(path), expanded(its))):
            raise UsageError(f"--{kind} and --{other} must go to different places")
    for kind, path in outputs.items():
        for given, files in inputs.items():
            if path != STDOUT and any(_replaces(expanded(path), file) for file in files):
                raise UsageError(f"--{kind} {path} would replace a file of {given}; give it another name")


def write_stdout(content: str | bytes) -> None:
    """Write what is for programs to stdout: text as UTF-8, whatever the encoding of stdout is."""
    buffer = getattr(sys.stdout, "buffer", None)
    if isinstance(content, str) and buffer is None:  # a program that called the command takes text
        sys.stdout.write(content)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(content.encode() if isinstance(content, str) else content)


def _replaces(path: Path, file: Path) -> bool:
    """Whether writing to `path` replaces `file`, or what is read of it where it is a data set's folder.

    That is pictures and Parquet wherever they are in it, and tables beside them.
    """
    if same_file(path, file):
        return True
    if not (file.is_dir() and path.exists()):
        return False
    from disentangle_metrics.datasets.own.pictures import SUFFIXES
    from disentangle_metrics.datasets.own.tables import TABLES

    ending, folders = path.suffix.lower(), path.resolve().parents
    if ending in (*SUFFIXES, ".parquet"):
        return file.resolve() in folders
    return ending in TABLES and file.resolve() == folders[0]


def _is_kept(path: Path) -> bool:
    """Whether a file is another user's in a sticky folder, where only its owner may replace it."""
    folder = path.parent.stat()
    if not folder.st_mode & stat.S_ISVTX or not hasattr(os, "geteuid"):
        return False
    return os.geteuid() not in (0, path.stat().st_uid, folder.st_uid)
