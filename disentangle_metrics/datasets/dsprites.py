"""`dsprites`: the reader of the published file, 737,280 binary images of 64x64.

The archive's entry `metadata` is a Python 2 pickle, and unpickling runs what it says. It is never
opened: the factors' names and sizes are constants here. The images would take 3 GB as bytes. They
are read through once, into a file of packed bits beside the archive.

Source: L. Matthey, I. Higgins, D. Hassabis, A. Lerchner, "dSprites: Disentanglement testing
Sprites dataset", 2017. Apache licence 2.0.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from os import PathLike
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.datasets.factor_dataset import FactorDataset
from disentangle_metrics.datasets.factors.grid import FactorGrid
from disentangle_metrics.datasets.sprites import GRID, SIDE
from disentangle_metrics.datasets.storage.cached_rows import CachedRows, RowsKind
from disentangle_metrics.datasets.storage.packed import PackedImages
from disentangle_metrics.datasets.storage.published import PublishedFile, data_folder, locate
from disentangle_metrics.errors import DatasetError

FILE = PublishedFile(
    dataset="dsprites",
    name="dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz",
    url="https://github.com/google-deepmind/dsprites-dataset/raw/master/"
    "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz",
    algorithm="md5",
    digest="7da33b31b13a06f4b04a70402ce90c2e",
    home="the repository google-deepmind/dsprites-dataset on GitHub",
    twin="sprites",
)
AT_ONCE = 1024  # images read from the archive in one go


def load(root: str | PathLike[str] | None = None) -> FactorDataset:
    """Open `dsprites`; the constant factor colour is dropped.

    Parameters
    ----------
    root : path, optional
        The published npz, or the folder it is in or shall be fetched to. By default the package's
        folder in the platform's cache. The packed images (360 MiB) are kept in the same folder, or
        in the cache where it cannot be written to.

    Raises
    ------
    DatasetError
        If the file is not the published one, or is not there and cannot be fetched.
    """
    return read_npz(locate(FILE, root), FILE.digest)


def read_npz(path: Path, digest: str, grid: FactorGrid = GRID, side: int = SIDE) -> FactorDataset:
    """A data set from an archive laid out like dSprites, with the factors of `grid` after the colour."""
    kind = RowsKind(f"dsprites 1 from {digest}", len(grid), -(-side * side // 8))
    packed = path.parent / "dsprites-1.bits"
    if not packed.exists() and not os.access(path.parent, os.W_OK):
        packed = data_folder(None) / packed.name
    rows = CachedRows(packed, kind, partial(packed_blocks, path, grid, side), f"unpacking {path.name}")
    return FactorDataset("dsprites", grid, (side, side, 1), PackedImages(rows, side, side))


def packed_blocks(path: Path, grid: FactorGrid, side: int) -> Iterator[NDArray[np.uint8]]:
    """The archive's images in order, eight pixels to a byte, after a check of what it holds."""
    try:
        with zipfile.ZipFile(path) as archive:
            check_classes(archive, path, grid)
            with archive.open("imgs.npy") as member:
                dtype = expect(member, path, "imgs", (len(grid), side, side), "u")
                for first in range(0, len(grid), AT_ONCE):
                    count = min(AT_ONCE, len(grid) - first)
                    pixels = values(member, dtype, count * side * side).reshape(count, -1)
                    if pixels.max() > 1:
                        raise DatasetError(
                            f"dsprites: {path} holds the pixel value {pixels.max()}, not 0 or 1"
                        )
                    yield np.packbits(pixels, axis=1)
                if member.read(1):  # at the end the archive's own checksum is compared, too
                    raise EOFError("it does not end where it should")
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, ValueError, OSError) as error:
        raise DatasetError(f"dsprites: {path} is damaged or of another kind ({error})") from error


def check_classes(archive: zipfile.ZipFile, path: Path, grid: FactorGrid) -> None:
    """Refuse an archive whose images are not in the order of the grid, after one constant factor."""
    with archive.open("latents_classes.npy") as member:
        dtype = expect(member, path, "latents_classes", (len(grid), 1 + len(grid.sizes)), "iu")
        classes = values(member, dtype, len(grid) * (1 + len(grid.sizes))).reshape(len(grid), -1)
    wrong = classes[:, 0] != 0
    wrong |= (classes[:, 1:] != grid.factors(np.arange(len(grid)))).any(axis=1)
    if wrong.any():
        first = int(np.argmax(wrong))
        raise DatasetError(
            f"dsprites: {path} has the classes {classes[first].tolist()} for image {first}, not "
            f"{[0, *grid.factors([first])[0].tolist()]}: its images are in another order"
        )


def expect(member: IO[bytes], path: Path, name: str, shape: tuple[int, ...], kinds: str) -> np.dtype[Any]:
    """Read the member's npy header, and refuse another shape or kind of number; returns its dtype."""
    version = np.lib.format.read_magic(member)
    header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in header:
        raise ValueError(f"npy format {version} of {name!r}")
    found, by_columns, dtype = header[version](member)
    if found != shape or by_columns or dtype.kind not in kinds:
        raise DatasetError(
            f"dsprites: {path} has {name!r} of the shape {found} and dtype {dtype}; expected {shape} integers"
        )
    return dtype


def values(member: IO[bytes], dtype: np.dtype[Any], count: int) -> NDArray[Any]:
    """The next `count` numbers of the member."""
    content = member.read(count * dtype.itemsize)
    if len(content) < count * dtype.itemsize:
        raise EOFError("it ends too early")
    return np.frombuffer(content, dtype)
