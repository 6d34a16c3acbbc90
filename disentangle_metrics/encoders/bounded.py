"""A file whose reader cannot be made to ask for more bytes than there are."""

from __future__ import annotations

from typing import BinaryIO


class Bounded:
    """`file`, which has `size` bytes; ValueError where more are asked for: a length in it may be any number."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file, self.size = file, size
        self.readline, self.tell = file.readline, file.tell

    def read(self, count: int) -> bytes:
        """So many bytes."""
        if count > self.size - self.file.tell():
            raise ValueError(f"{count:,} bytes are asked for, and the file ends before")
        return self.file.read(count)
