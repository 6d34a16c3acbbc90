"""Latents and factors from files: .npy, .npz, .csv or .safetensors, told apart by their content.

None of the readers can run code. ``FILE:NAME`` chooses an array of an archive or a column of a
table, and ``FILE:NAME,NAME`` several, side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.cli.csv_table import read_csv
from disentangle_metrics.encoders.sniffing import FileKind, file_kind
from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.gaussian_posterior import GaussianPosterior

if TYPE_CHECKING:
    import pandas as pd

Role = Literal["latents", "factors"]
ADVICE = {
    FileKind.TORCH_SAVE: "save the tensor with numpy.save(path, tensor.cpu().numpy())",
    FileKind.TORCH_SAVE_LEGACY: "save the tensor with numpy.save(path, tensor.cpu().numpy())",
    FileKind.PICKLE: "a pickle can run code and is not read; save the array with numpy.save",
}
ACCEPTED = "accepted: .npy, .npz, .csv, .safetensors"


@dataclass(frozen=True)
class ArrayFile:
    """What was read, and where from."""

    path: Path
    value: Any
    rows: int
    has_header: bool | None = None  # of a CSV file


def read_array(text: str, role: Role) -> ArrayFile:
    """Read ``FILE`` or ``FILE:NAME,...`` as latents or factors.

    An archive with the arrays ``mean`` and ``logvar`` is a posterior; one with several arrays gives
    the one that is called like its role.

    Raises
    ------
    InputError
        If the file is missing, damaged, of another kind, or it must be said which array is meant.
    """
    path, names = _split(text)
    if not path.exists():
        raise InputError(f"--{role}: no such file: {path}")
    try:
        kind = file_kind(path)
        if kind is FileKind.TEXT:
            return _from_csv(path, names, role)
        if kind is FileKind.NPY:
            if names:
                raise InputError(
                    f"--{role}: {path} holds one array without a name; leave out :{','.join(names)}"
                )
            value: Any = np.load(path, allow_pickle=False)
        elif kind is FileKind.NPZ:
            with np.load(path, allow_pickle=False) as arrays:
                value = _choose(path, arrays, names, role)
        elif kind is FileKind.SAFETENSORS:
            value = _choose(path, _safetensors(path), names, role)
        else:
            raise InputError(f"--{role}: {path} is {kind.value}; {ADVICE.get(kind, ACCEPTED)}")
    except InputError:
        raise
    except Exception as error:  # a damaged file fails in as many ways as there are readers
        if "allow_pickle" in str(error):
            raise InputError(
                f"--{role}: {path} holds Python objects, which could run code and are not read; "
                f"save numbers, or strings with array.astype(str)"
            ) from error
        raise InputError(
            f"--{role}: {path} cannot be read; it may be truncated or damaged ({error})"
        ) from error
    if isinstance(value, GaussianPosterior):
        return ArrayFile(path, value, len(value.mean))
    return ArrayFile(path, _column(value), len(_column(value)))


def check_rows(latents: ArrayFile, factors: ArrayFile) -> None:
    """Refuse files of different lengths, with the likely reason.

    Raises
    ------
    InputError
        If the numbers of rows differ.
    """
    if latents.rows == factors.rows:
        return
    hints = [
        f"the first line of {file.path} was taken for {'names' if file.has_header else 'data'}"
        for file in (latents, factors)
        if file.has_header is not None and abs(latents.rows - factors.rows) == 1
    ]
    hint = f" ({'; '.join(hints)})" if hints else ""
    raise InputError(
        f"{latents.path} has {latents.rows:,} rows but {factors.path} has {factors.rows:,}; row i of both "
        f"must describe the same sample{hint}"
    )


def _split(text: str) -> tuple[Path, list[str]]:
    """The path, and the names after its last colon; a path may itself hold colons."""
    whole = Path(text).expanduser()
    before, colon, after = text.rpartition(":")
    path = Path(before).expanduser()
    if not colon or whole.exists() or not path.exists():
        return whole, []
    return path, [name.strip() for name in after.split(",") if name.strip()]


def _from_csv(path: Path, names: list[str], role: Role) -> ArrayFile:
    table = read_csv(path)
    frame = table.frame
    if names:
        _check_names(path, names, [str(column) for column in frame.columns] if table.has_header else [], role)
        frame = frame[names]
    if role == "latents":
        _check_numbers(path, frame, table.has_header)
    value: Any = frame if table.has_header else _unnamed(frame, role)
    return ArrayFile(path, value, len(frame), table.has_header)


def _unnamed(frame: pd.DataFrame, role: Role) -> pd.DataFrame:
    """The frame with the names that columns without names have elsewhere."""
    stem = {"latents": "z", "factors": "factor"}[role]
    return frame.set_axis([f"{stem}_{i}" for i in range(frame.shape[1])], axis=1)


def _check_numbers(path: Path, frame: pd.DataFrame, has_header: bool) -> None:
    import pandas as pd

    for name, column in frame.items():
        if not pd.api.types.is_numeric_dtype(column):
            bad = pd.to_numeric(column, errors="coerce").isna().to_numpy()
            row = int(np.argmax(bad))
            raise InputError(
                f"--latents: {path} has {column.iloc[row]!r} in row {row}, column {name}; latents must be "
                "numbers"
            )


def _check_names(path: Path, names: list[str], known: list[str], role: Role) -> None:
    if missing := [name for name in names if name not in known]:
        has = f"it has {', '.join(known)}" if known else "its columns have no names"
        raise InputError(f"--{role}: {path} has no {missing[0]!r}; {has}")


def _choose(path: Path, arrays: Mapping[str, Any], names: list[str], role: Role) -> Any:
    """The array or arrays of an archive that are meant."""
    known = list(arrays)
    if names:
        _check_names(path, names, known, role)
        return arrays[names[0]] if len(names) == 1 else _side_by_side(path, arrays, names, role)
    if role == "latents" and {"mean", "logvar"} <= set(known):
        return GaussianPosterior(_column(arrays["mean"]), _column(arrays["logvar"]))
    if len(known) == 1:
        return arrays[known[0]]
    if role in known:
        return arrays[role]
    if not known:
        raise InputError(f"--{role}: {path} holds no arrays")
    raise InputError(
        f"--{role}: {path} holds several arrays ({', '.join(known)}); say which one as {path}:{known[0]}"
    )


def _side_by_side(path: Path, arrays: Mapping[str, Any], names: list[str], role: Role) -> pd.DataFrame:
    import pandas as pd

    columns = {name: np.squeeze(np.asarray(arrays[name])) for name in names}
    shapes = {column.shape for column in columns.values()}
    if len(shapes) > 1 or any(len(shape) != 1 for shape in shapes):
        found = ", ".join(f"{name} {column.shape}" for name, column in columns.items())
        raise InputError(f"--{role}: arrays side by side must be columns of one length; {path} has {found}")
    return pd.DataFrame(columns)


def _safetensors(path: Path) -> dict[str, NDArray[Any]]:
    try:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file
    except ModuleNotFoundError:
        raise InputError(
            f"{path} is a safetensors file; to read it, install the package: pip install safetensors"
        ) from None
    try:
        arrays: dict[str, NDArray[Any]] = load_file(path)
    except (
        SafetensorError,
        TypeError,
        KeyError,
        AttributeError,
    ) as error:  # the last three: no such NumPy type
        raise InputError(
            f"{path} is a safetensors file that cannot be read as NumPy arrays ({error})"
        ) from error
    return arrays


def _column(value: Any) -> Any:
    """A vector as one column; anything else as it is."""
    return value[:, None] if isinstance(value, np.ndarray) and value.ndim == 1 else value
