"""HDF5 files: arrays by their paths, tables of AnnData (.h5ad), and MATLAB's version 7.3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.arrays import refuse_large
from disentangle_metrics.kit.installing import install_line
from disentangle_metrics.kit.limits import refuse_growth


class Hdf5Arrays(Mapping[str, Any]):
    """The arrays of an HDF5 file by their paths, read when asked for.

    Links to other files are not followed. Categorical columns as AnnData writes them are categoricals.
    """

    def __init__(self, path: Path, file: Any, matlab: bool) -> None:
        self.path, self.file, self.matlab = path, file, matlab
        self.is_anndata = "obs" in file and ("obsm" in file or "X" in file)
        self.names = list(_names(import_h5py(path), file, ""))
        if self.is_anndata:
            index = file["obs"].attrs.get("_index", "index") if hasattr(file["obs"], "keys") else ""
            self.names = [name for name in self.names if name != f"obs/{index}"]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, name: str) -> Any:
        return _value(self.path, name, self.file[name], self.matlab)

    def row_labels(self) -> Any:
        """The names of the rows of an AnnData file."""
        obs = self.file["obs"]
        index = obs.attrs.get("_index", "index") if hasattr(obs, "keys") else None
        return None if index not in obs else _value(self.path, "obs", obs[index], False)


def import_h5py(path: Path) -> ModuleType:
    """The module h5py; raises InputError if it is missing."""
    try:
        import h5py
    except ModuleNotFoundError:
        raise InputError(
            f"{path} is an HDF5 file, and reading it needs the package h5py; install it with: "
            f"{install_line('data')}"
        ) from None
    module: ModuleType = h5py
    return module


def _names(h5py: ModuleType, group: Any, prefix: str) -> Iterator[str]:
    for name in group:
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.ExternalLink) or name.startswith(("#", "__")):
            continue
        item = group.get(name)
        if isinstance(item, h5py.Dataset) or (item is not None and _is_one_array(item)):
            yield f"{prefix}{name}"
        elif isinstance(item, h5py.Group):
            yield from _names(h5py, item, f"{prefix}{name}/")


def _is_one_array(group: Any) -> bool:
    """Whether a group is how AnnData writes one array or column."""
    kind = group.attrs.get("encoding-type", group.attrs.get("h5sparse_format", ""))
    return str(kind) in ("categorical", "csr_matrix", "csc_matrix", "csr", "csc") or str(kind).startswith(
        "nullable-"
    )


def _value(path: Path, name: str, item: Any, matlab: bool) -> Any:
    import pandas as pd

    if hasattr(item, "keys"):
        kind = str(item.attrs.get("encoding-type", ""))
        if kind == "categorical":
            codes, levels = item["codes"][:], np.asarray(_value(path, name, item["categories"], False))
            return pd.Series(pd.Categorical.from_codes(codes, levels, ordered=bool(item.attrs["ordered"])))
        if kind.startswith("nullable-"):
            values = pd.Series(_dataset(path, name, item["values"])).astype(object)
            return values.where(~item["mask"][:], None)
        return _sparse(path, name, item)
    values = _dataset(path, name, item)
    if matlab and values.ndim > 1:
        values = values.T  # MATLAB stores columns one after another
        return values.reshape(-1) if values.shape[0] == 1 < values.shape[1] else values
    old = item.attrs.get("categories")  # how AnnData wrote categories before version 0.8
    if old is not None:
        return pd.Series(pd.Categorical.from_codes(values, _dataset(path, name, item.file[old])))
    return values


def _dataset(path: Path, name: str, item: Any) -> Any:
    import h5py

    if item.external or item.is_virtual:
        raise InputError(f"{path}: {name} keeps its values in other files, which are not opened")
    refuse_growth(path, item.size * max(item.dtype.itemsize, 1) if item.size else 0, f"{name} takes")
    if item.attrs.get("MATLAB_class") in (b"char", "char", b"cell", "cell", b"struct", "struct"):
        raise InputError(f"{path}: {name} is text or a cell array of MATLAB; save numbers, or CSV")
    if h5py.check_string_dtype(item.dtype) is not None:
        return np.asarray(item.asstr()[()], dtype=str)
    if item.dtype.kind == "O" or h5py.check_ref_dtype(item.dtype) is not None:
        raise InputError(f"{path}: {name} holds references or lists; save numbers or strings")
    values = item[()]
    return values.astype(str) if getattr(values, "dtype", np.dtype(float)).kind == "S" else values


def _sparse(path: Path, name: str, group: Any) -> Any:
    import scipy.sparse

    shape = tuple(int(side) for side in group.attrs.get("shape", group.attrs.get("h5sparse_shape")))
    refuse_large(shape, group["data"].dtype.itemsize, f"{path}:{name}")
    kind = str(group.attrs.get("encoding-type", group.attrs.get("h5sparse_format", "csr")))
    build = scipy.sparse.csc_array if kind.startswith("csc") else scipy.sparse.csr_array
    parts = tuple(_dataset(path, name, group[part]) for part in ("data", "indices", "indptr"))
    return build(parts, shape=shape)
