"""The grid of factor values behind a synthetic data set: index <-> factors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from disentangle_metrics.errors import InputError

FACTOR_TYPES = ("categorical", "ordinal", "continuous")


@dataclass(frozen=True)
class FactorGrid:
    """Every combination of the values of some factors, once each; the last factor varies fastest.

    Parameters
    ----------
    names : tuple of str
        One name per factor.
    sizes : tuple of int
        How many values each factor takes, coded 0, 1, ... size - 1.
    types : tuple of str
        The kind of each factor: ``"categorical"``, ``"ordinal"`` or ``"continuous"``.

    Raises
    ------
    InputError
        If the three differ in length, a name repeats, a size is below 1 or a type is unknown.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    types: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.names or not len(self.names) == len(self.sizes) == len(self.types):
            raise InputError(
                f"a factor grid needs one name, one size and one type per factor, and got "
                f"{len(self.names)} names, {len(self.sizes)} sizes and {len(self.types)} types"
            )
        if len(set(self.names)) < len(self.names):
            raise InputError(f"the factor names {list(self.names)} repeat a name")
        for name, size, kind in zip(self.names, self.sizes, self.types, strict=True):
            if size < 1:
                raise InputError(f"factor {name!r} has size {size}; it must take at least one value")
            if kind not in FACTOR_TYPES:
                raise InputError(
                    f"factor {name!r} has the type {kind!r}; accepted: {', '.join(FACTOR_TYPES)}"
                )

    def __len__(self) -> int:
        return math.prod(self.sizes)

    def factors(self, indices: ArrayLike) -> NDArray[np.int64]:
        """Factor values (n, K) of the images with these indices (n,).

        Raises
        ------
        InputError
            If `indices` is not a one-dimensional array of integers in 0 .. len - 1.
        """
        return np.stack(np.unravel_index(self.check_indices(indices), self.sizes), axis=1).astype(np.int64)

    def index(self, factors: ArrayLike) -> NDArray[np.int64]:
        """Indices (n,) of the images with these factor values (n, K); the inverse of :meth:`factors`.

        Raises
        ------
        InputError
            If `factors` is not an (n, K) array of integers, each in 0 .. size - 1 of its factor.
        """
        values = integers(factors, "factors")
        if values.size == 0:
            values = values.reshape(0, len(self.names))
        if values.ndim != 2 or values.shape[1] != len(self.names):
            raise InputError(
                f"factors has the shape {values.shape}; accepted: (n, {len(self.names)}), "
                f"one row per image with the columns {', '.join(self.names)}"
            )
        outside = (values < 0) | (values >= np.asarray(self.sizes))
        if outside.any():
            row, column = (int(i) for i in np.argwhere(outside)[0])
            raise InputError(
                f"factors[{row}, {column}] is {values[row, column]}, and {self.names[column]!r} takes "
                f"the values 0 to {self.sizes[column] - 1}"
            )
        index: NDArray[np.int64] = np.ravel_multi_index(tuple(values.T), self.sizes).astype(np.int64)
        return index

    def check_indices(self, indices: ArrayLike) -> NDArray[np.int64]:
        """`indices` as an int64 array (n,), each in 0 .. len - 1, or an InputError."""
        return checked_indices(indices, len(self))


def checked_indices(indices: ArrayLike, count: int) -> NDArray[np.int64]:
    """`indices` as an int64 array (n,), each in 0 .. count - 1, or an InputError."""
    values = integers(indices, "indices")
    if values.ndim != 1:
        raise InputError(
            f"indices has the shape {values.shape}; accepted: (n,), one integer per image"
            + ("; write [i] for one image" if values.ndim == 0 else "")
        )
    outside = (values < 0) | (values >= count)
    if outside.any():
        first = int(np.argmax(outside))
        raise InputError(
            f"indices[{first}] is {values[first]}, and the data set has the images 0 to {count - 1}"
        )
    return values


def integers(values: ArrayLike, argument: str) -> NDArray[np.int64]:
    """`values` as int64, or an InputError naming the `argument` when they are not integers."""
    array: NDArray[Any] = np.asarray(values)
    if array.size == 0 and array.dtype == np.float64 and isinstance(values, Sequence):
        array = array.astype(np.int64)  # what NumPy makes of an empty list
    if array.dtype.kind not in "iu":
        raise InputError(f"{argument} has the dtype {array.dtype}; accepted: integers")
    if array.dtype == np.uint64 and array.size and array.max() > np.iinfo(np.int64).max:
        raise InputError(f"{argument} holds {array.max()}, which no index reaches")
    return array.astype(np.int64, copy=False)
