"""`dsprites`: the reader of the published files, 737,280 binary images of 64x64.

The archive's entry `metadata` is a Python 2 pickle, and unpickling runs what it says. It is never
opened: the factors' names and sizes are constants here. The images would take 3 GB as bytes. They
are read through once, into a file of packed bits beside the archive. The HDF5 file that is published
too holds the same, and is read instead where it is the one that is there. It needs h5py, the extra `data`.

Source: L. Matthey, I. Higgins, D. Hassabis, A. Lerchner, "dSprites: Disentanglement testing
Sprites dataset", 2017. Apache licence 2.0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.datasets.description import Description, described
from disentangle_metrics.datasets.factor_dataset import FactorDataset
from disentangle_metrics.datasets.factors.grid import FactorGrid
from disentangle_metrics.datasets.sprites import GRID, SIDE
from disentangle_metrics.datasets.storage import npz
from disentangle_metrics.datasets.storage.cached_rows import CachedRows, MakeRows, RowsKind
from disentangle_metrics.datasets.storage.hdf5 import require_h5py
from disentangle_metrics.datasets.storage.packed import PackedImages
from disentangle_metrics.datasets.storage.published import PublishedFile, beside, data_folder, locate
from disentangle_metrics.errors import DatasetError

NPZ, HDF5 = (
    PublishedFile(
        dataset="dsprites",
        name=name,
        url=f"https://github.com/google-deepmind/dsprites-dataset/raw/master/{name}",
        algorithm=algorithm,
        digest=digest,
        home="the repository google-deepmind/dsprites-dataset on GitHub",
        twin="sprites",
        size=size,
    )
    for name, size, algorithm, digest in (
        (
            "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz",
            26_000_000,
            "md5",
            "7da33b31b13a06f4b04a70402ce90c2e",
        ),
        (
            "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.hdf5",
            28_024_106,
            "sha256",
            "729fa22e884c9c500e1f17415d580746b4c5894fbbb780a1319bbcfa39a745bb",
        ),
    )
)
HDF5_SUFFIX = ".hdf5"
AT_ONCE = 1024  # images read from the file in one go


@described(
    Description(
        summary="one white shape on black, of three kinds",
        factors=tuple(zip(GRID.names, GRID.sizes, strict=True)),
        count=len(GRID),
        image_shape=(SIDE, SIDE, 1),
        licence="Apache-2.0",
        files=(NPZ,),
        instead=(HDF5,),
    )
)
def load(root: str | PathLike[str] | None = None) -> FactorDataset:
    """Open `dsprites`; the constant factor colour is dropped.

    Parameters
    ----------
    root : path, optional
        The published npz or hdf5, or the folder it is in; the npz is fetched there if there is
        neither. By default the package's folder in the platform's cache. The packed images (360 MiB)
        are kept in the same folder, or in the cache where it cannot be written to.

    Raises
    ------
    DatasetError
        If the file is not the published one, or is not there and cannot be fetched, or if h5py is
        not installed and the file is the hdf5.
    """
    folder = data_folder(root)
    given = folder.suffix == HDF5_SUFFIX or (folder.is_file() and folder.suffix == ".h5")
    if given or ((folder / HDF5.name).exists() and not (folder / NPZ.name).exists()):
        return read_h5(locate(HDF5, root), HDF5.digest)
    return read_npz(locate(NPZ, root), NPZ.digest)


def read_npz(path: Path, digest: str, grid: FactorGrid = GRID, side: int = SIDE) -> FactorDataset:
    """A data set from an archive laid out like dSprites, with the factors of `grid` after the colour."""
    make = partial(packed_blocks, path, grid, side)
    return packed_dataset(path, beside(path, "dsprites-1.bits"), digest, make, grid, side)


def read_h5(path: Path, digest: str, grid: FactorGrid = GRID, side: int = SIDE) -> FactorDataset:
    """A data set from an HDF5 file laid out like that of dSprites."""
    require_h5py("dsprites", "the data set 'sprites' needs no file and no h5py")
    make = partial(packed_h5_blocks, path, grid, side)
    return packed_dataset(path, beside(path, "dsprites-h5-1.bits"), digest, make, grid, side)


def packed_dataset(
    path: Path, packed: Path, digest: str, make: MakeRows, grid: FactorGrid, side: int
) -> FactorDataset:
    """The data set whose packed rows `make` reads from `path` when the first images are asked for."""
    kind = RowsKind(f"dsprites 1 from {digest}", len(grid), -(-side * side // 8))
    rows = CachedRows(packed, kind, make, f"unpacking {path.name}")
    return FactorDataset("dsprites", grid, (side, side, 1), PackedImages(rows, side, side))


def packed_blocks(path: Path, grid: FactorGrid, side: int) -> Iterator[NDArray[np.uint8]]:
    """The archive's images in order, eight pixels to a byte, after a check of what it holds."""
    with npz.opened(path, "dsprites") as archive:
        with archive.open("latents_classes.npy") as member:
            shape = (len(grid), 1 + len(grid.sizes))
            dtype = npz.expect(member, path, "dsprites", "latents_classes", shape, "iu")
            check_classes(npz.values(member, dtype, math.prod(shape)).reshape(shape), path, grid)
        with archive.open("imgs.npy") as member:
            dtype = npz.expect(member, path, "dsprites", "imgs", (len(grid), side, side), "u")
            for first in range(0, len(grid), AT_ONCE):
                count = min(AT_ONCE, len(grid) - first)
                yield packed_bits(npz.values(member, dtype, count * side * side).reshape(count, -1), path)
            npz.check_end(member)


def packed_h5_blocks(path: Path, grid: FactorGrid, side: int) -> Iterator[NDArray[np.uint8]]:
    """The HDF5 file's images in order, eight pixels to a byte, after a check of what it holds."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            images, classes = file["imgs"], file["latents/classes"]
            expected = (len(grid), side, side), (len(grid), 1 + len(grid.sizes))
            found = images.shape, classes.shape
            if found != expected or images.dtype.kind != "u" or classes.dtype.kind not in "iu":
                raise DatasetError(
                    f"dsprites: {path} has 'imgs' of the shape {images.shape} and dtype {images.dtype} and "
                    f"'latents/classes' of the shape {classes.shape} and dtype {classes.dtype}; expected the "
                    f"shapes {expected[0]} and {expected[1]}, integers"
                )
            check_classes(classes[:], path, grid)
            for first in range(0, len(grid), AT_ONCE):
                block = images[first : first + AT_ONCE]
                yield packed_bits(block.reshape(len(block), -1), path)
    except (OSError, KeyError, AttributeError) as error:  # a group, where an array should be, has no shape
        raise DatasetError(f"dsprites: {path} is damaged or of another kind ({error})") from error


def check_classes(classes: NDArray[Any], path: Path, grid: FactorGrid) -> None:
    """Refuse a file whose images are not in the order of the grid, after one constant factor."""
    wrong = classes[:, 0] != 0
    wrong |= (classes[:, 1:] != grid.factors(np.arange(len(grid)))).any(axis=1)
    if wrong.any():
        first = int(np.argmax(wrong))
        raise DatasetError(
            f"dsprites: {path} has the classes {classes[first].tolist()} for image {first}, not "
            f"{[0, *grid.factors([first])[0].tolist()]}: its images are in another order"
        )


def packed_bits(pixels: NDArray[Any], path: Path) -> NDArray[np.uint8]:
    """Rows of 0 and 1 (n, pixels), eight to a byte."""
    if pixels.max() > 1:
        raise DatasetError(f"dsprites: {path} holds the pixel value {pixels.max()}, not 0 or 1")
    return np.packbits(pixels, axis=1)
