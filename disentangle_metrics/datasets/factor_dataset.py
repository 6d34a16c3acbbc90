"""The one shape every data set has here: images by index, and the factors they were made from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from disentangle_metrics.datasets.factors.grid import FactorGrid
from disentangle_metrics.datasets.factors.no_factors import NoFactors
from disentangle_metrics.datasets.factors.table import FactorTable
from disentangle_metrics.datasets.storage.packing import AllImages, BytePacking, Packing

Images = NDArray[np.uint8]
ReadImages = Callable[[NDArray[np.int64]], Images]


class FactorDataset:
    """Images with known factors.

    Parameters
    ----------
    name : str
        The data set's name.
    grid : FactorGrid, FactorTable or NoFactors
        Names, sizes and types of the factors, and which image has which values: one for every
        combination, or as a table says. Or that nobody knows any factors.
    image_shape : tuple of int
        Height, width and number of channels (1 or 3) of every image.
    read : callable
        From checked int64 indices (n,) to uint8 images (n, height, width, channels) in 0 .. 255.
        It must survive pickling if the data set is to be sent to other processes. It may have a
        method ``packed()``, which says how all images lie in little memory; see :meth:`packed`.
    """

    def __init__(
        self,
        name: str,
        grid: FactorGrid | FactorTable | NoFactors,
        image_shape: tuple[int, int, int],
        read: ReadImages,
    ) -> None:
        self.name = name
        self.grid = grid
        self.image_shape = image_shape
        self._read = read

    @property
    def factor_names(self) -> tuple[str, ...]:
        """One name per factor."""
        return self.grid.names

    @property
    def factor_sizes(self) -> tuple[int, ...]:
        """How many values each factor takes."""
        return self.grid.sizes

    @property
    def factor_types(self) -> tuple[str, ...]:
        """``"categorical"``, ``"ordinal"`` or ``"continuous"``, one per factor."""
        return self.grid.types

    def __len__(self) -> int:
        """How many images there are."""
        return len(self.grid)

    def __repr__(self) -> str:
        factors = ", ".join(f"{n} {s}" for n, s in zip(self.factor_names, self.factor_sizes, strict=True))
        factors = factors or "unknown"
        return f"<data set {self.name}: {len(self):,} images {self.image_shape}; factors {factors}>"

    def images(self, indices: ArrayLike) -> Images:
        """Images (n, height, width, channels), uint8 in 0 .. 255, of these indices (n,).

        Any order, repeats welcome. Raises InputError if an index is not an integer in 0 .. len - 1.
        """
        return self._read(self.grid.check_indices(indices))

    def packed(self) -> Packing:
        """All images in the form in which they fit into a device's memory, for training there.

        The answer has ``arrays``, what to copy to the device, and ``images(tensors, indices)``,
        which makes images there: those of :meth:`images`, bit for bit. `read` decides the form, if it
        has a method ``packed()``: `sprites` and `dsprites` lie there as bits, `rooms` as geometry and
        colours. All others lie there as bytes. Nothing is read before the arrays are sliced.
        """
        own: Callable[[], Packing] | None = getattr(self._read, "packed", None)
        return own() if own is not None else BytePacking(AllImages(self._read, len(self), self.image_shape))

    def factors(self, indices: ArrayLike) -> NDArray[np.int64]:
        """Factor values (n, n_factors), coded 0 .. size - 1, of these indices (n,)."""
        return self.grid.factors(indices)

    def index(self, factors: ArrayLike) -> NDArray[np.int64]:
        """Indices (n,) of the images with these factor values (n, n_factors).

        Where several images share the values it is the first; where none has them, an InputError.
        """
        return self.grid.index(factors)
