"""Archives of named arrays: .npz, safetensors, MATLAB's .mat, tensors saved by PyTorch."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.encoders.sniffing import FileKind
from disentangle_metrics.encoders.torch_save import tensors_only
from disentangle_metrics.encoders.zip_archives import refuse_large_archive
from disentangle_metrics.errors import InputError
from disentangle_metrics.files.named_arrays import SPARSE_PARTS
from disentangle_metrics.inputs.arrays import refuse_large, to_numpy
from disentangle_metrics.kit.limits import refuse_growth

SAFETENSORS_TYPES = {
    **{f"F{bits}": f"<f{bits // 8}" for bits in (16, 32, 64)},
    **{f"I{bits}": f"<i{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"U{bits}": f"<u{bits // 8}" for bits in (8, 16, 32, 64)},
    "BOOL": "?",
}
LARGEST_HEADER = 2**20


def read_npz(path: Path) -> dict[str, Any]:
    """The arrays of a .npz file; one that SciPy wrote for a sparse array is that array, called ``sparse``.

    Raises
    ------
    InputError
        If a sparse array is too large to be written out.
    """
    refuse_large_archive(path)
    _check_headers(path)
    with np.load(path, allow_pickle=False) as arrays:
        names = set(arrays.files)
        if "format" in names and any(parts <= names for parts in SPARSE_PARTS):
            import scipy.sparse

            refuse_large(arrays["shape"], arrays["data"].dtype.itemsize, str(path))
            return {"sparse": scipy.sparse.load_npz(path)}
        return {name: arrays[name] for name in arrays.files}


def read_npy(path: Path) -> NDArray[Any]:
    """The array of a .npy file.

    Raises
    ------
    InputError
        If it holds less than it says, or is far larger than what is stored.
    """
    with path.open("rb") as file:
        _check_array(path, "the array", file, path.stat().st_size)
    array: NDArray[Any] = np.load(path, allow_pickle=False)
    return array


def _check_headers(path: Path) -> None:
    """Raise InputError if an array in the archive holds less than it says."""
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            with archive.open(member) as file:
                _check_array(path, member.filename, file, member.file_size)


def _check_array(path: Path, name: str, file: IO[bytes], held: int) -> None:
    """Raise InputError if an array's description of itself is not that of the `held` bytes it is in."""
    start = file.read(12)
    if not start.startswith(b"\x93NUMPY"):
        return  # its reader says so
    version = (start[6], start[7])
    length = int.from_bytes(start[8 : 10 if version[0] == 1 else 12], "little")
    if length > LARGEST_HEADER:
        raise InputError(f"{path}: the header of {name} says that it has {length:,} bytes; none has")
    header = io.BytesIO(start[8:] + file.read(length))
    numpy = np.lib.format
    described = numpy.read_array_header_1_0 if version[0] == 1 else numpy.read_array_header_2_0
    shape, _, dtype = described(header)
    if dtype.hasobject:
        return  # they are not read
    count = math.prod(shape)
    if min(shape, default=1) < 0 or count * dtype.itemsize > held or (count > held and not dtype.itemsize):
        raise InputError(
            f"{path}: {name} says that it has the shape {shape} of {dtype}, {count * dtype.itemsize:,} "
            f"bytes, and holds {held:,}; it may be truncated or damaged"
        )
    refuse_growth(path, count * dtype.itemsize, f"{name} takes")


def read_safetensors(path: Path) -> dict[str, NDArray[Any]]:
    """The tensors of a safetensors file; bfloat16 becomes single precision.

    Raises
    ------
    InputError
        If the package is missing, the file is damaged, or a type is one that NumPy has not.
    """
    try:
        from safetensors import SafetensorError, deserialize
    except ModuleNotFoundError:
        raise InputError(
            f"{path} is a safetensors file; to read it, install the package: pip install safetensors"
        ) from None
    try:
        tensors = deserialize(path.read_bytes())  # type: ignore[no-untyped-call]
    except (SafetensorError, ValueError) as error:
        raise InputError(
            f"{path} is a safetensors file that cannot be read; it may be truncated or damaged ({error})"
        ) from error
    return {name: _from_bytes(path, name, tensor) for name, tensor in tensors}


def _from_bytes(path: Path, name: str, tensor: Mapping[str, Any]) -> NDArray[Any]:
    dtype, shape = str(tensor["dtype"]).upper().removeprefix("DTYPE."), tensor["shape"]
    if dtype in ("BF16", "BFLOAT16"):
        halves = np.frombuffer(tensor["data"], dtype="<u2").astype(np.uint32)
        return (halves << 16).view(np.float32).reshape(shape)
    if dtype not in SAFETENSORS_TYPES:
        raise InputError(f"{path}: {name} has the type {dtype}, which NumPy has not; save it as float32")
    return np.frombuffer(tensor["data"], dtype=SAFETENSORS_TYPES[dtype]).reshape(shape)


def read_mat(path: Path) -> dict[str, Any]:
    """The variables of a MATLAB file of version 5 to 7; rows of one dimension become columns.

    Raises
    ------
    InputError
        If it holds no variables that are arrays.
    """
    import scipy.io

    sizes = [8 * math.prod(shape) for _, shape, _ in scipy.io.whosmat(path)]
    refuse_growth(path, sum(sizes), "its variables take")
    variables = {name: value for name, value in scipy.io.loadmat(path).items() if not name.startswith("__")}
    return {name: _from_matlab(value) for name, value in variables.items()}


def _from_matlab(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    if value.dtype == object and all(
        isinstance(cell, np.ndarray) and cell.dtype.kind == "U" and cell.size <= 1 for cell in value.flat
    ):
        value = np.array([str(cell[0]) if cell.size else "" for cell in value.flat]).reshape(value.shape)
    return value.reshape(-1) if value.ndim == 2 and value.shape[0] == 1 < value.shape[1] else value


def read_tensors(path: Path, kind: FileKind) -> dict[str, NDArray[Any]]:
    """The tensors that torch.save wrote: one, called ``tensor``, or a dictionary or list of them.

    Raises
    ------
    InputError
        If PyTorch is missing, or the file holds more than tensors; nothing in it runs.
    """
    if kind is FileKind.TORCH_SAVE:
        refuse_large_archive(path)
    tensors = tensors_only(path, kind)
    return {name: to_numpy(value, f"{path}:{name}") for name, value in tensors.items()}
