"""A table of factor values behind a data set that has some combinations, and some of them often."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from disentangle_metrics.datasets.factors.grid import FactorGrid, checked_indices
from disentangle_metrics.errors import InputError


@dataclass(frozen=True)
class FactorTable:
    """The factor values of each image, where images are not one for every combination.

    Parameters
    ----------
    values : ndarray of integers (n, n_factors)
        One row per image, coded 0 .. size - 1.
    combinations : FactorGrid
        Names, sizes and types of the factors.
    """

    values: NDArray[np.signedinteger]
    combinations: FactorGrid

    @property
    def names(self) -> tuple[str, ...]:
        """One name per factor."""
        return self.combinations.names

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many values each factor takes."""
        return self.combinations.sizes

    @property
    def types(self) -> tuple[str, ...]:
        """The kind of each factor."""
        return self.combinations.types

    def __len__(self) -> int:
        return len(self.values)

    def check_indices(self, indices: ArrayLike) -> NDArray[np.int64]:
        """`indices` as an int64 array (n,), each in 0 .. len - 1, or an InputError."""
        return checked_indices(indices, len(self))

    def factors(self, indices: ArrayLike) -> NDArray[np.int64]:
        """Factor values (n, n_factors) of the images with these indices (n,)."""
        return self.values[self.check_indices(indices)].astype(np.int64, copy=False)

    def index(self, factors: ArrayLike) -> NDArray[np.int64]:
        """Indices (n,) of the first image with each of these factor values (n, n_factors).

        Raises
        ------
        InputError
            If the values are out of range, or no image has them.
        """
        wanted = self.combinations.index(factors)
        there, first = np.unique(self.combinations.index(self.values), return_index=True)
        places = np.minimum(np.searchsorted(there, wanted), len(there) - 1)
        missing = there[places] != wanted
        if missing.any():
            row = int(np.argmax(missing))
            values = self.combinations.factors(wanted[row : row + 1])[0].tolist()
            raise InputError(f"factors[{row}] is {values}, and no image has these values")
        indices: NDArray[np.int64] = first[places]
        return indices
