"""Factors that form a tree: some exist only under one value of another, which switches them on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from disentangle_metrics.datasets.factors.columns import NO_VALUE
from disentangle_metrics.datasets.factors.grid import integers
from disentangle_metrics.datasets.factors.table import FactorTable
from disentangle_metrics.errors import InputError


@dataclass(frozen=True)
class FactorTree(FactorTable):
    """A table of factor values in which a factor may not exist in some images.

    Parameters
    ----------
    values : ndarray of int8 or int64 (n, n_factors)
        One row per image, coded 0 .. size - 1, and NO_VALUE where the factor does not exist.
    combinations : FactorGrid
        Names, sizes and types of the factors.
    hierarchy : mapping of str to (str, int)
        For each factor that does not exist everywhere, its switch and the switch's code under which
        it exists.
    """

    hierarchy: Mapping[str, tuple[str, int]]

    def labels(self, indices: ArrayLike) -> NDArray[np.float64]:
        """Factor values (n, n_factors) as scores read them: NaN where a factor does not exist."""
        codes = self.factors(indices)
        return np.where(codes == NO_VALUE, np.nan, codes)

    def index(self, factors: ArrayLike) -> NDArray[np.int64]:
        """Indices (n,) of the first image with each of these factor values (n, n_factors).

        Raises
        ------
        InputError
            If no image has them.
        """
        wanted = integers(factors, "factors")
        if wanted.ndim != 2 or wanted.shape[1] != len(self.names):
            raise InputError(f"factors has the shape {wanted.shape}; accepted: (n, {len(self.names)})")
        within = ((wanted >= NO_VALUE) & (wanted < np.array(self.sizes))).all(axis=1)
        known, first = np.unique(self._numbers(self.values.astype(np.int64)), return_index=True)
        numbers = self._numbers(np.where(within.reshape(-1, 1), wanted, 0))
        places = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
        there = within & (known[places] == numbers)
        if not there.all():
            row = int(np.argmin(there))
            raise InputError(f"factors[{row}] is {wanted[row].tolist()}, and no image has these values")
        indices: NDArray[np.int64] = first[places]
        return indices

    def _numbers(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """One number for each row of values."""
        shape = tuple(size + 1 for size in self.sizes)
        numbers: NDArray[np.int64] = np.ravel_multi_index(tuple((values - NO_VALUE).T), shape).astype(
            np.int64
        )
        return numbers
