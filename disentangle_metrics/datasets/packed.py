"""Binary images kept as rows of bits, eight pixels to a byte."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.datasets.cached_rows import CachedRows
from disentangle_metrics.datasets.factor_dataset import Images, ReadImages


class PackedImages:
    """Picks rows of bits and spreads them to images of 0 and 255.

    Parameters
    ----------
    rows : CachedRows
        One image per row, padded to whole bytes.
    height, width : int
        Of every image, in pixels.
    otherwise : callable, optional
        Reads images by index where `rows` cannot be kept and says so by opening to None.
    """

    def __init__(
        self, rows: CachedRows, height: int, width: int, otherwise: ReadImages | None = None
    ) -> None:
        self.rows, self.height, self.width, self.otherwise = rows, height, width, otherwise

    def __call__(self, indices: NDArray[np.int64]) -> Images:
        rows = self.rows.open()
        if rows is None:
            if self.otherwise is None:
                raise TypeError("rows that need not be kept need another way to read images")
            return self.otherwise(indices)
        images = np.unpackbits(rows[indices], axis=1, count=self.height * self.width)
        np.negative(images, out=images)  # 1 wraps round to 255
        return images.reshape(len(indices), self.height, self.width, 1)
