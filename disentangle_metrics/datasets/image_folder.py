"""`images`: your own folder of pictures, such as CelebA's, to train on and to look at.

It reads the JPEG and PNG files of the folder and of the folders in it. Links to folders elsewhere are
followed. The pictures are in the order of their names, so a row stays the same picture. Each is cut
to the largest square in its middle and resized, in RGB. That is 178x178 of CelebA's 178x218. Many
papers cut 148x148, which is closer to the face. Nobody knows the factors of such pictures, so there
is nothing to score against. Needs Pillow.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.datasets.description import Description, described
from disentangle_metrics.datasets.factor_dataset import FactorDataset
from disentangle_metrics.datasets.factors.no_factors import NoFactors
from disentangle_metrics.datasets.storage.cached_rows import CachedRows, RowsKind
from disentangle_metrics.datasets.storage.picture_folders import names_below
from disentangle_metrics.datasets.storage.pictures import middle_square, read_picture
from disentangle_metrics.datasets.storage.pixels import CachedImages
from disentangle_metrics.datasets.storage.published import data_folder
from disentangle_metrics.errors import DatasetError, InputError
from disentangle_metrics.kit.files import expanded

SIDE = 64  # pixels
SUFFIXES = (".jpg", ".jpeg", ".png")
AT_ONCE = 64  # pictures in a block


@described(
    Description(
        summary="your own folder of JPEG or PNG pictures, without factors",
        licence="yours",
        source="your own folder",
    )
)
def load(
    root: str | PathLike[str] | None = None, *, side: int = SIDE, cache: str | PathLike[str] | None = None
) -> FactorDataset:
    """Open `images`.

    Parameters
    ----------
    root : path
        The folder of pictures.
    side : int
        Height and width to resize them to, in pixels.
    cache : path, optional
        The folder of the decoded pictures: one file (12 KiB for each at 64x64, 2.4 GiB for CelebA),
        made when the first images are asked for, and again if it is damaged or if a picture's
        name, size or time of change is another. By default the package's folder in the platform's
        cache; where it cannot be written to, they are kept in memory.

    Raises
    ------
    DatasetError
        If there is no such folder or no picture in it. A picture that cannot be read is named when
        the first images are asked for.
    InputError
        If `side` is below 1.
    """
    if root is None:
        raise DatasetError("images: pass `root` with your folder of pictures")
    if side < 1:
        raise InputError(f"side is {side}; accepted: 1 or more pixels")
    folder = expanded(root).resolve()
    names, state = pictures(folder)
    if not names:
        raise DatasetError(f"images: there is no picture in {folder}; accepted: {', '.join(SUFFIXES)}")
    kind = RowsKind(f"images 1 from {state}", len(names), side * side * 3)
    place = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    path = data_folder(cache) / f"images-1-{place}-{side}-{state[:12]}.pixels"
    make = partial(decoded, folder, names, side, path)
    rows = CachedRows(path, kind, make, "decoding images", folder_option="cache")
    return FactorDataset(
        "images", NoFactors(len(names)), (side, side, 3), CachedImages(rows, (side, side, 3))
    )


def pictures(folder: Path) -> tuple[list[str], str]:
    """The pictures' sorted names below `folder`, and a checksum of their names, sizes and times."""
    if not folder.is_dir():
        raise DatasetError(f"images: there is no folder {folder}; `root` must be a folder of pictures")
    found = hashlib.sha256()
    try:
        names = names_below(folder, SUFFIXES, _refuse)
        for name in names:
            status = (folder / name).stat()
            found.update(os.fsencode(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n"))
    except OSError as error:
        raise DatasetError(f"images: {error.filename} cannot be read ({error.strerror})") from error
    return names, found.hexdigest()


def _refuse(error: OSError) -> None:
    raise error


def decoded(folder: Path, names: list[str], side: int, path: Path) -> Iterator[NDArray[np.uint8]]:
    """Pixels (n, side * side * 3) of the pictures, in order; then what `path` replaces is deleted."""
    for first in range(0, len(names), AT_ONCE):
        block = [square(folder / name, side) for name in names[first : first + AT_ONCE]]
        yield np.stack(block).reshape(len(block), -1)
    for older in path.parent.glob(f"{path.name.rpartition('-')[0]}-*.pixels"):  # of the folder as it was
        if older != path:
            with suppress(OSError):  # another process may read it, or be faster
                older.unlink()


def square(path: Path, side: int) -> NDArray[np.uint8]:
    """The middle of a picture as (side, side, 3)."""
    return middle_square(read_picture(path, f"images: {path}"), side)
