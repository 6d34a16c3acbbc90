"""Check latents and factors once, at the door, and turn them into what every metric reads.

Anything that can become a NumPy array is taken (NumPy, PyTorch on any device, JAX, TensorFlow,
CuPy, pandas, polars, Dask, lists), and no framework is imported to find out.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import InputError
from disentangle_metrics.estimators.binning import chunks, distinct

Kind = Literal["categorical", "ordinal", "continuous"]
KINDS: tuple[Kind, ...] = ("categorical", "ordinal", "continuous")
NOISELESS = 1e-8  # deviation of a posterior that is as good as a point
LARGEST = 1e150  # squares of larger numbers overflow


@dataclass(frozen=True)
class GaussianPosterior:
    """The posterior q(z | x) of every row: independent normals.

    Parameters
    ----------
    mean
        Shape (N, D): the means.
    logvar
        Shape (N, D): the natural logarithms of the variances.
    """

    mean: Any
    logvar: Any


@dataclass(frozen=True)
class Factor:
    """One checked factor.

    A categorical or ordinal factor has `codes` (N,) in 0 .. len(levels) - 1 and `numbers`
    (len(levels),): the numeric value of each level (its code where the level is no number). A
    continuous one has `values` (N,), float64.
    """

    name: str
    kind: Kind
    codes: NDArray[np.integer] | None = None
    levels: tuple[Any, ...] = ()
    numbers: NDArray[np.float64] | None = None
    values: NDArray[np.float64] | None = None

    def as_numbers(self) -> NDArray[np.float64]:
        """The factor as one float64 column (N,)."""
        if self.values is not None:
            return self.values
        return self.level_numbers()[self.codes]

    def level_numbers(self) -> NDArray[np.float64]:
        """The numeric value of each level of a categorical or ordinal factor."""
        return cast("NDArray[np.float64]", self.numbers)

    def rows(self, index: NDArray[np.integer]) -> Factor:
        """The factor at these rows, in this order; all its levels stay."""
        return replace(
            self,
            codes=None if self.codes is None else self.codes[index],
            values=None if self.values is None else self.values[index],
        )


@dataclass(frozen=True)
class Inputs:
    """Checked input: `latents` (N, D) floating, `logvar` (N, D) or None, and K factors (none: K = 0)."""

    latents: NDArray[np.floating]
    logvar: NDArray[np.floating] | None
    latent_names: tuple[str, ...]
    factors: tuple[Factor, ...]
    warnings: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """(N, D, K)."""
        rows, latents = self.latents.shape
        return rows, latents, len(self.factors)

    @property
    def factor_names(self) -> tuple[str, ...]:
        """Names of the factors."""
        return tuple(factor.name for factor in self.factors)

    def rows(self, index: NDArray[np.integer]) -> Inputs:
        """These rows, in this order."""
        return replace(
            self,
            latents=self.latents[index],
            logvar=None if self.logvar is None else self.logvar[index],
            factors=tuple(factor.rows(index) for factor in self.factors),
        )

    def shuffled(self, order: NDArray[np.integer]) -> Inputs:
        """The same latents with the rows of the factors in another order."""
        return replace(self, factors=tuple(factor.rows(order) for factor in self.factors))

    def ideal(self) -> Inputs:
        """The factors themselves as the code: ordinal codes for categories, values otherwise.

        Where posteriors were given they are posteriors almost without noise, and scaled to deviation
        1 like their prior, since thresholds on their variance have a meaning.
        """
        columns = [f.values if f.codes is None else f.codes for f in self.factors]
        latents = np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1)
        logvar = None
        if self.logvar is not None:
            deviation = latents.std(axis=0)
            latents /= np.where(deviation > 0, deviation, 1.0)
            logvar = np.full(latents.shape, 2 * np.log(NOISELESS))
        return replace(self, latents=latents, logvar=logvar, latent_names=self.factor_names)


def check(
    latents: Any,
    factors: Any,
    *,
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | None = None,
    latent_names: Iterable[str] | None = None,
) -> Inputs:
    """Check latents (N, D) or a :class:`GaussianPosterior`, and factors (N, K).

    Parameters
    ----------
    latents
        Floating numbers, finite.
    factors
        An array or DataFrame; None for metrics that read the latents alone. Integers, strings,
        booleans and categoricals are categories (ordered categoricals are ordinal); floats with a
        fractional part are continuous.
    factor_names, latent_names
        Names; by default those of the DataFrame's columns, else ``factor_0`` and ``z_0`` onwards.
    factor_types
        For each factor, or by name, "categorical", "ordinal" or "continuous".

    Raises
    ------
    InputError
        If something cannot be used; the message names the argument, what was found and the fix.
    """
    logvar: NDArray[np.floating] | None = None
    if isinstance(latents, GaussianPosterior):
        mean, logvar = _latents(latents.mean, "latents.mean"), _latents(latents.logvar, "latents.logvar")
        if mean.shape != logvar.shape:
            raise InputError(f"`latents.mean` has shape {mean.shape} but `latents.logvar` {logvar.shape}")
        names = _column_names(latents.mean)
    else:
        mean, names = _latents(latents, "latents"), _column_names(latents)
    latent_labels = _names(latent_names, names, "z", mean.shape[1], "latent_names")
    if factors is None:
        return Inputs(mean, logvar, latent_labels, ())
    columns, column_names = _factor_columns(factors)
    rows = len(columns[0])
    if rows != len(mean):
        raise InputError(_row_mismatch(mean, rows))
    factor_labels = _names(factor_names, column_names, "factor", len(columns), "factor_names")
    kinds = _kinds(factor_types, factor_labels)
    checked = tuple(
        _factor(column, name, kind) for column, name, kind in zip(columns, factor_labels, kinds, strict=True)
    )
    return Inputs(mean, logvar, latent_labels, checked, tuple(_warnings(checked, rows)))


def to_numpy(value: Any, argument: str) -> NDArray[Any]:
    """`value` as a NumPy array, wherever it lives.

    Raises
    ------
    InputError
        If it cannot become an array.
    """
    try:
        if hasattr(value, "detach"):  # a PyTorch tensor, perhaps on a GPU or with a gradient
            value = value.detach().cpu()
            if str(value.dtype) in ("torch.bfloat16", "torch.float16"):
                value = value.float()
        if hasattr(value, "get") and type(value).__module__.startswith("cupy"):
            value = value.get()
        if isinstance(value, np.ndarray):
            return value
        if hasattr(value, "to_numpy"):
            return np.asarray(value.to_numpy())
        if not hasattr(value, "__array__") and hasattr(value, "__dlpack__"):
            return np.from_dlpack(value)
        return np.asarray(value)
    except (TypeError, ValueError, RuntimeError, BufferError) as error:
        raise InputError(f"`{argument}` ({type(value).__name__}) cannot become an array: {error}") from error


def _latents(value: Any, argument: str) -> NDArray[np.floating]:
    array = to_numpy(value, argument)
    if array.dtype.kind in "iub":
        array = array.astype(np.float64)
    if array.dtype.kind == "O":  # e.g. a data frame with nullable numbers
        with contextlib.suppress(TypeError, ValueError):
            array = array.astype(np.float64)
    if array.dtype.kind != "f":
        raise InputError(f"`{argument}` must be real numbers, got dtype {array.dtype}")
    if array.dtype.itemsize not in (4, 8):
        array = array.astype(np.float64 if array.dtype.itemsize > 8 else np.float32)
    if array.ndim != 2:
        hint = f"; for one latent pass `{argument}[:, None]`" if array.ndim == 1 else ""
        raise InputError(f"`{argument}` must have shape (N, D), got {array.shape}{hint}")
    if 0 in array.shape:
        raise InputError(f"`{argument}` is empty: shape {array.shape}")
    for rows in chunks(len(array)):
        good = np.isfinite(array[rows])
        if array.dtype == np.float64:
            good &= np.abs(array[rows]) <= LARGEST
        if not good.all():
            row, column = (int(i[0]) for i in np.nonzero(~good))
            found = array[rows.start + row, column]
            fix = "rescale the latents" if np.isfinite(found) else "drop or repair these rows"
            raise InputError(
                f"`{argument}` must be finite and below {LARGEST:g}; found {found} in row "
                f"{rows.start + row}, column {column}: {fix}"
            )
    return array


def _column_names(value: Any) -> list[str] | None:
    columns = getattr(value, "columns", None)
    return None if columns is None or callable(columns) else [str(name) for name in columns]


def _factor_columns(value: Any) -> tuple[list[Any], list[str] | None]:
    names = _column_names(value)
    if names is not None:
        if not names:
            raise InputError("`factors` has no columns")
        columns = [value[column] for column in value.columns]
        if not len(columns[0]):
            raise InputError("`factors` is empty: it has no rows")
        return columns, names
    array = to_numpy(value, "factors")
    if array.ndim != 2:
        hint = "; for one factor pass `factors[:, None]`" if array.ndim == 1 else ""
        raise InputError(f"`factors` must have shape (N, K), got {array.shape}{hint}")
    if 0 in array.shape:
        raise InputError(f"`factors` is empty: shape {array.shape}")
    return list(array.T), None


def _row_mismatch(latents: NDArray[np.floating], rows: int) -> str:
    message = (
        f"`factors` has {rows:,} rows but `latents` has {len(latents):,}; "
        f"row i of both must describe the same sample"
    )
    if latents.shape[1] == rows:
        message += " (`latents` looks transposed: pass `latents.T`)"
    return message


def _names(
    given: Iterable[str] | None, found: list[str] | None, stem: str, count: int, argument: str
) -> tuple[str, ...]:
    if isinstance(given, str):
        raise InputError(f"`{argument}` must be a list of names, got the single string {given!r}")
    names = tuple(str(name) for name in (given if given is not None else found or []))
    if not names and given is None:
        names = tuple(f"{stem}_{index}" for index in range(count))
    if len(names) != count:
        raise InputError(f"`{argument}` has {len(names)} names for {count} columns: {', '.join(names)}")
    if len(set(names)) < count:
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"`{argument}` must be distinct, got {twice!r} more than once")
    return names


def _kinds(given: Any, names: Sequence[str]) -> list[Kind | None]:
    if given is None:
        return [None] * len(names)
    if isinstance(given, Mapping):
        unknown = [name for name in given if name not in names]
        if unknown:
            raise InputError(f"`factor_types` names {unknown[0]!r}, which is none of {', '.join(names)}")
        kinds = [given.get(name) for name in names]
    else:
        kinds = [given] * len(names) if isinstance(given, str) else list(given)
    if len(kinds) != len(names):
        raise InputError(f"`factor_types` has {len(kinds)} entries for {len(names)} factors")
    for name, kind in zip(names, kinds, strict=True):
        if kind is not None and kind not in KINDS:
            raise InputError(f"`factor_types` of {name!r} must be one of {', '.join(KINDS)}, got {kind!r}")
    return kinds


def _factor(column: Any, name: str, kind: Kind | None) -> Factor:
    categories = getattr(getattr(column, "dtype", None), "categories", None)
    if categories is not None and hasattr(column, "cat"):  # a pandas categorical
        codes = np.asarray(column.cat.codes)
        _refuse_missing(codes < 0, name)
        inferred: Kind = "ordinal" if column.cat.ordered else "categorical"
        present, codes = distinct(codes)
        levels = np.asarray(categories, dtype=object)[present]
        if kind == "continuous":
            return _factor(np.asarray(column.to_numpy()), name, kind)
        return _coded(codes, levels, name, kind or inferred)
    values = to_numpy(column, f"factors[{name!r}]").reshape(-1)
    if values.dtype.kind == "O":
        values = _settle_objects(values, name)
    if values.dtype.kind not in "biufUS":
        raise InputError(
            f"factor {name!r} has dtype {values.dtype}; accepted are numbers, strings, booleans, categoricals"
        )
    if values.dtype.kind == "f":
        _refuse_missing(~np.isfinite(values), name)
        whole = bool((values == np.floor(values)).all())
        if kind == "continuous" or (kind is None and not whole):
            return Factor(name, "continuous", values=values.astype(np.float64))
        if whole and np.abs(values).max() < 2**53:
            values = values.astype(np.int64)
    elif kind == "continuous":
        if values.dtype.kind in "US":
            raise InputError(f"factor {name!r} holds strings and cannot be continuous")
        return Factor(name, "continuous", values=values.astype(np.float64))
    levels, codes = distinct(values)
    return _coded(codes, levels, name, kind or "categorical")


def _settle_objects(values: NDArray[Any], name: str) -> NDArray[Any]:
    import pandas as pd

    _refuse_missing(np.asarray(pd.isna(values)), name)
    settled = np.asarray(values.tolist())
    if settled.ndim != 1 or settled.dtype.kind not in "biufUS":
        raise InputError(f"factor {name!r} mixes values that are not numbers, strings or booleans")
    if settled.dtype.kind in "US" and not all(isinstance(value, str | bytes) for value in values):
        odd = next(value for value in values if not isinstance(value, str | bytes))
        raise InputError(f"factor {name!r} mixes strings with {odd!r}; make all its values strings")
    return settled


def _refuse_missing(bad: NDArray[np.bool_], name: str) -> None:
    if bad.any():
        raise InputError(
            f"factor {name!r} has a missing or infinite value in row {int(np.argmax(bad))} "
            f"({int(bad.sum()):,} in all); drop or repair these rows"
        )


def _coded(codes: NDArray[np.int64], levels: NDArray[Any], name: str, kind: Kind) -> Factor:
    small = np.min_scalar_type(max(len(levels) - 1, 0))
    numeric = levels.dtype.kind in "biuf" or all(isinstance(v, int | float | np.number) for v in levels)
    numbers = levels.astype(np.float64) if numeric else np.arange(len(levels), dtype=np.float64)
    return Factor(name, kind, codes.astype(small), tuple(levels.tolist()), numbers)


def _warnings(factors: Sequence[Factor], rows: int) -> Iterable[str]:
    for factor in factors:
        if factor.codes is not None:
            if len(factor.levels) == 1:
                yield f"factor {factor.name!r} is constant ({factor.levels[0]!r}) and is left out"
            elif factor.kind == "categorical" and len(factor.levels) > rows / 10:
                yield (
                    f"factor {factor.name!r} has {len(factor.levels):,} categories in {rows:,} rows; "
                    f'if it is a measurement, pass factor_types={{"{factor.name}": "continuous"}}'
                )
        elif factor.values is not None and (factor.values == factor.values[0]).all():
            yield f"factor {factor.name!r} is constant ({factor.values[0]:g}) and is left out"
