"""`celeba`: 202,599 aligned faces of celebrities with 40 attributes that people labelled.

The attributes depend on each other, so scores that suppose independent factors need care. The pictures are
read through once, into a file of pixels beside the archive. Needs Pillow.

Source: Z. Liu, P. Luo, X. Wang, X. Tang, "Deep learning face attributes in the wild", ICCV 2015. For
research that is not commercial.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from functools import partial
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.datasets.description import Description, described
from disentangle_metrics.datasets.factor_dataset import FactorDataset
from disentangle_metrics.datasets.factors.grid import FactorGrid
from disentangle_metrics.datasets.factors.table import FactorTable
from disentangle_metrics.datasets.storage.cached_rows import CachedRows, RowsKind
from disentangle_metrics.datasets.storage.pictures import middle_square, read_picture
from disentangle_metrics.datasets.storage.pixels import CachedImages
from disentangle_metrics.datasets.storage.published import PublishedFile, beside, folder_of, locate
from disentangle_metrics.errors import DatasetError, InputError

SIDE, CROP = 64, 178  # pixels, of images here and of the square cut from 178x218
COUNT, ATTRIBUTES = 202_599, 40
FOLDER = "img_align_celeba"
AT_ONCE = 64  # pictures in a block
PICTURES, LABELS = (
    PublishedFile(
        dataset="celeba",
        name=name,
        url="",
        algorithm=algorithm,
        digest=digest,
        home="the folder on Google Drive that the page 'Large-scale CelebFaces Attributes (CelebA) Dataset' "
        "of the Chinese University of Hong Kong links to",
        twin="rooms",
        size=size,
    )
    for name, size, algorithm, digest in (
        (
            f"{FOLDER}.zip",
            1_443_490_838,
            "sha256",
            "46fb89443c578308acf364d7d379fe1b9efb793042c0af734b6112e4fd3a8c74",
        ),
        ("list_attr_celeba.txt", 26_700_000, "md5", "75e246fa4810816ffd6ee81facbd244c"),
    )
)


@described(
    Description(
        summary="aligned faces of celebrities",
        factors=(("40 attributes, each", 2),),
        count=COUNT,
        image_shape=(SIDE, SIDE, 3),
        licence="for research that is not commercial",
        files=(PICTURES, LABELS),
    )
)
def load(root: str | PathLike[str] | None = None, *, side: int = SIDE, crop: int = CROP) -> FactorDataset:
    """Open `celeba`.

    Parameters
    ----------
    root : path, optional
        The folder of the published archive and of its list of attributes. By default the package's
        folder in the platform's cache. The pixels (2.5 GB at 64x64) are kept in the same folder, or
        in the cache where it cannot be written to.
    side : int
        Height and width of the images, in pixels.
    crop : int
        Height and width of the square in the middle of each picture, in pixels; many papers have 148.

    Raises
    ------
    DatasetError
        If a file is missing or not the published one. No program can fetch them.
    InputError
        If `side` is below 1, or `crop` is not from 1 to 178.
    """
    if side < 1 or not 1 <= crop <= CROP:
        raise InputError(f"side is {side} and crop {crop}; accepted: 1 or more, and 1 to {CROP} pixels")
    folder = folder_of(root)
    return read_zip(locate(PICTURES, folder), locate(LABELS, folder), PICTURES.digest, side=side, crop=crop)


def read_zip(
    path: Path,
    labels: Path,
    digest: str,
    count: int = COUNT,
    side: int = SIDE,
    crop: int = CROP,
    attributes: int = ATTRIBUTES,
) -> FactorDataset:
    """A data set from an archive and a list of attributes laid out like those of CelebA."""
    files, table = read_attributes(labels, count, attributes)
    kind = RowsKind(f"celeba 1 crop {crop} from {digest}", count, side * side * 3)
    make = partial(pixel_rows, path, files, side, crop)
    rows = CachedRows(beside(path, f"celeba-1-{side}-{crop}.pixels"), kind, make, f"decoding {path.name}")
    return FactorDataset("celeba", table, (side, side, 3), CachedImages(rows, (side, side, 3)))


def read_attributes(path: Path, count: int, attributes: int) -> tuple[list[str], FactorTable]:
    """Names of the pictures, and their attributes: 0 where the list has -1."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
        names = tuple(lines[1].split())
        rows = [line.split() for line in lines[2:]]
        numbers = np.array([row[1:] for row in rows], np.int64)
    except (OSError, ValueError, IndexError) as error:
        raise DatasetError(f"celeba: {path} is damaged or of another kind ({error})") from error
    if lines[0].strip() != str(count) or numbers.shape != (count, attributes) or len(names) != attributes:
        raise DatasetError(
            f"celeba: {path} has {len(rows)} rows and {len(names)} attributes; expected {count} and "
            f"{attributes}"
        )
    if not np.isin(numbers, (-1, 1)).all():
        raise DatasetError(f"celeba: {path} has other numbers than -1 and 1")
    grid = FactorGrid(names, (2,) * attributes, ("categorical",) * attributes)
    return [row[0] for row in rows], FactorTable((numbers + 1) // 2, grid)


def pixel_rows(path: Path, files: Sequence[str], side: int, crop: int) -> Iterator[NDArray[np.uint8]]:
    """Pixels (n, side * side * 3) of the pictures, in the order of `files`."""
    try:
        with zipfile.ZipFile(path) as archive:
            for first in range(0, len(files), AT_ONCE):
                block = []
                for name in files[first : first + AT_ONCE]:
                    with archive.open(f"{FOLDER}/{name}") as picture:
                        decoded = read_picture(picture, f"celeba: {path}: {FOLDER}/{name}")
                    block.append(middle_square(decoded, side, crop))
                yield np.stack(block).reshape(len(block), -1)
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, OSError, NotImplementedError) as error:
        raise DatasetError(f"celeba: {path} is damaged or of another kind ({error})") from error
