"""Which array, or which pair, of an archive of named arrays is meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from disentangle_metrics.errors import InputError
from disentangle_metrics.files.row_names import Role
from disentangle_metrics.inputs.arrays import dense, is_sparse
from disentangle_metrics.inputs.gaussian_posterior import GaussianPosterior
from disentangle_metrics.inputs.posterior_names import NamedPosterior, as_logvar, named_posterior
from disentangle_metrics.text import some_of

if TYPE_CHECKING:
    import pandas as pd

USUAL_NAMES = {
    "latents": ("latents", "latent", "z", "zs", "codes", "embeddings", "embedding", "representations"),
    "factors": ("factors", "labels", "targets", "y", "v", "ground_truth", "latents_classes"),
}
MOST_NAMED = 12  # arrays in a message
SPARSE_PARTS = ({"data", "indices", "indptr", "shape"}, {"data", "row", "col", "shape"})


def choose(path: Path, arrays: Mapping[str, Any], names: list[str], role: Role) -> Any:
    """The array or arrays that are meant: those named; or a posterior; or the one called like its role.

    Raises
    ------
    InputError
        If a name is not there, or it must be said which array is meant.
    """
    known = list(arrays)
    if names:
        names = [_full_name(path, name, known, role) for name in names]
        if len(names) == 1:
            value = plain_array(path, names[0], arrays[names[0]])
            is_factor = role == "factors" and np.ndim(value) == 1
            return _side_by_side(path, {names[0]: value}, names, role) if is_factor else value
        if role == "latents" and len(names) == 2 and (pair := named_posterior(names)) and pair.spread:
            return _posterior(path, arrays, pair)
        return _side_by_side(path, arrays, names, role)
    if not known:
        raise InputError(f"--{role}: {path} holds no arrays")
    if role == "latents":
        try:
            pair = _spelt_posterior(known)
        except InputError as error:
            raise InputError(f"--latents: {path}: {error}; say which as {path}:{known[0]}") from None
        if pair is not None:
            return (
                _posterior(path, arrays, pair)
                if pair.spread
                else plain_array(path, pair.mean, arrays[pair.mean])
            )
    if len(known) == 1:
        return plain_array(path, known[0], arrays[known[0]])
    # An array may lie in groups: the last part of its name is what it is called.
    called = {name: name.rpartition("/")[2] for name in known}
    by_role = [name for name in known if called[name] == role]
    usual = by_role or [name for name in known if called[name] in USUAL_NAMES[role]]
    if len(usual) == 1:
        return plain_array(path, usual[0], arrays[usual[0]])
    if all(name.isdigit() for name in known):
        raise InputError(
            f"--{role}: {path} holds a list of {len(known)} arrays, such as batches; save one array of "
            f"all their rows (torch.cat), or say which one as {path}:{known[0]}"
        )
    columns = " or, of columns, " + f"{path}:NAME,NAME" if role == "factors" else ""
    raise InputError(
        f"--{role}: {path} holds several arrays ({some_of(known, MOST_NAMED)}); say which one as "
        f"{path}:NAME{columns}"
    )


def factors_beside(arrays: Iterable[str], read: Iterable[str]) -> str:
    """The name of the one array, besides those read, that is called as factors are; empty without one."""
    last = {name: name.rpartition("/")[2] for name in arrays}
    taken = {name.rpartition("/")[2] for name in read} or (set(last.values()) if len(last) == 1 else set())
    called = [name for name in last if last[name] in USUAL_NAMES["factors"] and last[name] not in taken]
    return called[0] if len(called) == 1 else ""


def _spelt_posterior(known: list[str]) -> NamedPosterior | None:
    """The posterior that the last parts of the names spell; mean and spread stand in one folder."""
    last = {name.rpartition("/")[2]: name for name in known}
    if len(last) < len(known):
        return named_posterior(known)
    pair = named_posterior(last)
    if pair is None or pair.spread is None:
        return pair if pair is None else NamedPosterior(last[pair.mean])
    mean, spread = last[pair.mean], last[pair.spread]
    if mean.rpartition("/")[0] != spread.rpartition("/")[0]:
        return None
    return NamedPosterior(mean, spread, pair.spread_is)


def _full_name(path: Path, name: str, known: list[str], role: Role) -> str:
    """The name as the file spells it; the last part of a path in it will do."""
    if name in known:
        return name
    ends = [whole for whole in known if whole.rpartition("/")[2] == name or whole == name.strip("/")]
    if len(ends) == 1:
        return ends[0]
    if ends:
        raise InputError(f"--{role}: {path} has several {name!r}: {some_of(ends, MOST_NAMED)}")
    raise InputError(f"--{role}: {path} has no {name!r}; it has {some_of(known, MOST_NAMED)}")


def _posterior(path: Path, arrays: Mapping[str, Any], pair: NamedPosterior) -> GaussianPosterior:
    spread = str(pair.spread)
    mean = as_column(plain_array(path, pair.mean, arrays[pair.mean]))
    values = as_column(plain_array(path, spread, arrays[spread]))
    try:
        return GaussianPosterior(mean, as_logvar(values, pair.spread_is, spread))
    except InputError as error:
        raise InputError(
            f"--latents: {path}: {error}, or score the means alone: {path}:{pair.mean}"
        ) from None


def plain_array(path: Path, name: str, value: Any) -> Any:
    """The array, written out if it is sparse.

    Raises
    ------
    InputError
        If it holds Python objects.
    """
    if is_sparse(value):
        return dense(value, f"{path}:{name}")
    # A column in which values may be missing is a Series of objects, made where the file was read.
    if getattr(value, "dtype", None) is not None and value.dtype == object and not hasattr(value, "iloc"):
        raise InputError(f"{path}: {name} holds objects; save numbers or strings in it")
    return value


def as_column(value: Any) -> Any:
    """A vector as one column; anything else as it is."""
    return value[:, None] if isinstance(value, np.ndarray) and value.ndim == 1 else value


def _side_by_side(path: Path, arrays: Mapping[str, Any], names: list[str], role: Role) -> pd.DataFrame:
    import pandas as pd

    columns = {name: plain_array(path, name, arrays[name]) for name in names}
    shapes = {name: np.shape(column) for name, column in columns.items()}
    flat = dict(columns)
    for name, column in columns.items():
        if isinstance(column, np.ndarray) and column.ndim == 2 and 1 in column.shape:
            flat[name] = column.reshape(-1)
    if len({len(column) for column in flat.values()}) > 1 or any(np.ndim(c) != 1 for c in flat.values()):
        found = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise InputError(f"--{role}: arrays side by side must be columns of one length; {path} has {found}")
    short = {name: name.rpartition("/")[2] for name in names}
    keys = short if len(set(short.values())) == len(short) else {name: name for name in names}
    return pd.DataFrame(
        {keys[name]: pd.Series(column).reset_index(drop=True) for name, column in flat.items()}
    )
