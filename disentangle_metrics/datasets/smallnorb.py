"""`smallnorb`: photographs of toys from 162 viewpoints in 6 lights, 48,600 images.

Both published parts, training and testing, together have each combination of the factors once. The
images are read through once, into a file of pixels beside the published ones. Published scores are of
images of 64x64, shrunk by Lanczos' filter from 96x96; so are these by default. Needs Pillow to shrink.

Source: Y. LeCun, F. J. Huang, L. Bottou, "Learning methods for generic object recognition with
invariance to pose and lighting", CVPR 2004. For research only.
"""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterator, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.datasets.description import Description, described
from disentangle_metrics.datasets.factor_dataset import FactorDataset
from disentangle_metrics.datasets.factors.grid import FactorGrid
from disentangle_metrics.datasets.storage.cached_rows import CachedRows, RowsKind
from disentangle_metrics.datasets.storage.pictures import resized
from disentangle_metrics.datasets.storage.pixels import CachedImages
from disentangle_metrics.datasets.storage.published import PublishedFile, beside, folder_of, locate
from disentangle_metrics.errors import DatasetError, InputError

SIDE, PUBLISHED_SIDE = 64, 96  # pixels, of images here and in the files
GRID = FactorGrid(
    ("category", "instance", "elevation", "azimuth", "lighting"),
    (5, 10, 9, 18, 6),
    ("categorical", "categorical", "ordinal", "ordinal", "categorical"),
)
AZIMUTH_STEP = 2  # azimuths are numbered 0, 2, ... 34
NUMBERS: dict[int, np.dtype[Any]] = {
    0x1E3D4C55: np.dtype("u1"),
    0x1E3D4C54: np.dtype("<i4"),
}  # by a file's first four bytes
AT_ONCE = 256  # pairs of images read in one go
TRAINING, TESTING = "smallnorb-5x46789x9x18x6x2x96x96-training", "smallnorb-5x01235x9x18x6x2x96x96-testing"
FILES = tuple(
    PublishedFile(
        dataset="smallnorb",
        name=f"{name}.mat.gz",
        url=f"https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/{name}.mat.gz",
        algorithm="sha256",
        digest=digest,
        home="the page 'The small NORB dataset' of New York University, cs.nyu.edu/~ylclab",
        twin="rooms",
        size=size,
    )
    for name, size, digest in (
        (f"{TRAINING}-dat", 131_896_188, "5ffd6272a07d32695ee1082a26a41a93a37aab8c28da047f8c34ed348d214873"),
        (f"{TRAINING}-cat", 25_000, "2784e542c1922060691090952b6cd6278879a216c90f81476f0f00256d42cdaa"),
        (f"{TRAINING}-info", 25_000, "de7eb932ebe7a4ee16217fead60660d0eb3d23632c2f4d1c51f88c501c17bf32"),
        (f"{TESTING}-dat", 130_799_817, "cf7104eed3e51174d2f65b66d1e5878b9da233b886f161b0d88f4510ba2c7474"),
        (f"{TESTING}-cat", 25_000, "ecaf6d5bb8c3bc5eab9cf0258f6d2198dd474e016e374836fc097f2e5ff509ff"),
        (f"{TESTING}-info", 25_000, "16adf314226327ee006d1a44db8cfef52773c06c829951d5653a9f6f310248a2"),
    )
)


@described(
    Description(
        summary="photographs of toys",
        factors=tuple(zip(GRID.names, GRID.sizes, strict=True)),
        count=len(GRID),
        image_shape=(SIDE, SIDE, 1),
        licence="for research only",
        files=FILES,
    )
)
def load(root: str | PathLike[str] | None = None, *, side: int = SIDE, camera: int = 0) -> FactorDataset:
    """Open `smallnorb`.

    Published scores, those of disentanglement_lib, leave out the factor `instance`. Ask for theirs by
    ``dm.evaluate(model, dataset, factors=["category", "elevation", "azimuth", "lighting"])``.

    Parameters
    ----------
    root : path, optional
        The folder that the six published files are in or shall be fetched to. By default the package's
        folder in the platform's cache. The pixels (199 MB at 64x64) are kept in the same folder, or
        in the cache where it cannot be written to.
    side : int
        Height and width of the images, in pixels; the published ones have 96.
    camera : int
        0 or 1: which image of each stereo pair. Published scores are of the first.

    Raises
    ------
    DatasetError
        If a file is not the published one, or is not there and cannot be fetched.
    InputError
        If `side` is not from 1 to 96, or `camera` neither 0 nor 1.
    """
    if not 1 <= side <= PUBLISHED_SIDE:
        raise InputError(f"side is {side}; accepted: 1 to {PUBLISHED_SIDE} pixels")
    if camera not in (0, 1):
        raise InputError(f"camera is {camera}; accepted: 0 and 1")
    folder = folder_of(root)
    return read_matrices([locate(file, folder) for file in FILES], side=side, camera=camera)


def read_matrices(
    paths: Sequence[Path],
    grid: FactorGrid = GRID,
    side: int = SIDE,
    camera: int = 0,
    published_side: int = PUBLISHED_SIDE,
) -> FactorDataset:
    """A data set from files laid out like those of SmallNORB: images, categories and the rest, twice.

    Together they must have each combination of the factors once, in any order.
    """
    images, labels = paths[0::3], []
    for categories, rest in zip(paths[1::3], paths[2::3], strict=True):
        category = read_matrix(categories, (None,))
        labels.append(np.column_stack([category, read_matrix(rest, (len(category), len(grid.sizes) - 1))]))
    counts = [len(part) for part in labels]
    factors = np.concatenate(labels).astype(np.int64)
    factors[:, 3], odd = np.divmod(factors[:, 3], AZIMUTH_STEP)
    if odd.any() or (factors < 0).any() or (factors >= grid.sizes).any():
        raise DatasetError(f"smallnorb: {paths[1].parent} has labels outside those of {grid.sizes}")
    indices = grid.index(factors)
    order = np.argsort(indices, kind="stable")
    if len(indices) != len(grid) or (indices[order] != np.arange(len(grid))).any():
        raise DatasetError(
            f"smallnorb: {paths[1].parent} has not one image for each combination of {', '.join(grid.names)}"
        )
    kind = RowsKind(f"smallnorb 1 camera {camera} from {FILES[0].digest}", len(grid), side * side)
    make = partial(pixel_rows, images, counts, camera, side, published_side)
    cache = beside(paths[0], f"smallnorb-1-{side}-{camera}.pixels")
    rows = CachedRows(cache, kind, make, "unpacking smallnorb")
    return FactorDataset("smallnorb", grid, (side, side, 1), CachedImages(rows, (side, side, 1), order))


def pixel_rows(
    paths: Sequence[Path], counts: Sequence[int], camera: int, side: int, published_side: int
) -> Iterator[NDArray[np.uint8]]:
    """The pixels of one camera's images, in the order of the files."""
    for path, count in zip(paths, counts, strict=True):
        expected = (count, 2, published_side, published_side)
        with MatrixFile(path, expected) as matrix:
            if matrix.dtype.itemsize != 1:
                raise DatasetError(f"smallnorb: {path} has whole numbers; expected bytes")
            for first in range(0, count, AT_ONCE):
                some = min(AT_ONCE, count - first)
                pairs = matrix.read(some * math.prod(expected[1:])).reshape(some, *expected[1:])
                yield np.stack([resized(image, side) for image in pairs[:, camera]]).reshape(some, -1)
            matrix.check_end()


def read_matrix(path: Path, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """A small matrix of whole numbers; None in `shape` is any length."""
    with MatrixFile(path, shape) as matrix:
        if matrix.dtype.itemsize != 4:
            raise DatasetError(f"smallnorb: {path} has bytes; expected whole numbers")
        numbers = matrix.read(math.prod(matrix.shape)).reshape(matrix.shape)
        matrix.check_end()
    return numbers


class MatrixFile:
    """A file in SmallNORB's own format: a number for the type, the number of dimensions, at least three
    dimensions, and the numbers; all of it compressed. Use it in a ``with`` statement; whatever is wrong
    with the file in it is a DatasetError.

    Parameters
    ----------
    path : Path
    shape : tuple of int or None
        The dimensions it must have; None is any length.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __init__(self, path: Path, shape: tuple[int | None, ...]) -> None:
        self.path, self.expected = path, shape

    def __enter__(self) -> MatrixFile:
        try:
            self._file = gzip.GzipFile(self.path)
            self._read_header()
        except Exception as error:
            self._refuse(error)
            raise
        return self

    def _read_header(self) -> None:
        magic, count = np.frombuffer(self._bytes(8), "<i4").tolist()
        if magic not in NUMBERS or not 1 <= count <= 8:
            raise ValueError(f"it begins with {magic:#x} and {count}")
        dimensions = np.frombuffer(self._bytes(4 * max(3, count)), "<i4")[:count].tolist()
        self.dtype, self.shape = NUMBERS[magic], tuple(dimensions)
        fits = len(self.shape) == len(self.expected) and all(
            wanted in (None, found) for found, wanted in zip(self.shape, self.expected, strict=True)
        )
        if not fits or min(self.shape) < 1:
            wanted = "x".join("n" if size is None else str(size) for size in self.expected)
            raise DatasetError(
                f"smallnorb: {self.path} has the shape {'x'.join(map(str, self.shape))}; expected {wanted}"
            )

    def read(self, count: int) -> NDArray[Any]:
        """The next `count` numbers."""
        return np.frombuffer(self._bytes(count * self.dtype.itemsize), self.dtype)

    def check_end(self) -> None:
        """Refuse more bytes; at the end the file's own checksum is compared, too."""
        if self._file.read(1):
            raise EOFError("it does not end where it should")

    def _bytes(self, count: int) -> bytes:
        content = self._file.read(count)
        if len(content) < count:
            raise EOFError("it ends too early")
        return content

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._file.close()
        self._refuse(error)

    def _refuse(self, error: BaseException | None) -> None:
        if isinstance(error, (OSError, EOFError, ValueError, zlib.error)):
            raise DatasetError(f"smallnorb: {self.path} is damaged or of another kind ({error})") from error
