"""A result file that is known to be writable before the work starts, and appears whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from types import TracebackType

from disentangle_metrics.errors import DisentangleMetricsError, InputError
from disentangle_metrics.kit import write_whole
from disentangle_metrics.kit.files import expanded


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
        self.to_stdout = path == "-"
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
        elif isinstance(content, str):
            sys.stdout.write(content)
        else:
            sys.stdout.buffer.write(content)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is left to do: a file was written whole, or not at all."""
