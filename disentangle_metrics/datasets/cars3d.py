"""`cars3d`: 183 cars seen from 24 sides and 4 heights, 17,568 images.

The archive has one MATLAB file for each car, beside other data. They are read through once, into a
file of pixels beside it. Cars are numbered in the order of their files' names. Published scores are of
images of 64x64, shrunk by Lanczos' filter from 128x128; so are these by default. Needs Pillow to shrink.

Source: S. Reed, Y. Zhang, Y. Zhang, H. Lee, "Deep visual analogy-making", NIPS 2015, who rendered
the models of S. Fidler, S. Dickinson, R. Urtasun, 2012. No licence is stated.
"""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Iterator
from functools import partial
from os import PathLike
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.datasets.description import Description, described
from disentangle_metrics.datasets.factor_dataset import FactorDataset, Images
from disentangle_metrics.datasets.factors.grid import FactorGrid
from disentangle_metrics.datasets.storage.cached_rows import CachedRows, RowsKind
from disentangle_metrics.datasets.storage.pictures import resized
from disentangle_metrics.datasets.storage.pixels import CachedImages
from disentangle_metrics.datasets.storage.published import PublishedFile, beside, locate
from disentangle_metrics.errors import DatasetError, InputError

SIDE, PUBLISHED_SIDE = 64, 128  # pixels, of images here and in the files
GRID = FactorGrid(("elevation", "azimuth", "object"), (4, 24, 183), ("ordinal", "ordinal", "categorical"))
FOLDER, ENDING = PurePosixPath("data/cars"), "_mesh.mat"
FILE = PublishedFile(
    dataset="cars3d",
    name="nips2015-analogy-data.tar.gz",
    url="http://www.scottreed.info/files/nips2015-analogy-data.tar.gz",
    algorithm="md5",
    digest="4e866a7919c1beedf53964e6f7a23686",
    home="the page of Scott Reed, www.scottreed.info, under 'Deep Visual Analogy-Making'",
    twin="rooms",
)


@described(
    Description(
        summary="cars seen from all sides",
        factors=tuple(zip(GRID.names, GRID.sizes, strict=True)),
        count=len(GRID),
        image_shape=(SIDE, SIDE, 3),
        files=(FILE,),
    )
)
def load(root: str | PathLike[str] | None = None, *, side: int = SIDE) -> FactorDataset:
    """Open `cars3d`.

    Parameters
    ----------
    root : path, optional
        The published archive, or the folder it is in or shall be fetched to. By default the
        package's folder in the platform's cache. The pixels (216 MB at 64x64) are kept in the same
        folder, or in the cache where it cannot be written to. To make them takes as much memory.
    side : int
        Height and width of the images, in pixels; the published ones have 128.

    Raises
    ------
    DatasetError
        If the file is not the published one, or is not there and cannot be fetched.
    InputError
        If `side` is not from 1 to 128.
    """
    if not 1 <= side <= PUBLISHED_SIDE:
        raise InputError(f"side is {side}; accepted: 1 to {PUBLISHED_SIDE} pixels")
    return read_tar(locate(FILE, root), FILE.digest, side=side)


def read_tar(
    path: Path, digest: str, grid: FactorGrid = GRID, side: int = SIDE, published_side: int = PUBLISHED_SIDE
) -> FactorDataset:
    """A data set from an archive laid out like that of Cars3D, with the factors of `grid`, objects last."""
    kind = RowsKind(f"cars3d 1 from {digest}", len(grid), side * side * 3)
    make = partial(pixel_rows, path, grid, side, published_side)
    rows = CachedRows(beside(path, f"cars3d-1-{side}.pixels"), kind, make, f"unpacking {path.name}")
    return FactorDataset("cars3d", grid, (side, side, 3), CachedImages(rows, (side, side, 3)))


def pixel_rows(path: Path, grid: FactorGrid, side: int, published_side: int) -> Iterator[Images]:
    """The pixels of all images in the order of the grid."""
    elevations, azimuths, objects = grid.sizes
    cars: dict[str, Images] = {}
    try:
        with tarfile.open(path, "r|gz") as archive:  # each byte is unpacked once
            for member in archive:
                if not member.name.endswith(ENDING):
                    continue
                if PurePosixPath(member.name).parent != FOLDER or not member.isreg():
                    raise DatasetError(
                        f"cars3d: {path} has {member.name!r}; expected plain files, in {FOLDER} alone"
                    )
                content = archive.extractfile(member)
                assert content is not None  # it is a plain file
                meshes = read_mesh(content.read(), f"{path}: {member.name}")
                expected = (published_side, published_side, 3, azimuths, elevations)
                if meshes.shape != expected or meshes.dtype != np.uint8:
                    raise DatasetError(
                        f"cars3d: {path}: {member.name} has 'im' of the shape {meshes.shape} and dtype "
                        f"{meshes.dtype}; expected {expected} of uint8"
                    )
                views = np.transpose(meshes, (4, 3, 0, 1, 2)).reshape(-1, *expected[:3])
                cars[member.name] = np.stack([resized(np.ascontiguousarray(view), side) for view in views])
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise DatasetError(f"cars3d: {path} is damaged or of another kind ({error})") from error
    if len(cars) != objects:
        raise DatasetError(f"cars3d: {path} has {len(cars)} files {FOLDER}/*{ENDING}; expected {objects}")
    for view in range(elevations * azimuths):
        yield np.stack([cars[name][view] for name in sorted(cars)]).reshape(objects, -1)


def read_mesh(content: bytes, name: str) -> NDArray[np.uint8]:
    """The array `im` of a MATLAB file."""
    from scipy.io import loadmat

    try:
        images: NDArray[np.uint8] = loadmat(io.BytesIO(content), variable_names=["im"])["im"]
    except Exception as error:  # SciPy's reader raises many kinds
        raise DatasetError(f"cars3d: {name} is damaged or of another kind ({error})") from error
    return images
