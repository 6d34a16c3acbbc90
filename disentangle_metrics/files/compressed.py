"""Files compressed as a whole: unpacked into a temporary file, up to a stated size."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from disentangle_metrics.encoders.sniffing import FileKind, file_kind
from disentangle_metrics.errors import InputError
from disentangle_metrics.kit.limits import refuse_growth

BLOCK = 2**22


def _only_member(path: Path) -> Any:
    archive = zipfile.ZipFile(path)
    return archive.open(archive.namelist()[0])


OPENERS: dict[FileKind, Callable[[Path], Any]] = {
    FileKind.GZIP: gzip.open,
    FileKind.BZIP2: bz2.open,
    FileKind.XZ: lzma.open,
    FileKind.ONE_IN_ZIP: _only_member,
}


@contextlib.contextmanager
def unpacked(path: Path, kind: FileKind) -> Iterator[Path]:
    """The path of an unpacked copy, which is removed afterwards.

    Raises
    ------
    InputError
        If the file is damaged, compressed twice, or far larger once unpacked.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / (path.stem or "unpacked")
        size = 0
        try:
            with OPENERS[kind](path) as packed, copy.open("wb") as file:
                while block := packed.read(BLOCK):
                    size += len(block)
                    refuse_growth(path, size, "it unpacks to more than")
                    file.write(block)
        except (OSError, EOFError, lzma.LZMAError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} is {kind.value} that is truncated or damaged ({error})") from error
        if file_kind(copy) in OPENERS:
            raise InputError(f"{path} is compressed twice; unpack it yourself")
        yield copy
