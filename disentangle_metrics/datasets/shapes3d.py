"""`shapes3d`: the reader of the published 3D Shapes file, 480,000 images of 64x64x3.

The published file packs thousands of images together, and one image costs as much as all of them.
It is read through once, into an HDF5 file beside it in which each image is packed by itself.
zlib's checksum is compared whenever an image is read. Needs h5py, the extra `data`.

Source: C. Burgess, H. Kim, "3D Shapes dataset", 2018. Apache licence 2.0.
"""

from __future__ import annotations

import warnings
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.datasets.description import Description, described
from disentangle_metrics.datasets.factor_dataset import FactorDataset, Images
from disentangle_metrics.datasets.factors.grid import FactorGrid
from disentangle_metrics.datasets.room_geometry import SIDE
from disentangle_metrics.datasets.rooms import GRID
from disentangle_metrics.datasets.storage.hdf5 import require_h5py
from disentangle_metrics.datasets.storage.published import PublishedFile, beside, locate
from disentangle_metrics.errors import DatasetError
from disentangle_metrics.kit.files import whole_file
from disentangle_metrics.kit.progress import LateProgress

if TYPE_CHECKING:
    import h5py

FILE = PublishedFile(
    dataset="shapes3d",
    name="3dshapes.h5",
    url="https://storage.googleapis.com/3d-shapes/3dshapes.h5",
    algorithm="sha256",
    digest="0a0f6ed98baff276a50f3a081a7434d788da63cb135a98189b2a5b5769be1785",
    home="the bucket 3d-shapes that the repository google-deepmind/3d-shapes on GitHub links to",
    twin="rooms",
    size=267_573_662,
)


@described(
    Description(
        summary="one object in a room, in many hues",
        factors=tuple(zip(GRID.names, GRID.sizes, strict=True)),
        count=len(GRID),
        image_shape=(SIDE, SIDE, 3),
        licence="Apache-2.0",
        files=(FILE,),
    )
)
def load(root: str | PathLike[str] | None = None) -> FactorDataset:
    """Open `shapes3d`.

    Parameters
    ----------
    root : path, optional
        The published HDF5 file, or the folder it is in or shall be fetched to. By default the
        package's folder in the platform's cache. The images packed one by one (about 1 GiB) are
        kept in the same folder, or in the cache where it cannot be written to; they are made in
        some minutes when the first images are asked for.

    Raises
    ------
    DatasetError
        If the file is not the published one, or is not there and cannot be fetched, or h5py is
        not installed.
    """
    require_h5py("shapes3d", "the data set 'rooms' needs no file and no h5py")
    return read_h5(locate(FILE, root), FILE.digest)


def read_h5(path: Path, digest: str, grid: FactorGrid = GRID, side: int = SIDE) -> FactorDataset:
    """A data set from a file laid out like 3D Shapes, with the factors of `grid`."""
    packed = beside(path, "shapes3d-1.h5")
    read = ShapesImages(path, packed, f"shapes3d 1 from {digest}", grid, side)
    return FactorDataset("shapes3d", grid, (side, side, 3), read)


class ShapesImages:
    """Reads images from the file that has them one by one, made when the first are asked for.

    Parameters
    ----------
    path : Path
        The published file.
    packed : Path
        Where the images one by one are, or will be.
    recipe : str
        What `packed` was made from and how.
    grid : FactorGrid
        The order of the images.
    side : int
        Height and width of every image, in pixels.
    """

    def __init__(self, path: Path, packed: Path, recipe: str, grid: FactorGrid, side: int) -> None:
        self.path, self.packed, self.recipe, self.grid, self.side = path, packed, recipe, grid, side
        self._images: h5py.Dataset | None = None

    def __call__(self, indices: NDArray[np.int64]) -> Images:
        if self._images is None:
            self._images = self._open()
        images = np.empty((len(indices), self.side, self.side, 3), np.uint8)
        try:
            for row, index in enumerate(indices.tolist()):  # far quicker than h5py's own choice of many
                images[row] = self._images[index]
        except OSError as error:
            raise DatasetError(
                f"shapes3d: {self._images.file.filename} is damaged ({error}); delete it: it is made again, "
                f"or fetched"
            ) from error
        return images

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_images": None}  # an open file does not travel

    def _open(self) -> h5py.Dataset:
        import h5py

        if self.packed.exists():
            try:
                file = h5py.File(self.packed, "r")
                if file.attrs["recipe"] == self.recipe:
                    return file["images"]
                reason = f"it holds {file.attrs['recipe']!r}"
            except (OSError, KeyError) as error:
                reason = str(error)
            warnings.warn(f"shapes3d: {self.packed} is damaged ({reason}) and is made again", stacklevel=4)
        try:
            with whole_file(self.packed) as unfinished:
                pack_one_by_one(self.path, unfinished, self.recipe, self.grid, self.side)
            return h5py.File(self.packed, "r")["images"]
        except OSError as error:
            warnings.warn(
                f"shapes3d: nothing can be kept in {self.packed} ({error.strerror or error}); reading from "
                f"{self.path}, which is very slow. Put that file in a folder that can be written to",
                stacklevel=4,
            )
            return open_published(self.path, self.grid, self.side)


def pack_one_by_one(path: Path, unfinished: Path, recipe: str, grid: FactorGrid, side: int) -> None:
    """Copy the images of the published file to a file where each can be read alone."""
    import h5py

    published = open_published(path, grid, side)
    # whole_file holds the lock of the unfinished file, which HDF5 would ask for too.
    together = min(max((published.chunks or (1,))[0], 256), 8192)  # each pack is then opened once
    with (
        h5py.File(unfinished, "w", libver="latest", locking=False) as file,
        LateProgress(f"unpacking {path.name}", len(grid)) as bar,
    ):
        images = file.create_dataset(
            "images",
            shape=published.shape,
            dtype=np.uint8,
            chunks=(1, side, side, 3),
            compression="gzip",
            compression_opts=1,
        )
        for first in range(0, len(grid), together):
            try:
                block = published[first : first + together]
            except OSError as error:
                raise DatasetError(f"shapes3d: {path} is damaged ({error})") from error
            images[first : first + together] = block
            bar.update(len(block))
        file.attrs["recipe"] = recipe
    published.file.close()


def open_published(path: Path, grid: FactorGrid, side: int) -> h5py.Dataset:
    """The images of a file laid out like 3D Shapes, after a check of its shapes and of their order."""
    import h5py

    try:
        file = h5py.File(path, "r")
        images, labels = file["images"], file["labels"][:]
    except (OSError, KeyError) as error:
        raise DatasetError(f"shapes3d: {path} is damaged or of another kind ({error})") from error
    expected = (len(grid), side, side, 3)
    if images.shape != expected or images.dtype != np.uint8 or labels.shape != (len(grid), len(grid.sizes)):
        raise DatasetError(
            f"shapes3d: {path} has images of the shape {images.shape} and dtype {images.dtype} and labels of "
            f"the shape {labels.shape}; expected {expected} of uint8 and {(len(grid), len(grid.sizes))}"
        )
    codes = np.stack([np.unique(column, return_inverse=True)[1] for column in labels.T], axis=1)
    wrong = (codes != grid.factors(np.arange(len(grid)))).any(axis=1)
    if wrong.any():
        first = int(np.argmax(wrong))
        raise DatasetError(
            f"shapes3d: {path} has the labels {labels[first].tolist()} for image {first}: its images are in "
            f"another order than {', '.join(grid.names)}, the last fastest"
        )
    return images
