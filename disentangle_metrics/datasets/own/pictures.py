"""Encoded pictures (PNG, JPEG, ...), each decoded when it is asked for."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.datasets.storage.pictures import middle_square, read_picture
from disentangle_metrics.errors import DatasetError, InputError
from disentangle_metrics.kit.installing import install_line

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")

Source = Callable[[int], "tuple[Path | bytes, str]"]


class PictureRows:
    """Pictures of one size, as (n, height, width, channels).

    Parameters
    ----------
    source : callable
        From a row to a file or its content, and what errors call it.
    count : int
        How many there are.
    side : int, optional
        Cut each to the square in its middle, and resize it to this height and width.
    channels : int, optional
        1 for grey, 3 for colour; by default what the first picture is.

    Raises
    ------
    InputError
        If an argument cannot be used.
    DatasetError
        If the first picture cannot be read.
    """

    dtype: np.dtype[Any] = np.dtype(np.uint8)

    def __init__(self, source: Source, count: int, side: int | None, channels: int | None) -> None:
        if side is not None and side < 1:
            raise InputError(f"side is {side}; accepted: 1 or more pixels")
        if channels not in (None, 1, 3):
            raise InputError(f"channels is {channels!r}; pictures have 1 (grey) or 3 (colour)")
        self.source, self.side = source, side
        content, label = source(0)
        first = decoded(content, label, side, channels)
        self.channels = channels or first.shape[2]
        self.declared = channels is not None
        self.first = label
        self.shape = (count, first.shape[0], first.shape[1], self.channels)

    def __call__(self, indices: NDArray[np.int64]) -> NDArray[Any]:
        images = np.empty((len(indices), *self.shape[1:]), np.uint8)
        for place, index in enumerate(indices.tolist()):
            content, label = self.source(index)
            image = decoded(content, label, self.side, self.channels if self.declared else None)
            if image.shape[2] > self.channels:
                raise DatasetError(
                    f"{label} is in colour, and {self.first} is grey; say how to read all of them: "
                    "`dm.load_dataset(..., channels=3)`, or 1"
                )
            if image.shape[:2] != self.shape[1:3]:
                raise DatasetError(
                    f"{label} has {image.shape[1]}x{image.shape[0]} pixels, and {self.first} has "
                    f"{self.shape[2]}x{self.shape[1]}; `dm.load_dataset(..., side=64)` cuts and resizes all"
                )
            images[place] = image
        return images


def decoded(content: Path | bytes, label: str, side: int | None, channels: int | None) -> NDArray[np.uint8]:
    """One picture as (height, width, channels): grey if it is grey, else RGB.

    Raises
    ------
    DatasetError
        If it cannot be read, has transparent pixels, or Pillow is missing.
    """
    try:
        import PIL.Image  # noqa: F401
    except ImportError as error:
        raise DatasetError(
            f"pictures are read with pillow, which is missing: {install_line('data')}"
        ) from error
    source = io.BytesIO(content) if isinstance(content, bytes) else content
    picture = read_picture(source, label, channels)
    pixels = np.asarray(picture) if side is None else middle_square(picture, side)
    return pixels.reshape(*pixels.shape[:2], -1)
