"""A data set in smaller images: each pixel the mean of a block of the original's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.datasets.factor_dataset import FactorDataset, Images
from disentangle_metrics.datasets.storage.packing import MeanPacking
from disentangle_metrics.errors import InputError
from disentangle_metrics.kit import network_input


def pooled(dataset: FactorDataset, pool: int) -> FactorDataset:
    """The same images and factors, `pool` times smaller each way.

    Raises
    ------
    InputError
        If `pool` is not a whole number from 1 that divides the images' height and width.
    """
    height, width, channels = dataset.image_shape
    if not isinstance(pool, int | np.integer) or pool < 1 or height % pool or width % pool:
        raise InputError(
            f"pool is {pool!r}; accepted: a whole number from 1 that divides the {height}x{width} pixels of "
            f"{dataset.name}"
        )
    if pool == 1:
        return dataset
    shape = (height // pool, width // pool, channels)
    read = PooledImages(dataset, int(pool))
    return FactorDataset(
        dataset.name,
        dataset.grid,
        shape,
        read,
        facts=dataset.facts,
        notes=dataset.notes,
        variant=dataset.variant,
    )


class PooledImages:
    """Reads images, and takes means of blocks of `pool` x `pool` pixels, those of 8 bits rounded down."""

    def __init__(self, dataset: FactorDataset, pool: int) -> None:
        self.dataset, self.pool = dataset, pool

    def __call__(self, indices: NDArray[np.int64]) -> Images:
        images = self.dataset.images(indices)
        n, height, width, channels = images.shape
        blocks = images.reshape(n, height // self.pool, self.pool, width // self.pool, self.pool, channels)
        means: Images = (blocks.sum(axis=(2, 4), dtype=np.uint32) // self.pool**2).astype(np.uint8)
        return means

    def network_input(self, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """The same as float32 (n, channels, height, width) in [0, 1]; of more than 8 bits not rounded."""
        if not self.over_8_bits:
            return network_input(self(indices))
        images = self.dataset.network_input(indices)
        n, channels, height, width = images.shape
        blocks = images.reshape(n, channels, height // self.pool, self.pool, width // self.pool, self.pool)
        means: NDArray[np.float64] = blocks.mean(axis=(3, 5), dtype=np.float64)
        return means.astype(np.float32)

    @property
    def over_8_bits(self) -> bool:
        return self.dataset.over_8_bits

    def packed(self) -> MeanPacking:
        """The whole images in their own form: pooled when they are asked for."""
        return MeanPacking(self.dataset.packed(), self.pool)
