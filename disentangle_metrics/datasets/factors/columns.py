"""The factors of a user's own images: columns of a table, whatever they hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from disentangle_metrics.datasets.factors.grid import checked_indices, integers
from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.factor import Factor
from disentangle_metrics.inputs.frames import unmasked
from disentangle_metrics.inputs.inputs import check
from disentangle_metrics.inputs.tables import read_factors

if TYPE_CHECKING:
    import pandas as pd

NO_VALUE = -1
"""The code of a factor in a row where it has no value."""


@dataclass(frozen=True)
class FactorColumns:
    """Factors as they were given: numbers, words, measurements, with values missing in some rows.

    Parameters
    ----------
    frame : DataFrame (n, n_factors)
        The values of each image.
    read : tuple of Factor
        The same columns, as :func:`.inputs.check` reads them over all images.
    declared : tuple
        The type that was declared of each factor, None where nothing was.
    codes : ndarray of int64 (n, n_factors)
        0 .. size - 1 in the order of the values; NO_VALUE where one is missing.
    sizes : tuple of int
        How many values each factor takes. Some images of a data set keep its codes and sizes.
    """

    frame: pd.DataFrame
    read: tuple[Factor, ...]
    declared: tuple[str | None, ...]
    codes: NDArray[np.int64]
    sizes: tuple[int, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """One name per factor."""
        return tuple(factor.name for factor in self.read)

    @property
    def types(self) -> tuple[str, ...]:
        """What each factor is, as it was declared or as its values over all images look."""
        return tuple(
            factor.kind if said is None else said
            for factor, said in zip(self.read, self.declared, strict=True)
        )

    def __len__(self) -> int:
        return len(self.frame)

    def check_indices(self, indices: ArrayLike) -> NDArray[np.int64]:
        """`indices` as an int64 array (n,), each in 0 .. len - 1, or an InputError."""
        return checked_indices(indices, len(self))

    def factors(self, indices: ArrayLike) -> NDArray[np.int64]:
        """Codes (n, n_factors), 0 .. size - 1 in the order of the values; NO_VALUE where one is missing."""
        return self.codes[self.check_indices(indices)]

    def labels(self, indices: ArrayLike) -> pd.DataFrame:
        """The values of these images as they were given."""
        return self.frame.iloc[self.check_indices(indices)].reset_index(drop=True)

    def index(self, factors: ArrayLike) -> NDArray[np.int64]:
        """Indices (n,) of the first image with each of these codes (n, n_factors).

        Raises
        ------
        InputError
            If no image has them.
        """
        wanted = integers(factors, "factors").reshape(-1, len(self.names))
        both = np.concatenate([self.codes, wanted])
        places = np.unique(both, axis=0, return_inverse=True)[1].reshape(-1)
        first = np.full(len(both), -1, np.int64)
        first[places[: len(self)][::-1]] = np.arange(len(self))[::-1]
        rows = first[places[len(self) :]]
        if (rows < 0).any():
            row = int(np.argmax(rows < 0))
            raise InputError(f"factors[{row}] is {wanted[row].tolist()}, and no image has these values")
        return rows

    def chosen(self, rows: NDArray[np.int64]) -> FactorColumns:
        """The factors of these rows, with the codes and sizes that they have among all."""
        return replace(
            self,
            frame=self.frame.iloc[rows].reset_index(drop=True),
            read=tuple(factor.rows(rows) for factor in self.read),
            codes=self.codes[rows],
        )


def _codes_of(factor: Factor) -> NDArray[np.int64]:
    column: Any = factor.values if factor.codes is None else factor.codes
    if factor.codes is None:
        codes = np.unique(column, return_inverse=True)[1].astype(np.int64)
    else:
        codes = column.astype(np.int64)
    return codes if factor.present is None else np.where(factor.present, codes, NO_VALUE)


def factor_columns(
    factors: Any,
    images: int,
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | str | None = None,
) -> tuple[FactorColumns, tuple[str, ...]]:
    """Check the factors of so many images; also what to know of columns that are left out.

    Raises
    ------
    InputError
        If they cannot be used, or have another number of rows.
    """
    import pandas as pd

    table = read_factors(factors)
    rows = len(table.columns[0])
    if rows != images:
        raise InputError(
            f"there are {rows:,} rows of factors but {images:,} images; row i must describe image i"
        )
    given: Any = factor_types
    checked = check(
        np.zeros((images, 1)), factors, factor_names=factor_names, factor_types=given, missing="drop"
    )
    names = _all_names(factor_names, table.frame, len(table.columns))
    said = _declared(factor_types, names)
    frame = pd.DataFrame({name: column.array if hasattr(column, "array") else unmasked(column)
                          for name, column in zip(names, table.columns, strict=True)})  # fmt: skip
    kept = [factor.name for factor in checked.factors]
    if not kept:
        raise InputError("there is no factor: each column has a different text in every row")
    notes = tuple(str(found) for found in checked.checks if found.code == "identifier")
    codes = np.stack([_codes_of(factor) for factor in checked.factors], axis=1)
    sizes = tuple((codes.max(axis=0, initial=NO_VALUE) + 1).tolist())
    declared = tuple(said[name] for name in kept)
    return FactorColumns(frame[kept], checked.factors, declared, codes, sizes), notes


def _all_names(given: Iterable[str] | None, frame: Any, count: int) -> list[str]:
    if given is not None:
        return [str(name) for name in given]
    return [f"factor_{k}" for k in range(count)] if frame is None else [str(name) for name in frame.columns]


def _declared(types: Any, names: list[str]) -> dict[str, str | None]:
    """What was declared of each column; `check` has refused what cannot be."""
    if types is None or isinstance(types, str):
        return dict.fromkeys(names, types)
    if isinstance(types, Mapping):
        return {name: types.get(name) for name in names}
    return dict(zip(names, types, strict=True))
