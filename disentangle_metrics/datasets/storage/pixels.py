"""Images that lie as bytes in memory, in a cached file, or in the published file itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.datasets.factor_dataset import Images
from disentangle_metrics.datasets.storage.cached_rows import CachedRows
from disentangle_metrics.datasets.storage.packing import BytePacking
from disentangle_metrics.errors import DatasetError


class HeldImages:
    """Reads images that are held in memory.

    Parameters
    ----------
    images : ndarray of uint8 (n, height, width, channels)
        All of them.
    """

    def __init__(self, images: Images) -> None:
        self.images = images

    def __call__(self, indices: NDArray[np.int64]) -> Images:
        return self.images[indices]

    def packed(self) -> BytePacking:
        """The images themselves."""
        return BytePacking(self.images)


class CachedImages:
    """Reads images from a cache of one image per row.

    Parameters
    ----------
    rows : CachedRows
        The pixels of one image per row.
    image_shape : tuple of int
        Height, width and channels.
    order : ndarray of int64 (n,), optional
        The row of each image; by default they are in order.
    """

    def __init__(
        self,
        rows: CachedRows,
        image_shape: tuple[int, int, int],
        order: NDArray[np.int64] | None = None,
    ) -> None:
        self.rows, self.image_shape, self.order = rows, image_shape, order

    def __call__(self, indices: NDArray[np.int64]) -> Images:
        places = indices if self.order is None else self.order[indices]
        return self.rows.open()[places].reshape(-1, *self.image_shape)


class LargeCachedImages(CachedImages):
    """Reads images from a cache that is too large to be kept in memory where it cannot be written."""

    def __call__(self, indices: NDArray[np.int64]) -> Images:
        try:
            self.rows.open_file()
        except OSError as error:
            size = self.rows.kind.count * self.rows.kind.row_bytes
            raise DatasetError(
                f"{self.rows.label}: {self.rows.path} cannot be written ({error.strerror or error}); its "
                f"folder needs {size / 1e9:.1f} GB"
            ) from error
        return super().__call__(indices)


class MappedImages:
    """Reads images that lie one after another in a file, which is mapped into memory.

    Parameters
    ----------
    path : Path
    offset : int
        Where the first byte of the first image is.
    shape : tuple of int
        Number of images, height, width, channels.
    """

    def __init__(self, path: Path, offset: int, shape: tuple[int, int, int, int]) -> None:
        self.path, self.offset, self.shape = path, offset, shape
        self._images: Images | None = None

    def __call__(self, indices: NDArray[np.int64]) -> Images:
        if self._images is None:
            mapped = np.memmap(self.path, np.uint8, "r", offset=self.offset, shape=self.shape)
            self._images = mapped.view(np.ndarray)  # plain arrays are gathered from faster
        return self._images[indices]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_images": None}  # the other side maps the file itself
