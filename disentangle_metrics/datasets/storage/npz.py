"""Arrays of a published npz file, read without trusting what it says of itself."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import DatasetError


@contextmanager
def opened(path: Path, dataset: str) -> Iterator[zipfile.ZipFile]:
    """The archive at `path`; whatever is wrong with it in the block is a DatasetError."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (
        zipfile.BadZipFile, zlib.error, KeyError, EOFError, ValueError, OSError, NotImplementedError
    ) as error:  # fmt: skip
        raise DatasetError(f"{dataset}: {path} is damaged or of another kind ({error})") from error


def expect(
    member: IO[bytes], path: Path, dataset: str, name: str, shape: tuple[int, ...], kinds: str
) -> np.dtype[Any]:
    """Read the member's npy header, and refuse another shape or kind of number; returns its dtype."""
    version = np.lib.format.read_magic(member)
    header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in header:
        raise ValueError(f"npy format {version} of {name!r}")
    found, by_columns, dtype = header[version](member)
    if found != shape or by_columns or dtype.kind not in kinds:
        raise DatasetError(
            f"{dataset}: {path} has {name!r} of the shape {found} and dtype {dtype}; expected {shape} "
            "integers"
        )
    return dtype


def values(member: IO[bytes], dtype: np.dtype[Any], count: int) -> NDArray[Any]:
    """The next `count` numbers of the member."""
    content = member.read(count * dtype.itemsize)
    if len(content) < count * dtype.itemsize:
        raise EOFError("it ends too early")
    return np.frombuffer(content, dtype)


def check_end(member: IO[bytes]) -> None:
    """Refuse more bytes; at the end the archive's own checksum is compared, too."""
    if member.read(1):
        raise EOFError("it does not end where it should")


def data_offset(path: Path, entry: zipfile.ZipInfo) -> int:
    """Where the bytes of a stored entry begin in the archive's file."""
    with path.open("rb") as file:
        file.seek(entry.header_offset)
        header = file.read(30)
    if len(header) < 30:
        raise EOFError("it ends too early")
    return entry.header_offset + 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(
        header[28:30], "little"
    )  # fmt: skip
