"""Latents and factors from a file, whatever its form; ``FILE:NAME,...`` chooses arrays or columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from disentangle_metrics.encoders.pytorch import import_torch
from disentangle_metrics.encoders.sniffing import FileKind, file_kind
from disentangle_metrics.errors import InputError, ModelFileError
from disentangle_metrics.files import archives, frames
from disentangle_metrics.files.compressed import OPENERS, unpacked
from disentangle_metrics.files.hdf5 import Hdf5Arrays, import_h5py
from disentangle_metrics.files.named_arrays import as_column, choose, factors_beside
from disentangle_metrics.files.row_names import Role, has_column, name_rows, with_index, without_columns
from disentangle_metrics.files.text_table import read_text_table
from disentangle_metrics.inputs.factor import ABSENT_ADVICE, MISSING_ADVICE
from disentangle_metrics.inputs.gaussian_posterior import GaussianPosterior
from disentangle_metrics.kit.files import expanded
from disentangle_metrics.kit.limits import reading, refuse_growth

if TYPE_CHECKING:
    import pandas as pd

ADVICE = {
    FileKind.TORCHSCRIPT: "a program is no array; save the tensor with torch.save or numpy.save",
    FileKind.PICKLE: "a pickle can run code and is not read; save the array with numpy.save",
    FileKind.EXCEL: "save the sheet as CSV, or as Parquet with pandas.read_excel(path).to_parquet(...)",
    FileKind.R_DATA: "save the table with write.csv(x, file, row.names = FALSE)",
    FileKind.ORC: "save the table as Parquet",
    FileKind.ZSTANDARD: "unpack it first: unzstd",
    FileKind.GIT_LFS_POINTER: "fetch the file with: git lfs pull",
    FileKind.ONNX: "a model is scored as dm-eval MODEL --dataset NAME",
}
ACCEPTED = (
    "accepted: .npy, .npz, .csv and other text tables, .safetensors, .parquet, .feather, .h5, "
    ".h5ad, .mat, .pt, .json, also compressed"
)
ARCHIVES: dict[FileKind, Callable[[Path], Mapping[str, Any]]] = {
    FileKind.NPZ: archives.read_npz,
    FileKind.SAFETENSORS: archives.read_safetensors,
    FileKind.MAT: archives.read_mat,
    FileKind.TORCH_SAVE: lambda path: archives.read_tensors(path, FileKind.TORCH_SAVE),
    FileKind.TORCH_SAVE_LEGACY: lambda path: archives.read_tensors(path, FileKind.TORCH_SAVE_LEGACY),
}
FRAMES: dict[FileKind, Callable[[Path], Any]] = {
    FileKind.PARQUET: frames.read_parquet,
    FileKind.ARROW: frames.read_arrow,
    FileKind.JSON: frames.read_json,
}


@dataclass(frozen=True)
class ArrayFile:
    """What was read, where from, and what the user should know of it."""

    path: Path
    value: Any
    rows: int
    has_header: bool | None = None  # of a text table
    empty: int = 0  # its last rows without a cell, which were left out
    labelled: bool = False  # whether its rows have labels
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()  # those of the notes that say which column is left out
    choosable: tuple[str, ...] = ()  # the columns that --index-col and --drop-columns may name
    factors: str = ""  # an array of factors that lies beside the latents which were read


@dataclass(frozen=True)
class Choices:
    """What the user decided about both files."""

    index_col: str | None = None
    drop_columns: tuple[str, ...] = ()
    missing: str = "drop"  # "raise" refuses missing values here, where the cell is known
    one_file: bool = False  # whether latents and factors are columns of one file


def read_array(text: str, role: Role, choices: Choices | None = None) -> ArrayFile:
    """Read ``FILE`` or ``FILE:NAME,...`` as latents or factors.

    An archive with a mean and a spread is a posterior; one with several arrays gives the one that is
    called like its role. Columns that name the rows of a table are left out, and told.

    Raises
    ------
    InputError
        If the file is missing, damaged, of another kind, or it must be said what is meant.
    """
    choices = choices or Choices()
    try:
        path, names = split_names(text)
        found = path.exists()
    except OSError as error:
        raise InputError(f"--{role}: {text[:80]!r} is no path ({error.strerror})") from error
    try:
        if not found:
            hint = f"; columns of a table are FILE:{text}" if "," in text else ""
            raise InputError(f"--{role}: no such file: {path}{hint}")
        if path.is_dir():
            raise InputError(f"--{role}: {path} is a folder; give a file in it")
        if not path.is_file():
            raise InputError(f"--{role}: {path} is a device or a pipe; save what comes from it as a file")
        _import_readers(path)
        with reading(path):
            file = _read(path, names, role, choices)
    except ModelFileError as error:
        raise InputError(f"--{role}: {error}") from error
    except InputError as error:
        raise (error if str(error).startswith("--") else InputError(f"--{role}: {error}")) from error
    except MemoryError as error:
        raise InputError(f"--{role}: {path} does not fit into memory") from error
    except Exception as error:  # a damaged file fails in as many ways as there are readers
        if "allow_pickle" in str(error):
            raise InputError(
                f"--{role}: {path} holds Python objects, which could run code and are not read; "
                f"save numbers, or strings with array.astype(str)"
            ) from error
        reason = str(error).partition("\n")[0][:200]
        raise InputError(
            f"--{role}: {path} is {file_kind(path).value} that cannot be read; it may be truncated or "
            f"damaged ({reason})"
        ) from error
    return replace(file, path=path)


def _import_readers(path: Path) -> None:
    """Import what takes long to import, before the time for reading begins."""
    with reading(path):
        kind = file_kind(path)
    if kind in (FileKind.TORCH_SAVE, FileKind.TORCH_SAVE_LEGACY):
        import_torch()
    import pandas  # noqa: F401


def _read(path: Path, names: list[str], role: Role, choices: Choices) -> ArrayFile:
    kind = file_kind(path)
    if kind in OPENERS:
        with unpacked(path, kind) as copy:
            try:
                file = _read(copy, names, role, choices)
            except InputError as error:
                raise InputError(str(error).replace(str(copy), str(path))) from error
            notes, left_out = (
                tuple(note.replace(str(copy), str(path)) for note in texts)
                for texts in (file.notes, file.left_out)
            )
            return replace(file, notes=notes, left_out=left_out)
    if kind is FileKind.TEXT:
        return _from_text(path, names, role, choices)
    if kind in FRAMES:
        frame = FRAMES[kind](path)
        rows = with_index(path, frame, role, names)
        file = _from_frame(path, rows.frame, names, role, choices, named=True, labelled=rows.labelled)
        notes, left_out = ((*rows.notes, *texts) for texts in (file.notes, file.left_out))
        return replace(file, notes=notes, left_out=left_out)
    if kind in (FileKind.HDF5, FileKind.MAT_HDF5):
        return _from_hdf5(path, kind, names, role, choices)
    if kind is FileKind.NPY:
        if names:
            raise InputError(f"{path} holds one array without a name; leave out :{','.join(names)}")
        value: Any = archives.read_npy(path)
        if value.dtype.names:
            import pandas as pd

            return _from_frame(path, pd.DataFrame(value), [], role, choices, named=True)
        return _made(path, value)
    if kind in ARCHIVES:
        arrays = ARCHIVES[kind](path)
        value = choose(path, arrays, names, role)
        if kind in (FileKind.TORCH_SAVE, FileKind.TORCH_SAVE_LEGACY) and hasattr(value, "numpy"):
            value = value.numpy()
        beside = factors_beside(arrays, names) if role == "latents" else ""
        return replace(_made(path, value), factors=beside)
    raise InputError(f"{path} is {kind.value}; {ADVICE.get(kind, ACCEPTED)}")


def split_names(text: str) -> tuple[Path, list[str]]:
    """The path, and the names after its last colon; a path may itself hold colons."""
    whole = expanded(text)
    before, colon, after = text.rpartition(":")
    path = expanded(before)
    if not colon or whole.exists() or not path.exists():
        return whole, []
    return path, [name.strip() for name in after.split(",") if name.strip()]


def _made(path: Path, value: Any) -> ArrayFile:
    if isinstance(value, GaussianPosterior):
        return ArrayFile(path, value, len(value.mean))
    if not hasattr(value, "columns"):
        value = value.to_frame() if hasattr(value, "to_frame") else as_column(np.asarray(value))
    if np.ndim(value) == 0:
        raise InputError(f"{path} holds a single value, {value}")
    refuse_growth(path, math.prod(np.shape(value)) * 8, "what it holds takes")
    return ArrayFile(path, value, len(value))


def _from_text(path: Path, names: list[str], role: Role, choices: Choices) -> ArrayFile:
    table = read_text_table(path, empty_end=choices.missing != "raise")
    file = _from_frame(path, table.frame, names, role, choices, named=table.has_header)
    if choices.missing == "raise":
        advice = ABSENT_ADVICE if role == "factors" else MISSING_ADVICE
        for name in map(str, file.value.columns):
            if (found := table.missing.get(name)) is not None:
                shown = repr(found.cell) if found.cell else "an empty cell"
                raise InputError(
                    f"--{role}: {role.removesuffix('s')} {name!r} has a missing or infinite value in row "
                    f"{found.row} ({found.count:,} in all), {shown} of {path}: {advice}"
                )
    return replace(file, has_header=table.has_header, empty=table.empty, notes=(*table.notes, *file.notes))


def _from_frame(
    path: Path,
    frame: pd.DataFrame,
    names: list[str],
    role: Role,
    choices: Choices,
    *,
    named: bool,
    labelled: bool = False,
    wanted: list[str] | None = None,
) -> ArrayFile:
    whole = [str(column) or "(no name)" for column in frame.columns]
    choosable = (*filter(None, map(str, frame.columns)), *map(str, range(frame.shape[1])))
    index_col = choices.index_col if choices.index_col and has_column(frame, choices.index_col) else None
    dropped = [name for name in choices.drop_columns if has_column(frame, name)]
    if labelled:  # a place is one of another file, whose labels are a column
        names_here = {str(column) for column in frame.columns}
        index_col = index_col if named and index_col in names_here else None
        dropped = [name for name in dropped if name in names_here]
    if index_col is None or index_col not in dropped:
        frame = without_columns(frame, dropped)
    found = name_rows(path, frame, role, index_col, names if wanted is None else wanted, labelled=labelled)
    rows, labelled, notes = found.frame, found.labelled, tuple(found.notes)
    rows = without_columns(rows, [name for name in dropped if name in map(str, rows.columns)])
    if names:
        known = [str(column) for column in rows.columns] if named else []
        if missing := [name for name in names if name not in known]:
            has = f"it has {', '.join(whole)}" if known else "its columns have no names"
            raise InputError(f"{path} has no {missing[0]!r}; {has}")
        rows = rows.iloc[:, [known.index(name) for name in names]]
    if not rows.shape[1]:
        raise InputError(f"{path} has no column left")
    if role == "latents":
        _check_numbers(path, rows, choices.one_file)
    if not named:
        stem = {"latents": "z", "factors": "factor"}[role]
        rows = rows.set_axis([f"{stem}_{place}" for place in range(rows.shape[1])], axis=1)
    return ArrayFile(
        path, rows, len(rows), notes=notes, left_out=notes, labelled=labelled, choosable=choosable
    )


def _check_numbers(path: Path, frame: pd.DataFrame, one_file: bool) -> None:
    import pandas as pd

    for name, column in frame.items():
        if pd.api.types.is_numeric_dtype(column):
            continue
        bad = pd.to_numeric(column, errors="coerce").isna().to_numpy() & column.notna().to_numpy()
        if bad.any():
            row = int(np.argmax(bad))
            alone = frame.shape[1] == 1
            lists = isinstance(column.iloc[row], list | tuple | np.ndarray)
            remedy = "give each number a column of its own" if lists else "give columns of numbers"
            if one_file:
                remedy = f"name the columns of each: --latents {path}:NAME,NAME --factors {path}:NAME,NAME"
            elif not alone:
                remedy = f"leave a column out with --drop-columns {name}"
            raise InputError(
                f"{path} has {column.iloc[row]!r} in row {row}, column {name}; latents must be numbers "
                f"({remedy})"
            )


def _from_hdf5(path: Path, kind: FileKind, names: list[str], role: Role, choices: Choices) -> ArrayFile:
    h5py = import_h5py(path)
    with h5py.File(path, "r") as file:
        if "layer_names" in file.attrs or "model_weights" in file:
            raise InputError(f"{path} holds the weights of a Keras model, and no arrays to score")
        if any("pandas_type" in getattr(item, "attrs", {}) for item in file.values()):
            raise InputError(
                f"{path} was written by pandas' to_hdf, which stores pickles; save the table with to_parquet"
            )
        arrays = Hdf5Arrays(path, file, kind is FileKind.MAT_HDF5)
        if not arrays.is_anndata:
            beside = factors_beside(arrays, names) if role == "latents" else ""
            return replace(_made(path, choose(path, arrays, names, role)), factors=beside)
        folder = "obsm/" if role == "latents" else "obs/"
        columns = [name for name in arrays if name.startswith(folder)]
        if not names and role == "factors":
            names = columns
        kept = {name: arrays[name] for name in ([*columns] if not names else _known(path, arrays, names))}
        value = choose(path, kept, names, role)
        labels = arrays.row_labels()
        frame = _frame_of(value, labels)
        return _from_frame(
            path,
            frame,
            [],
            role,
            choices,
            named=hasattr(value, "columns"),
            labelled=labels is not None,
            wanted=[str(column) for column in frame.columns],
        )


def _known(path: Path, arrays: Hdf5Arrays, names: list[str]) -> list[str]:
    full = [name for name in arrays if name in names or name.rpartition("/")[2] in names]
    if len(full) < len(names):
        known = [name for name in arrays if name.startswith(("obs/", "obsm/"))]
        odd = next(n for n in names if all(n not in (whole, whole.rpartition("/")[2]) for whole in full))
        raise InputError(f"{path} has no {odd!r}; it has {', '.join(known[:12])}")
    return full


def _frame_of(value: Any, labels: Any) -> pd.DataFrame:
    import pandas as pd

    frame = value if hasattr(value, "columns") else pd.DataFrame(as_column(np.asarray(value)))
    if isinstance(value, pd.Series):
        frame = value.to_frame()
    return frame if labels is None else frame.set_axis(pd.Index(labels), axis=0)
