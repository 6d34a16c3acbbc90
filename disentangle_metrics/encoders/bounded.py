"""A file whose reader cannot be made to ask for more bytes than there are."""

from __future__ import annotations

from typing import IO, BinaryIO, cast


def bounded(file: BinaryIO, size: int) -> IO[bytes]:
    """`file`, which has `size` bytes, for a reader of pickles; ValueError where it asks for more.

    A length that stands in a file may be any number, and memory is taken before anything is read.
    """
    return cast(IO[bytes], _Bounded(file, size))


class _Bounded:
    """The three methods that ``pickletools`` uses."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file, self.size = file, size
        self.readline, self.tell = file.readline, file.tell

    def read(self, count: int) -> bytes:
        if count > self.size - self.file.tell():
            raise ValueError(f"{count:,} bytes are asked for, and the file ends before")
        return self.file.read(count)
