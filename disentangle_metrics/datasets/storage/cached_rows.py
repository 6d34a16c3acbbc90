"""Rows of bytes that are costly to make, kept in a checked and memory-mapped file.

The file begins with one line of JSON padded to a page: what is in it, and the CRC-32 of the rest.
The rows follow one after another.
"""

from __future__ import annotations

import json
import warnings
import zlib
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.kit.files import whole_file
from disentangle_metrics.kit.progress import LateProgress

HEADER_BYTES = 4096

Rows = NDArray[np.uint8]
MakeRows = Callable[[], Iterable[Rows]]


class DamagedFile(Exception):
    """The file is not what was written; the message says how."""


@dataclass(frozen=True)
class RowsKind:
    """What a file must hold: the recipe it was made by, and the number and length of its rows."""

    recipe: str
    count: int
    row_bytes: int


class CachedRows:
    """Rows that are opened, or made, when they are first asked for.

    Parameters
    ----------
    path : Path
        Where the file is, or will be.
    kind : RowsKind
        What it must hold.
    make : callable
        Yields the rows, (n, row_bytes) at a time, in order.
    label : str
        What the progress bar and warnings call this work.
    folder_option : str
        The option that chooses the folder, for warnings.
    """

    def __init__(
        self, path: Path, kind: RowsKind, make: MakeRows, label: str, folder_option: str = "root"
    ) -> None:
        self.path, self.kind, self.make, self.label = path, kind, make, label
        self.folder_option = folder_option
        self._rows: Rows | None = None

    def open(self) -> Rows:
        """All rows (count, row_bytes), in memory where no file can be written."""
        if self._rows is None:
            try:
                self._rows = self.open_file()
            except OSError as error:
                self.warn(error, "keeping it in memory")
                with LateProgress(self.label, self.kind.count) as progress:
                    self._rows = np.concatenate(list(counted(self.make(), progress)))
        return self._rows

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and bytes of each, known before the rows are there."""
        return self.kind.count, self.kind.row_bytes

    @property
    def dtype(self) -> np.dtype[np.uint8]:
        """Bytes."""
        return np.dtype(np.uint8)

    def __getitem__(self, rows: slice) -> Rows:
        return self.open()[rows]

    def open_file(self) -> Rows:
        """All rows (count, row_bytes); an OSError where no file can be written."""
        if self._rows is None:
            self._rows = open_or_make(self.path, self.kind, self.make, self.label)
        return self._rows

    def warn(self, error: OSError, instead: str) -> None:
        """Say that no file can be written, what is done `instead`, and what would help."""
        warnings.warn(
            f"{self.label}: nothing can be kept in {self.path} ({error.strerror or error}); {instead}. "
            f"Pass `{self.folder_option}` with a folder that can be written to and has "
            f"{self.kind.count * self.kind.row_bytes >> 20} MiB free",
            stacklevel=5,
        )

    def __getstate__(self) -> dict[str, Any]:
        # A memory map would travel as the hundreds of megabytes it shows; the other side opens its own.
        return {**self.__dict__, "_rows": None}


def open_or_make(path: Path, kind: RowsKind, make: MakeRows, label: str) -> Rows:
    """The rows at `path`; made first where there are none, or damaged ones.

    Raises
    ------
    OSError
        If the file has to be made and cannot be written.
    """
    if path.exists():
        try:
            return open_rows(path, kind)
        except (DamagedFile, OSError) as error:
            warnings.warn(f"{label}: {path} is damaged ({error}) and is made again", stacklevel=6)
    write_rows(path, kind, make, label)
    return open_rows(path, kind)


def open_rows(path: Path, kind: RowsKind) -> Rows:
    """Memory-map the rows at `path`, after a check of every byte.

    Raises
    ------
    DamagedFile
        If the size, the header or the checksum is not what it must be.
    """
    size, expected = path.stat().st_size, HEADER_BYTES + kind.count * kind.row_bytes
    if size != expected:
        raise DamagedFile(f"it has {size} bytes, not {expected}")
    with path.open("rb") as file:
        try:
            header = json.loads(file.read(HEADER_BYTES))
            checksum = header.pop("crc32")
        except (ValueError, AttributeError, KeyError):
            raise DamagedFile("its header cannot be read") from None
    if header != asdict(kind):
        raise DamagedFile(f"it holds {header}, not {asdict(kind)}")
    rows = np.memmap(path, np.uint8, "r", offset=HEADER_BYTES, shape=(kind.count, kind.row_bytes))
    if zlib.crc32(rows.data) != checksum:
        raise DamagedFile("its checksum does not match")
    return rows.view(np.ndarray)  # plain arrays are gathered from faster


def write_rows(path: Path, kind: RowsKind, make: MakeRows, label: str) -> None:
    """Write the blocks that `make` yields to `path`: all of them, or no file at all."""
    with (
        whole_file(path) as unfinished,
        unfinished.open("wb") as file,
        LateProgress(label, kind.count) as progress,
    ):
        file.write(bytes(HEADER_BYTES))
        checksum = written = 0
        for block in counted(make(), progress):
            file.write(block.data)
            checksum = zlib.crc32(block.data, checksum)
            written += len(block)
        if written != kind.count:
            raise ValueError(f"{label}: {written} rows were made, not {kind.count}")
        file.seek(0)
        header = json.dumps({**asdict(kind), "crc32": checksum})
        file.write(header.encode().ljust(HEADER_BYTES - 1) + b"\n")


def counted(blocks: Iterable[Rows], progress: LateProgress) -> Iterable[Rows]:
    """The same blocks, telling `progress` about each."""
    for block in blocks:
        yield block
        progress.update(len(block))
