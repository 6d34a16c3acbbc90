"""From a path on the command line to a data set: what it is, is found from its content."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from disentangle_metrics.datasets.factor_dataset import FactorDataset
from disentangle_metrics.datasets.own.archives import Opened, open_hdf5, open_npz
from disentangle_metrics.datasets.own.arrays import assembled
from disentangle_metrics.datasets.own.folders import check_readable, from_folder
from disentangle_metrics.datasets.own.hugging_face import is_hugging_face, open_hugging_face
from disentangle_metrics.datasets.own.tables import rows_of_images
from disentangle_metrics.encoders.sniffing import FileKind, file_kind
from disentangle_metrics.errors import DatasetError, InputError
from disentangle_metrics.kit.files import expanded, sha256_of
from disentangle_metrics.text import shortened

SUFFIXES = (".npz", ".h5", ".hdf5", ".npy", ".parquet", ".arrow")
ARCHIVES: dict[FileKind, Callable[[Path, str | None, str | None], Opened]] = {
    FileKind.NPZ: open_npz,
    FileKind.HDF5: open_hdf5,
}
LARGEST_DIGESTED = 2**30  # bytes
ACCEPTED = (
    "accepted: .npz and .h5 with images and factors, a folder of pictures with a table of factors, a folder "
    "for each class, and a folder of Hugging Face's datasets"
)


def is_path(name: str) -> bool:
    """Whether a data set that has no such name is meant as a path."""
    return "/" in name or "\\" in name or name.lower().endswith(SUFFIXES) or _exists(expanded(name))


def _exists(path: Path) -> bool:
    """Whether it is there; what no system takes as a path is not."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def open_path(name: str, **options: Any) -> FactorDataset:
    """The data set at a path.

    Raises
    ------
    DatasetError
        If there is nothing, or it cannot be read as images and factors.
    InputError
        If the kind of data set has no such option.
    """
    path = expanded(name)
    if not _exists(path):
        raise DatasetError(f"there is no file or folder {shortened(str(path))}")
    if path.is_dir():
        check_readable(path)
        hugging_face = is_hugging_face(path)
        read: Callable[..., FactorDataset] = open_hugging_face if hugging_face else _open_folder
    else:
        read = _open_file
    try:
        inspect.signature(read).bind(path, **options)
    except TypeError as error:
        accepted = list(inspect.signature(read).parameters)[1:]
        raise InputError(f"{name}: {error}; accepted options: {', '.join(['pool', *accepted])}") from None
    check_whole(read, options)
    return read(path, **options)


def check_whole(load: Callable[..., FactorDataset], options: Mapping[str, Any]) -> None:
    """Refuse text for an option of `load` that is a whole number, as a command line may give it.

    Raises
    ------
    InputError
        If there is one.
    """
    parameters = inspect.signature(load).parameters
    for name, value in options.items():
        kind = parameters[name].annotation if name in parameters else None
        if isinstance(value, str) and kind in ("int", "int | None", int):
            raise InputError(f"{name} must be a whole number, got {value!r}")


def digest(path: Path) -> dict[str, str]:
    """The file's sha256; of larger files than a GiB, which take long to read, the size alone."""
    size = path.stat().st_size
    if size > LARGEST_DIGESTED:
        return {"bytes": str(size)}
    return {"sha256": sha256_of(path)}


def _open_folder(
    path: Path,
    *,
    factors: str | None = None,
    side: int | None = None,
    channels: int | str | None = None,
    value_range: Any = None,
) -> FactorDataset:
    return from_folder(path, factors, side=side, channels=channels, value_range=value_range)


def _open_file(
    path: Path,
    *,
    images: str | None = None,
    factors: str | None = None,
    channels: str | None = None,
    value_range: Any = None,
) -> FactorDataset:
    """An archive with both; `factors` is an array in it, or a table beside it."""
    try:
        kind = file_kind(path)
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}") from error
    if kind is FileKind.DAMAGED_ZIP:
        raise DatasetError(f"{path} is truncated or damaged; copy the file again")
    if kind not in ARCHIVES:
        advice = (
            "; put it in a folder as images.npy, beside a table of factors" if kind is FileKind.NPY else ""
        )
        raise DatasetError(f"{path} is {kind.value}{advice}; {ACCEPTED}")
    table = Path(factors).expanduser() if factors is not None else None
    beside = table is not None and table.suffix != "" and table.is_file()
    opened = ARCHIVES[kind](path, images, None if beside else factors)
    facts: dict[str, Any] = {"path": str(path), **digest(path), "images": opened.image_key}
    value = opened.factors
    notes: tuple[str, ...] = ()
    if beside and table is not None:
        value, notes = rows_of_images(table)
        facts["factors"] = str(table)
    elif opened.factor_key is not None:
        facts["factors"] = opened.factor_key
    return assembled(
        opened.images,
        value,
        name=str(path),
        what=f"{path}: {opened.image_key}",
        factor_names=None if beside or value is None else opened.factor_names,
        channels=channels,
        value_range=value_range,
        facts=facts,
        notes=notes,
        candidates=opened.candidates,
    )
