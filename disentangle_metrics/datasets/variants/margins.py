"""Images in the middle of a black square, for networks that take squares of certain sides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.datasets.factor_dataset import FactorDataset, Images
from disentangle_metrics.errors import InputError


class PaddedImages:
    """Reads images, and puts each in the middle of a black square."""

    def __init__(self, dataset: FactorDataset, side: int) -> None:
        height, width, _ = dataset.image_shape
        self.dataset, self.side = dataset, side
        self.top, self.left = (side - height) // 2, (side - width) // 2

    def __call__(self, indices: NDArray[np.int64]) -> Images:
        images = self.dataset.images(indices)
        n, height, width, channels = images.shape
        padded = np.zeros((n, self.side, self.side, channels), np.uint8)
        padded[:, self.top : self.top + height, self.left : self.left + width] = images
        return padded

    def network_input(self, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """The same, not rounded to 8 bits."""
        images = self.dataset.network_input(indices)
        n, channels, height, width = images.shape
        padded = np.zeros((n, channels, self.side, self.side), np.float32)
        padded[:, :, self.top : self.top + height, self.left : self.left + width] = images
        return padded

    @property
    def over_8_bits(self) -> bool:
        return self.dataset.over_8_bits


def padded(dataset: FactorDataset, *, side: int) -> FactorDataset:
    """Images with black margins: squares of this side, in pixels.

    Raises
    ------
    InputError
        If the images are larger.
    """
    height, width, channels = dataset.image_shape
    if isinstance(side, bool) or not isinstance(side, int | np.integer) or side < max(height, width):
        raise InputError(
            f"padded: side is {side!r}; the images of {dataset.name} have {width}x{height} pixels, and need "
            f"at least {max(height, width)}"
        )
    read = PaddedImages(dataset, int(side))
    return dataset.as_variant(f"padded:side={side}", read, image_shape=(int(side), int(side), channels))
