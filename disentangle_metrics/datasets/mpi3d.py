"""`mpi3d_toy`, `mpi3d_realistic`, `mpi3d_real`, `mpi3d_complex`: a robot arm that holds an object.

The images of each take 12.7 GB (`mpi3d_complex`: 5.7 GB). If the archive is not compressed, they are mapped
into memory where they lie. If it is, they are unpacked once, into a file of that size beside it. The
published checksums are those of the files as first published, in 2019; that place is gone.

Source: M. W. Gondal et al., "On the transfer of inductive bias from simulation to the real world: a
new disentanglement dataset", NeurIPS 2019. Licence CC BY 4.0.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from functools import partial
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.datasets.description import Description, described
from disentangle_metrics.datasets.factor_dataset import FactorDataset
from disentangle_metrics.datasets.factors.grid import FactorGrid
from disentangle_metrics.datasets.storage import npz
from disentangle_metrics.datasets.storage.cached_rows import CachedRows, RowsKind
from disentangle_metrics.datasets.storage.pixels import LargeCachedImages, MappedImages
from disentangle_metrics.datasets.storage.published import PublishedFile, beside, locate
from disentangle_metrics.errors import DatasetError

SIDE = 64  # pixels
NAMES = (
    "object_color",
    "object_shape",
    "object_size",
    "camera_height",
    "background_color",
    "horizontal_axis",
    "vertical_axis",
)
TYPES = ("categorical", "categorical", "ordinal", "ordinal", "categorical", "ordinal", "ordinal")
GRID = FactorGrid(NAMES, (6, 6, 2, 3, 3, 40, 40), TYPES)
COMPLEX_GRID = FactorGrid(NAMES, (4, 4, 2, 3, 3, 40, 40), TYPES)
AT_ONCE = 1024  # images unpacked in one go
ADDRESS = "https://huggingface.co/datasets/waleedgondal/mpi3d/resolve/main/"
REPOSITORY = "the repository rr-learning/disentanglement_dataset on GitHub links to"


def published(dataset: str, digest: str) -> PublishedFile:
    """A file of the three that have one form."""
    return PublishedFile(
        dataset=dataset,
        name=f"{dataset}.npz",
        url=f"{ADDRESS}{dataset}.npz",
        algorithm="md5",
        digest=digest,
        home=f"the data set waleedgondal/mpi3d on Hugging Face, which {REPOSITORY}",
        twin="rooms",
    )


TOY = published("mpi3d_toy", "55889cb7c7dfc655d6e0277beee88868")
REALISTIC = published("mpi3d_realistic", "59a6225b88b635365f70c91b3e52f70f")
REAL = published("mpi3d_real", "0f33f609918fb5c97996692f91129802")
COMPLEX = PublishedFile(
    dataset="mpi3d_complex",
    name="mpi3d_real_complex.npz",
    url="",
    algorithm="",
    digest="",
    home=f"the folder on Google Drive that {REPOSITORY}",
    twin="rooms",
)


def description(summary: str, file: PublishedFile, grid: FactorGrid = GRID) -> Description:
    """What lists say of one of the four."""
    return Description(
        summary=summary,
        factors=tuple(zip(grid.names, grid.sizes, strict=True)),
        count=len(grid),
        image_shape=(SIDE, SIDE, 3),
        licence="CC BY 4.0",
        files=(file,),
    )


@described(description("a robot arm holds an object: simply rendered", TOY))
def load_toy(root: str | PathLike[str] | None = None) -> FactorDataset:
    """Open `mpi3d_toy`.

    Parameters
    ----------
    root : path, optional
        The published npz, or the folder it is in or shall be fetched to. By default the package's
        folder in the platform's cache. A compressed file is unpacked beside it once, to 12.7 GB.

    Raises
    ------
    DatasetError
        If the file is not the published one, or is not there and cannot be fetched.
    """
    return read_npz(locate(TOY, root), TOY.dataset)


@described(description("a robot arm holds an object: realistically rendered", REALISTIC))
def load_realistic(root: str | PathLike[str] | None = None) -> FactorDataset:
    """Open `mpi3d_realistic`; see :func:`load_toy`."""
    return read_npz(locate(REALISTIC, root), REALISTIC.dataset)


@described(description("a robot arm holds an object: photographed", REAL))
def load_real(root: str | PathLike[str] | None = None) -> FactorDataset:
    """Open `mpi3d_real`; see :func:`load_toy`."""
    return read_npz(locate(REAL, root), REAL.dataset)


@described(description("a robot arm holds everyday things: photographed", COMPLEX, COMPLEX_GRID))
def load_complex(root: str | PathLike[str] | None = None) -> FactorDataset:
    """Open `mpi3d_complex`; no checksum of it is published, so its shape alone is checked."""
    return read_npz(locate(COMPLEX, root), COMPLEX.dataset, COMPLEX_GRID)


def read_npz(path: Path, dataset: str, grid: FactorGrid = GRID, side: int = SIDE) -> FactorDataset:
    """A data set from an archive laid out like MPI3D's, with one image for each point of `grid`."""
    shape = (len(grid), side, side, 3)
    with npz.opened(path, dataset) as archive:
        entry = archive.getinfo("images.npy")
        with archive.open(entry) as member:
            if npz.expect(member, path, dataset, "images", shape, "u").itemsize != 1:
                raise DatasetError(f"{dataset}: {path} has 'images' of more than a byte; expected uint8")
            header = member.tell()
        if entry.file_size != header + math.prod(shape):
            raise EOFError("it does not end where it should")
        if entry.compress_type == zipfile.ZIP_STORED:
            offset = npz.data_offset(path, entry) + header
            if offset + math.prod(shape) > path.stat().st_size:
                raise EOFError("it ends too early")
            return FactorDataset(dataset, grid, shape[1:], MappedImages(path, offset, shape))
    kind = RowsKind(f"mpi3d 1 from {entry.CRC:08x}", len(grid), math.prod(shape[1:]))
    make = partial(pixel_rows, path, dataset, shape)
    rows = CachedRows(beside(path, f"{dataset}-1.pixels"), kind, make, f"unpacking {path.name}")
    return FactorDataset(dataset, grid, shape[1:], LargeCachedImages(rows, shape[1:]))


def pixel_rows(path: Path, dataset: str, shape: tuple[int, int, int, int]) -> Iterator[NDArray[np.uint8]]:
    """The archive's images in order, one a row."""
    pixels = math.prod(shape[1:])
    with npz.opened(path, dataset) as archive, archive.open("images.npy") as member:
        dtype = npz.expect(member, path, dataset, "images", shape, "u")
        for first in range(0, shape[0], AT_ONCE):
            count = min(AT_ONCE, shape[0] - first)
            yield npz.values(member, dtype, count * pixels).reshape(count, pixels)
        npz.check_end(member)
