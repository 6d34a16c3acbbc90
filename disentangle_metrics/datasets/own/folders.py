"""Own images in a folder: pictures and a table of their factors, or a folder for each class."""

from __future__ import annotations

import os
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from disentangle_metrics.datasets.factor_dataset import FactorDataset
from disentangle_metrics.datasets.own.archives import open_npy
from disentangle_metrics.datasets.own.arrays import FactorTypes, assembled
from disentangle_metrics.datasets.own.picture_names import matched
from disentangle_metrics.datasets.own.pictures import SUFFIXES, PictureRows
from disentangle_metrics.datasets.own.pixels import ImageRows
from disentangle_metrics.datasets.own.tables import TABLES, rows_of_images
from disentangle_metrics.datasets.storage.picture_folders import is_hidden, is_in_or_around, names_below
from disentangle_metrics.errors import DatasetError, InputError

if TYPE_CHECKING:
    import pandas as pd

CLASS = "class"
SPLITS = {"train", "training", "val", "valid", "validation", "dev", "test", "testing"}  # folders of splits
IMAGE_ARRAYS = ("images.npy", "imgs.npy")


def from_folder(
    images: str | PathLike[str],
    table: str | PathLike[str] | None = None,
    *,
    factor_names: Iterable[str] | None = None,
    factor_types: FactorTypes = None,
    value_range: tuple[float, float] | str | None = None,
    channels: int | str | None = None,
    side: int | None = None,
    name: str | None = None,
) -> FactorDataset:
    """A data set of the pictures in a folder, and a table of their factors.

    One column of the table holds the pictures' file names, with or without their folders and
    endings. Every other column is a factor, but for row labels and identifiers. Pictures that the table
    does not name are left out. Without a table, each folder in the folder is a class, and pictures in
    one folder alone have no factors. Links to folders elsewhere are followed. Classes without a picture that
    can be read, and folders of splits, are refused. Folders of the system, such as lost+found, are left out.

    Parameters
    ----------
    images : path
        The folder of pictures, in folders of any depth; or a folder with images.npy, whose rows are
        those of the table.
    table : path, optional
        A text table, Parquet, Feather or JSON. By default the only one in the folder.
    factor_names, factor_types, value_range
        As in :func:`from_arrays`. `factor_names` chooses columns.
    channels : optional
        1 or 3: read all pictures as grey, or in colour. For images.npy as in :func:`from_arrays`.
    side : int, optional
        Cut each picture to a square and resize it to this height and width.
    name : str, optional
        What reports call the data set; by default the folder's path.

    Raises
    ------
    DatasetError
        If there is no such folder, or the table and the pictures do not go together.
    InputError
        If an argument cannot be used.
    """
    folder = Path(images).expanduser()
    if not folder.is_dir():
        raise DatasetError(f"there is no folder {folder}")
    check_readable(folder)
    place = Path(table).expanduser() if table is not None else only_table(folder)
    if place is not None and not place.exists() and (folder / place).exists():
        place = folder / place
    array = next((folder / name for name in IMAGE_ARRAYS if (folder / name).is_file()), None)
    wanted = None if factor_names is None else list(factor_names)
    notes: tuple[str, ...] = ()
    facts: dict[str, Any] = {"path": str(folder), "images": "pictures"}
    rows: ImageRows
    order = None
    factors: Any
    if array is not None:
        rows, factors, order = open_npy(array), None, channels
        if place is not None:
            factors, notes = rows_of_images(place, wanted)
        facts["images"] = array.name
    else:
        unreadable: list[OSError] = []
        pictures = names_below(folder, SUFFIXES, unreadable.append)
        if unreadable and (place is None or not pictures):
            raise DatasetError(_cannot_be_read(unreadable)) from unreadable[0]
        if not pictures:
            raise DatasetError(f"there is no picture in {folder}; accepted: {', '.join(SUFFIXES)}")
        if place is not None:
            try:
                pictures, factors, notes = matched(folder, pictures, place, wanted)
            except DatasetError as error:
                if not unreadable:
                    raise
                raise DatasetError(f"{error}; {_cannot_be_read(unreadable)}") from error
        else:
            factors = _classes(folder, pictures)
        rows = PictureRows(_Files(folder, pictures), len(pictures), side, _channels_of_pictures(channels))
        order = "last"
    if place is not None:
        facts["factors"] = str(place)
    if wanted is not None and factors is not None:
        if missing := [column for column in wanted if column not in factors.columns]:
            raise DatasetError(
                f"{place or folder} has no column {missing[0]!r}; it has {', '.join(factors.columns)}"
            )
        factors = factors[wanted]
    return assembled(
        rows,
        factors,
        name=str(folder) if name is None else name,
        what=str(array or folder),
        factor_types=factor_types,
        value_range=value_range,
        channels=order if order is None else str(order),
        facts=facts,
        notes=notes,
    )


def _channels_of_pictures(channels: int | str | None) -> int | None:
    if channels is None or str(channels).isdigit():
        return None if channels is None else int(channels)
    raise InputError(f"channels is {channels!r}; pictures have 1 (grey) or 3 (colour)")


class _Files:
    """From a row to the file of its picture."""

    def __init__(self, folder: Path, names: list[str]) -> None:
        self.folder, self.names = folder, names

    def __call__(self, row: int) -> tuple[Path | bytes, str]:
        path = self.folder / self.names[row]
        return path, str(path)


def only_table(folder: Path) -> Path | None:
    """The table in the folder; None if there is none.

    Raises
    ------
    DatasetError
        If there are several.
    """
    tables = [file for file in sorted(folder.iterdir()) if file.suffix.lower() in TABLES]
    tables = [file for file in tables if file.is_file() and not file.name.startswith(".")]
    if len(tables) > 1:
        raise DatasetError(
            f"{folder} holds several tables ({', '.join(file.name for file in tables[:5])}); say which has "
            f"the factors, as in `dm.load_dataset(..., factors={tables[0].name!r})`"
        )
    return tables[0] if tables else None


def check_readable(folder: Path) -> None:
    """Refuse a folder whose files the user may not list or open.

    Raises
    ------
    DatasetError
        If it is one.
    """
    if not os.access(folder, os.R_OK | os.X_OK):
        raise DatasetError(f"{folder} cannot be read (Permission denied)")


def _cannot_be_read(errors: list[OSError]) -> str:
    return f"{', '.join(str(error.filename) for error in errors[:5])} cannot be read ({errors[0].strerror})"


def _classes(folder: Path, pictures: list[str]) -> pd.DataFrame | None:
    """The folder that each picture is in, of a tree with a folder for each class.

    Raises
    ------
    DatasetError
        If pictures lie beside the folders, a folder has none of its own, or the folders are splits.
    """
    import pandas as pd

    tops = [name.partition("/")[0] if "/" in name else "" for name in pictures]
    if not any(tops):
        return None
    if not all(tops):
        loose = pictures[tops.index("")]
        raise DatasetError(
            f"{folder} has pictures in folders and one beside them, {loose}; give a table of factors, or put "
            f"every picture in the folder of its class"
        )
    places = [folder / name for name in sorted({*os.listdir(folder)} - {*tops}) if not is_hidden(name)]
    for place in places:
        if place.is_dir() and place.is_symlink() and is_in_or_around(place.resolve(), folder.resolve()):
            raise DatasetError(
                f"each folder in {folder} is a class, and {place} is a link to a folder around it or in it; "
                "take it away, or give a table of factors"
            )
        if place.is_dir() or (place.is_symlink() and not place.exists()):
            raise DatasetError(
                f"each folder in {folder} is a class, and {place} holds no picture; accepted: "
                f"{', '.join(SUFFIXES)}; take it away, or give a table of factors"
            )
    inner = [name.split("/")[1] if name.count("/") > 1 else "" for name in pictures]
    several = len({*zip(tops, inner, strict=True)}) > len({*tops})
    if {top.lower() for top in tops} <= SPLITS or (all(inner) and several):
        raise DatasetError(
            f"{folder} has pictures such as {pictures[0]}, so {tops[0]!r} may be a split and no class; "
            "name the folder of one split, or give a table of factors"
        )
    return pd.DataFrame({CLASS: pd.Categorical(tops)})
