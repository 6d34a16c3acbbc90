"""A result file that is known to be writable before the work starts, and appears whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from types import TracebackType

from disentangle_metrics.errors import InputError
from disentangle_metrics.kit import write_whole


class OutputFile:
    """The file at `path`, or stdout for ``-``; use it in a ``with`` statement around the work.

    Raises
    ------
    InputError
        On entering, if the file could not be written.
    """

    def __init__(self, path: str) -> None:
        self.to_stdout = path == "-"
        self.path = Path(path).expanduser()

    def __enter__(self) -> OutputFile:
        if self.to_stdout:
            return self
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
            write_whole(self.path, content)
        elif isinstance(content, str):
            sys.stdout.write(content)
        else:
            sys.stdout.buffer.write(content)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is left to do: a file was written whole, or not at all."""
