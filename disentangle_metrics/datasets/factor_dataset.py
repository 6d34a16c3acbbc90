"""The one shape every data set has here: images by index, and the factors they were made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
from numpy.typing import ArrayLike, NDArray

from disentangle_metrics.datasets.factors.grid import FactorGrid
from disentangle_metrics.datasets.factors.no_factors import NoFactors
from disentangle_metrics.datasets.factors.table import FactorTable
from disentangle_metrics.datasets.storage.packing import AllImages, BytePacking, Packing
from disentangle_metrics.errors import DatasetError, InputError
from disentangle_metrics.kit import network_input

if TYPE_CHECKING:
    import pandas as pd

    from disentangle_metrics.datasets.factors.columns import FactorColumns

Images = NDArray[np.uint8]
ReadImages = Callable[[NDArray[np.int64]], Images]


class FactorDataset:
    """Images with known factors.

    Parameters
    ----------
    name : str
        The data set's name.
    grid : FactorGrid, FactorTable, FactorColumns or NoFactors
        Names, sizes and types of the factors, and which image has which values: one for every
        combination, or as a table says, with factors that do not exist in some. Or that nobody knows any.
    image_shape : tuple of int
        Height, width and number of channels (1 or 3) of every image.
    read : callable
        From checked int64 indices (n,) to uint8 images (n, height, width, channels) in 0 .. 255.
        It must survive pickling if the data set is to be sent to other processes. It may have a
        method ``packed()``, which says how all images lie in little memory; see :meth:`packed`. It
        may have a method ``network_input(indices)`` if its images have more than 8 bits. An
        attribute ``over_8_bits`` that is False says that they have not.
    facts : mapping, optional
        For the record of a score: where the images come from, and how they are read.
    notes : tuple of str
        What its user should know, a sentence each, such as what was found or left out.
    variant : str
        What signatures say of a variant, such as ``colour(seed=1)``; empty if it is none.

    Raises
    ------
    InputError
        If `image_shape` is no such shape, or has the channels first; or if `read` cannot be called.
    """

    def __init__(
        self,
        name: str,
        grid: FactorGrid | FactorTable | FactorColumns | NoFactors,
        image_shape: tuple[int, int, int],
        read: ReadImages,
        *,
        facts: Mapping[str, Any] | None = None,
        notes: tuple[str, ...] = (),
        variant: str = "",
    ) -> None:
        _check_shape(name, tuple(image_shape))
        if not callable(read):
            raise InputError(
                f"`read` of {name} must be a function from indices to images, got {type(read).__name__}; for "
                "an array of images call `dm.datasets.from_arrays(images, factors)`"
            )
        self.name = name
        self.facts = dict(facts or {})
        self.notes = notes
        self.variant = variant
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
        """``"categorical"``, ``"ordinal"`` or ``"continuous"``, one per factor; own ones may be circular."""
        return self.grid.types

    @property
    def declared_types(self) -> tuple[str | None, ...]:
        """The types that are known of each factor; None where its values are to tell."""
        declared: tuple[str | None, ...] = getattr(self.grid, "declared", self.grid.types)
        return declared

    @property
    def hierarchy(self) -> Mapping[str, tuple[str, int]]:
        """For each factor that does not exist everywhere its switch, and the code that switches it on."""
        tree: Mapping[str, tuple[str, int]] = getattr(self.grid, "hierarchy", {})
        return tree

    def __len__(self) -> int:
        """How many images there are."""
        return len(self.grid)

    def __repr__(self) -> str:
        factors = ", ".join(f"{n} {s}" for n, s in zip(self.factor_names, self.factor_sizes, strict=True))
        factors = factors or "unknown"
        return f"<data set {self.name}: {len(self):,} images {self.image_shape}; factors {factors}>"

    def as_variant(
        self,
        variant: str,
        read: ReadImages,
        *,
        image_shape: tuple[int, int, int] | None = None,
        grid: FactorTable | FactorColumns | None = None,
        pinned: str | None = None,
    ) -> FactorDataset:
        """A variant of this data set, with other images, or some of them.

        Parameters
        ----------
        variant : str
            Its recipe, ``NAME:OPTION=VALUE,...``, which is added to the name.
        read, image_shape, grid
            As of the class; None: those of this data set.
        pinned : str, optional
            The recipe that signatures hold, if it differs: content in place of a path.
        """
        name, _, options = (variant if pinned is None else pinned).partition(":")
        text = f"{name}({quote(options, safe='=,+')})"  # no bar, which separates the parts of a signature
        return FactorDataset(
            f"{self.name}|{variant}",
            self.grid if grid is None else grid,
            self.image_shape if image_shape is None else image_shape,
            read,
            facts=self.facts,
            notes=self.notes,
            variant=f"{self.variant}>{text}" if self.variant else text,
        )

    def images(self, indices: ArrayLike) -> Images:
        """Images (n, height, width, channels), uint8 in 0 .. 255, of these indices (n,).

        Any order, repeats welcome.

        Raises
        ------
        InputError
            If an index is not an integer in 0 .. len - 1.
        DatasetError
            If `read` gives anything else.
        """
        checked = self.grid.check_indices(indices)
        images = self._read(checked)
        expected = (len(checked), *self.image_shape)
        if getattr(images, "dtype", None) != np.uint8 or images.shape != expected:
            kind, shape = getattr(images, "dtype", type(images).__name__), getattr(images, "shape", "")
            raise DatasetError(
                f"{self.name}: for {len(checked)} indices its reader gave {f'{kind} {shape}'.strip()}; "
                f"expected uint8 {expected} in 0 .. 255"
            )
        return images

    def network_input(self, indices: ArrayLike) -> NDArray[np.float32]:
        """The images of these indices as float32 (n, channels, height, width) in [0, 1].

        Own images of more than 8 bits are not rounded to 8 bits, as those of :meth:`images` are.
        """
        own: Callable[[Any], NDArray[np.float32]] | None = getattr(self._read, "network_input", None)
        return network_input(self.images(indices)) if own is None else own(self.grid.check_indices(indices))

    @property
    def over_8_bits(self) -> bool:
        """Whether :meth:`images` rounds what :meth:`network_input` gives."""
        return bool(getattr(self._read, "over_8_bits", hasattr(self._read, "network_input")))

    def packed(self) -> Packing:
        """All images in the form in which they fit into a device's memory, for training there.

        The answer has ``arrays``, what to copy to the device, and ``images(tensors, indices)``,
        which makes images there: those of :meth:`images`, bit for bit. `read` decides the form, if it
        has a method ``packed()``: `sprites` and `dsprites` lie there as bits, `rooms` as geometry and
        colours. All others lie there as bytes. Nothing is read before the arrays are sliced.
        """
        own: Callable[[], Packing] | None = getattr(self._read, "packed", None)
        return own() if own is not None else BytePacking(AllImages(self.images, len(self), self.image_shape))

    def factors(self, indices: ArrayLike) -> NDArray[np.int64]:
        """Factor values (n, n_factors), coded 0 .. size - 1, of these indices (n,).

        -1 stands for a value that own data lack, and for a factor that does not exist in an image.
        """
        return self.grid.factors(indices)

    def labels(self, indices: ArrayLike) -> NDArray[np.int64] | NDArray[np.float64] | pd.DataFrame:
        """Factor values (n, n_factors) of these indices (n,), as scores read them.

        Own data give a data frame of the values in their own units. A data set with a hierarchy gives
        float64 codes, NaN where a factor does not exist. All others give :meth:`factors`.
        """
        own: Callable[[ArrayLike], Any] | None = getattr(self.grid, "labels", None)
        return self.factors(indices) if own is None else own(indices)

    def index(self, factors: ArrayLike) -> NDArray[np.int64]:
        """Indices (n,) of the images with these factor values (n, n_factors).

        Where several images share the values it is the first; where none has them, an InputError.
        """
        return self.grid.index(factors)


def _check_shape(name: str, shape: tuple[int, ...]) -> None:
    """Refuse channels first, as PyTorch has them: a network would get the axes in another order."""
    # A height of 1 or 3 with a width above 3; images of one pixel may have any number of channels.
    first = len(shape) == 3 and shape[0] in (1, 3) and shape[1] > 3 and shape[2] not in (1, 3)
    if first or len(shape) != 3:
        likely = (*shape[1:], shape[0]) if first else (*shape, 1) if len(shape) == 2 else (64, 64, 1)
        raise InputError(
            f"`image_shape` of {name} is {shape}; it must be (height, width, channels), such as {likely}, "
            "and `read` must give the images so"
        )
