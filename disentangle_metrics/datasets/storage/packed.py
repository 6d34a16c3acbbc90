"""Binary images kept as rows of bits, eight pixels to a byte."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.datasets.factor_dataset import Images
from disentangle_metrics.datasets.storage.cached_rows import CachedRows
from disentangle_metrics.datasets.storage.packing import BitPacking


class PackedImages:
    """Picks rows of bits and spreads them to images of 0 and 255.

    Parameters
    ----------
    rows : CachedRows
        One image per row, padded to whole bytes.
    height, width : int
        Of every image, in pixels.
    """

    def __init__(self, rows: CachedRows, height: int, width: int) -> None:
        self.rows, self.height, self.width = rows, height, width

    def __call__(self, indices: NDArray[np.int64]) -> Images:
        return unpack(self.rows.open()[indices], self.height, self.width)

    def packed(self) -> BitPacking:
        """The rows of bits themselves."""
        return BitPacking(self.rows, self.height, self.width)


def unpack(rows: NDArray[np.uint8], height: int, width: int) -> Images:
    """Images (n, height, width, 1) of 0 and 255 from rows of bits (n, bytes)."""
    images = np.unpackbits(rows, axis=1, count=height * width)
    np.negative(images, out=images)  # 1 wraps round to 255
    return images.reshape(len(rows), height, width, 1)
