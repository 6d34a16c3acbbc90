"""What stands in the place of a grid of factors behind images whose factors nobody knows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from disentangle_metrics.datasets.factors.grid import checked_indices
from disentangle_metrics.errors import InputError


@dataclass(frozen=True)
class NoFactors:
    """Images without factors: enough to train on, nothing to score against.

    Parameters
    ----------
    count : int
        How many images there are.
    candidates : tuple of str
        Arrays of as many rows beside the images, which may hold factors under another name.
    """

    count: int
    names: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    types: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()

    @property
    def advice(self) -> str:
        """What to do to have scores."""
        if self.candidates:
            return (
                f"if {' or '.join(self.candidates)} holds them, say so, as in "
                f"`dm.load_dataset(..., factors={self.candidates[0]!r})`"
            )
        return "some metrics need none: encode the images and pass the latents alone, `dm.score(latents)`"

    def __len__(self) -> int:
        return self.count

    def check_indices(self, indices: ArrayLike) -> NDArray[np.int64]:
        """`indices` as an int64 array (n,), each in 0 .. len - 1, or an InputError."""
        return checked_indices(indices, self.count)

    def factors(self, indices: ArrayLike) -> NDArray[np.int64]:
        """Factor values (n, 0)."""
        return np.empty((len(self.check_indices(indices)), 0), np.int64)

    def index(self, factors: ArrayLike) -> NDArray[np.int64]:
        """Raises InputError: there are no factors to find images by."""
        raise InputError("the data set has no known factors, so that no images can be found by them")
