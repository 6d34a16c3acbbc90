"""JPEG and PNG pictures, and images in memory, brought to one size by Pillow."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import DatasetError
from disentangle_metrics.kit.installing import install_line

GREY = ("1", "L", "LA")  # Pillow's modes


def pillow() -> Any:
    """Pillow's module Image.

    Raises
    ------
    DatasetError
        If Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise DatasetError(f"pictures need pillow, which is missing: {install_line('data')}") from error
    return Image


def refuse_transparency(picture: Any, label: str) -> None:
    """Raise DatasetError if a picture has transparent pixels: without its alpha channel it is another."""
    if picture.has_transparency_data and picture.convert("RGBA").getchannel("A").getextrema()[0] < 255:
        raise DatasetError(
            f"{label} has transparent pixels, and images here have no alpha channel; draw it on a background "
            "and save it in RGB or grey"
        )


def read_picture(source: Path | IO[bytes], label: str, channels: int | None = 3) -> Any:
    """A picture as the camera was held: in RGB, or of 1 channel in grey; None: grey if it is grey.

    Raises
    ------
    DatasetError
        With the `label`, if it cannot be read or has transparent pixels; or if Pillow is not installed.
    """
    image = pillow()
    from PIL import ImageOps

    try:
        with image.open(source) as opened:
            if opened.mode.startswith(("I", "F")):
                raise ValueError("it has more than 8 bits per channel; convert it first")
            refuse_transparency(opened, label)
            grey = (channels or (1 if opened.mode in GREY else 3)) == 1
            return ImageOps.exif_transpose(opened).convert("L" if grey else "RGB")
    except DatasetError:
        raise
    except Exception as error:  # Pillow's decoders raise many kinds
        raise DatasetError(f"{label} cannot be read ({error}); repair it or take it away") from error


def middle_square(picture: Any, side: int, crop: int = 0) -> NDArray[np.uint8]:
    """The middle `crop` x `crop` pixels, or the largest square: (side, side, 3), (side, side) if grey."""
    crop = crop or min(picture.size)
    left, top = (picture.width - crop) // 2, (picture.height - crop) // 2
    middle = picture.crop((left, top, left + crop, top + crop))  # before, or the filter sees what is beside
    return np.asarray(middle.resize((side, side), pillow().Resampling.BILINEAR))


def resized(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """An image (height, width) or (height, width, 3) as a square of `side`, by Lanczos' filter.

    It is the filter of the readers that published scores came from, which Pillow once called ANTIALIAS.
    """
    if pixels.shape[:2] == (side, side):
        return pixels
    image = pillow()
    return np.asarray(image.fromarray(pixels).resize((side, side), image.Resampling.LANCZOS))
