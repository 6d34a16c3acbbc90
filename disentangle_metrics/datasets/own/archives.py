"""Own images and factors from one file of named arrays: .npz and HDF5; and images from .npy."""

from __future__ import annotations

import math
import struct
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.datasets.own.pixels import ArrayRows, ImageRows
from disentangle_metrics.errors import DatasetError, DisentangleMetricsError
from disentangle_metrics.files.hdf5 import Hdf5Arrays, import_h5py
from disentangle_metrics.kit.progress import LateProgress

IMAGE_NAMES = ("images", "imgs", "image", "img", "x", "pixels", "data")
FACTOR_NAMES = ("factors", "latents_classes", "classes", "labels", "latents_values", "targets", "label", "y")
NAMES_OF_FACTORS = ("factor_names", "latents_names", "label_names")
LOCAL_HEADER = struct.Struct("<4s5H3L2H")  # of a member of a zip archive
LARGEST_UNPACKED = 16 * 2**30  # bytes of compressed images that are taken into memory


@dataclass(frozen=True)
class Opened:
    """Images that something reads, factors if there are any, and where in the file they are."""

    images: ImageRows
    factors: Any
    factor_names: list[str] | None
    image_key: str
    factor_key: str | None
    candidates: tuple[str, ...]  # other arrays of a value or a row for each image


class MappedRows:
    """Images (n, ...) that lie in a file one after another, memory-mapped."""

    def __init__(self, path: Path, offset: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.path, self.offset, self.shape, self.dtype = path, offset, shape, dtype
        self._map: NDArray[Any] | None = None

    def __call__(self, indices: NDArray[np.int64]) -> NDArray[Any]:
        if self._map is None:
            mapped = np.memmap(self.path, self.dtype, "r", self.offset, self.shape)
            self._map = mapped.view(np.ndarray)
        return self._map[indices]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_map": None}  # the other side opens its own


class Hdf5Rows:
    """Images of a data set in an HDF5 file, read when they are asked for."""

    def __init__(self, path: Path, key: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.path, self.key, self.shape, self.dtype = path, key, shape, dtype
        self._images: Any = None

    def __call__(self, indices: NDArray[np.int64]) -> NDArray[Any]:
        import h5py

        if self._images is None:
            self._images = h5py.File(self.path, "r")[self.key]
        rows, places = np.unique(indices, return_inverse=True)  # h5py wants each once, in order
        try:
            whole = len(rows) and rows[-1] - rows[0] + 1 == len(rows)
            values = self._images[rows[0] : rows[-1] + 1] if whole else self._images[rows]
        except OSError as error:
            raise DatasetError(
                f"{self.path}: {self.key!r} is damaged ({error}); copy the file again"
            ) from error
        return np.asarray(values)[places.reshape(-1)]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_images": None}  # an open file does not travel


def open_npz(path: Path, images: str | None, factors: str | None) -> Opened:
    """A .npz archive. Images that are stored without compression are memory-mapped."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = {name.removesuffix(".npy"): _header(archive, name) for name in archive.namelist()}
            headers = {name: header for name, header in found.items() if header is not None}
            keys = list(headers)
            shapes = {name: header.shape for name, header in headers.items()}
            image_key = _image_key(path, shapes, images)
            factor_key = _factor_key(path, keys, factors, image_key)
            names = next((key for key in NAMES_OF_FACTORS if key in keys), None)
            return Opened(
                _npz_rows(path, archive, image_key, headers[image_key]),
                None if factor_key is None else _whole(archive, factor_key),
                None if names is None else [str(name) for name in _whole(archive, names).reshape(-1)],
                image_key,
                factor_key,
                _candidates(shapes, image_key),
            )
    except DisentangleMetricsError:
        raise
    except Exception as error:  # a damaged archive fails in as many ways as NumPy and zipfile have
        reason = str(error).partition("\n")[0] or "it ends too early"
        raise DatasetError(f"{path} is truncated or damaged ({reason}); copy the file again") from error


@dataclass(frozen=True)
class _Header:
    """What an array in an archive says of itself, and where after it the values begin."""

    shape: tuple[int, ...]
    by_columns: bool
    dtype: np.dtype[Any]
    length: int


def _header(archive: zipfile.ZipFile, member: str) -> _Header | None:
    """The description of an array; None where Python objects are in it, which are never opened."""
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        reader: Callable[..., Any] = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        shape, by_columns, dtype = reader(file)
        header = _Header(shape, by_columns, dtype, file.tell())
    return None if header.dtype.hasobject else header


def _whole(archive: zipfile.ZipFile, key: str) -> NDArray[Any]:
    with archive.open(f"{key}.npy") as file:
        array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    return array


def _npz_rows(path: Path, archive: zipfile.ZipFile, key: str, header: _Header) -> ImageRows:
    member = archive.getinfo(f"{key}.npy")
    size = math.prod(header.shape) * header.dtype.itemsize
    if member.file_size - header.length != size:
        raise EOFError(
            f"{key} has {member.file_size - header.length:,} bytes, and {header.shape} needs {size:,}"
        )
    if member.compress_type == zipfile.ZIP_STORED and not header.by_columns:
        with path.open("rb") as file:
            file.seek(member.header_offset)
            local = LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))
        start = member.header_offset + LOCAL_HEADER.size + local[-2] + local[-1] + header.length
        if start + size > path.stat().st_size:
            raise EOFError("it ends too early")
        return MappedRows(path, start, header.shape, header.dtype)
    if size > LARGEST_UNPACKED:
        raise DatasetError(
            f"{path}: {key} is compressed and has {size >> 30} GiB; save it without compression "
            f"(numpy.savez), so that it is read in parts"
        )
    content = bytearray()
    with LateProgress(f"unpacking {path.name}", size, "bytes") as bar, archive.open(member) as file:
        file.read(header.length)
        while block := file.read(1 << 22):
            content += block
            bar.update(len(block))
    flat = np.frombuffer(content, header.dtype)
    if header.by_columns:
        return ArrayRows(flat.reshape(header.shape[::-1]).T)
    return ArrayRows(flat.reshape(header.shape))


def open_npy(path: Path) -> ImageRows:
    """Images of a .npy file, memory-mapped."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # as many as NumPy has for a damaged header
        reason = str(error).partition("\n")[0]
        raise DatasetError(f"{path} is damaged or holds no plain array ({reason})") from error
    if not isinstance(array, np.memmap) or np.isfortran(array):
        return ArrayRows(np.asarray(array))
    return MappedRows(path, array.offset, array.shape, array.dtype)


def open_hdf5(path: Path, images: str | None, factors: str | None) -> Opened:
    """An HDF5 file. Images stay in the file."""
    h5py = import_h5py(path)
    try:
        with h5py.File(path, "r") as file:
            arrays = Hdf5Arrays(path, file, matlab=False)
            shapes = {name: tuple(getattr(file[name], "shape", ())) for name in arrays}
            image_key = _image_key(path, shapes, images)
            item = file[image_key]
            if item.external or item.is_virtual:
                raise DatasetError(
                    f"{path}: {image_key} keeps its values in other files, which are not opened"
                )
            factor_key = _factor_key(path, list(arrays), factors, image_key)
            value = None if factor_key is None else arrays[factor_key]
            names = next((key for key in arrays if key.rpartition("/")[2] in NAMES_OF_FACTORS), None)
            rows = Hdf5Rows(path, image_key, tuple(item.shape), item.dtype)
            known = None if names is None else [str(name) for name in np.asarray(arrays[names]).reshape(-1)]
            return Opened(rows, value, known, image_key, factor_key, _candidates(shapes, image_key))
    except DisentangleMetricsError:
        raise
    except Exception as error:  # as many as HDF5 has for a damaged file
        raise DatasetError(f"{path} is truncated or damaged ({error}); copy the file again") from error


def _image_key(path: Path, shapes: Mapping[str, tuple[int, ...]], asked: str | None) -> str:
    """The array that holds the images: the one asked for, the one called so, or the only one of that form."""
    if asked is not None:
        return _asked(path, list(shapes), asked, "images")
    called = _called(shapes, IMAGE_NAMES)
    forms = [name for name, shape in shapes.items() if len(shape) in (3, 4)]
    if called is not None and (called in forms or not forms):
        return called
    if len(forms) == 1:
        return forms[0]
    has = ", ".join(f"{name} {shape}" for name, shape in shapes.items()) or "no arrays"
    raise DatasetError(
        f"{path} has no array called images (or imgs), but {has}: call the one that holds them so; or say "
        "which, as in `dm.load_dataset(..., images='NAME')`"
    )


def _factor_key(path: Path, keys: list[str], asked: str | None, image_key: str) -> str | None:
    if asked is not None:
        return _asked(path, keys, asked, "factors")
    return _called([key for key in keys if key != image_key], FACTOR_NAMES)


def _candidates(shapes: Mapping[str, tuple[int, ...]], image_key: str) -> tuple[str, ...]:
    """Other arrays of a value or a row for each image, which may be its factors."""
    rows = shapes[image_key][:1]
    return tuple(
        name
        for name, shape in shapes.items()
        if name != image_key and len(shape) in (1, 2) and shape[:1] == rows
    )


def _asked(path: Path, keys: list[str], name: str, role: str) -> str:
    ends = [key for key in keys if key == name or key.rpartition("/")[2] == name]
    if name in keys or len(ends) == 1:
        return name if name in keys else ends[0]
    raise DatasetError(f"{path} has no array {name!r} to read as {role}; it has {', '.join(keys) or 'none'}")


def _called(keys: Iterable[str], names: tuple[str, ...]) -> str | None:
    """The key whose last part is the first of these names, in whatever case."""
    last = {key.rpartition("/")[2].lower(): key for key in reversed(list(keys))}
    return next((last[name] for name in names if name in last), None)
