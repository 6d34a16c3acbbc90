"""Colour, noise and backgrounds for black and white images, as in the variants of dSprites.

Every image has its own colour, noise or background, which its index and the seed decide. The published
code draws anew at each look.

Source: F. Locatello et al., "Challenging common assumptions in the unsupervised learning of disentangled
representations", 2019: Color-, Noisy- and Scream-dSprites.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.datasets.factor_dataset import FactorDataset, Images
from disentangle_metrics.datasets.variants.draws import random_bytes
from disentangle_metrics.errors import DatasetError, InputError
from disentangle_metrics.kit.installing import install_line

WIDTH, HEIGHT = 350, 274  # of the picture behind the images, in pixels
CELLS = (64, 32, 16, 8)  # pixels between two random brightnesses of the drawn picture, coarse to fine
AT_ONCE = 64  # images whose random bytes stay in the processor's cache

Paint = Callable[[NDArray[np.bool_], NDArray[np.int64]], Images]


class PaintedImages:
    """Reads black and white images, and paints them.

    Parameters
    ----------
    dataset : FactorDataset
    paint : callable
        From masks (n, height, width, 1) and indices (n,) to images (n, height, width, 3).
    """

    def __init__(self, dataset: FactorDataset, paint: Paint) -> None:
        self.dataset, self.paint = dataset, paint

    def __call__(self, indices: NDArray[np.int64]) -> Images:
        height, width, _ = self.dataset.image_shape
        images = np.empty((len(indices), height, width, 3), np.uint8)
        for first in range(0, len(indices), AT_ONCE):
            rows = indices[first : first + AT_ONCE]
            pixels = self.dataset.images(rows)
            mask = pixels == 255
            if not (mask | (pixels == 0)).all():
                raise InputError(
                    f"{self.dataset.name} has grey pixels; colour, noisy and background need black and white"
                )
            images[first : first + AT_ONCE] = self.paint(mask, rows)
        return images


class Colour:
    """Each object in a colour of its own, every channel uniform in 128 .. 255, on black."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __call__(self, mask: NDArray[np.bool_], indices: NDArray[np.int64]) -> Images:
        colours = 128 + (random_bytes(self.seed, indices, 3) >> 1)
        images: Images = mask * colours[:, None, None, :]
        return images


class Noise:
    """Each object in white on noise, uniform in 0 .. 255 in every pixel and channel."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __call__(self, mask: NDArray[np.bool_], indices: NDArray[np.int64]) -> Images:
        n, height, width, _ = mask.shape
        noise = random_bytes(self.seed, indices, height * width * 3).reshape(n, height, width, 3)
        return np.where(mask, np.uint8(255), noise)


class Background:
    """Each object as a negative on a tinted piece of a picture (height, width, 3)."""

    def __init__(self, seed: int, picture: NDArray[np.uint8]) -> None:
        self.seed, self.picture = seed, picture

    def __call__(self, mask: NDArray[np.bool_], indices: NDArray[np.int64]) -> Images:
        _, height, width, _ = mask.shape
        drawn = random_bytes(self.seed, indices, 11)
        tints = drawn[:, 8:]
        places = np.ascontiguousarray(drawn[:, :8]).view("<u4").astype(np.int64)
        room = np.array(self.picture.shape[:2]) - (height, width) + 1
        tops, lefts = (places * room >> 32).T
        windows = np.lib.stride_tricks.sliding_window_view(self.picture, (height, width), axis=(0, 1))
        pieces = windows.transpose(0, 1, 3, 4, 2)[tops, lefts]
        tints = tints[:, None, None, :]
        images: Images = (pieces >> 1) + (tints >> 1) + (pieces & tints & 1)  # half of the sum, in 8 bits
        np.bitwise_xor(images, 255, out=images, where=mask)  # 255 less the value
        return images


def colour(dataset: FactorDataset, *, seed: int = 0) -> FactorDataset:
    """Black and white images with each object in a random colour, as in Color-dSprites."""
    return _painted(dataset, f"colour:seed={_checked(seed)}", Colour(seed))


def noisy(dataset: FactorDataset, *, seed: int = 0) -> FactorDataset:
    """Black and white images with each object on random noise, as in Noisy-dSprites."""
    return _painted(dataset, f"noisy:seed={_checked(seed)}", Noise(seed))


def background(
    dataset: FactorDataset, *, seed: int = 0, picture: str | PathLike[str] | None = None
) -> FactorDataset:
    """Black and white images with each object on a random piece of a picture, as in Scream-dSprites.

    Parameters
    ----------
    dataset : FactorDataset
    seed : int
    picture : path, optional
        The picture, such as The Scream, which is shrunk to 350x274. By default a picture of clouds that is
        drawn here.

    Raises
    ------
    DatasetError
        If the picture cannot be read.
    InputError
        If it is smaller than the images.
    """
    seed = _checked(seed)
    if picture is None:
        return _painted(dataset, f"background:seed={seed}", Background(seed, clouds()))
    path = Path(picture).expanduser()
    paint = Background(seed, _shrunk(path))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    pinned = f"background:picture=sha256-{sha256[:12]},seed={seed}"
    painted = _painted(dataset, f"background:picture={path},seed={seed}", paint, pinned)
    painted.facts["picture_sha256"] = sha256
    return painted


def _checked(seed: int) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**63:
        raise InputError(f"seed must be a whole number from 0, got {seed!r}")
    return int(seed)


def _painted(dataset: FactorDataset, variant: str, paint: Paint, pinned: str | None = None) -> FactorDataset:
    if dataset.image_shape[2] != 1:
        raise InputError(
            f"{dataset.name} has images in colour; colour, noisy and background are for black and white"
        )
    shape = (dataset.image_shape[0], dataset.image_shape[1], 3)
    if isinstance(paint, Background) and (np.array(paint.picture.shape) < shape).any():
        raise InputError(
            f"the images of {dataset.name} are larger than the picture behind them, which has "
            f"{paint.picture.shape[1]}x{paint.picture.shape[0]} pixels; pool them"
        )
    read = PaintedImages(dataset, paint)
    return dataset.as_variant(variant, read, image_shape=shape, pinned=pinned)


@cache
def clouds() -> NDArray[np.uint8]:
    """A picture of clouds in three colours: random brightnesses on four grids, with straight lines between.

    Whole numbers only, so that every machine draws the same.
    """
    total = np.zeros((HEIGHT, WIDTH, 3), np.int64)
    for place, cell in enumerate(CELLS):
        rows, columns = HEIGHT // cell + 2, WIDTH // cell + 2
        drawn = random_bytes(place, np.array([0]), rows * columns * 3)
        grid = drawn.reshape(rows, columns, 3).astype(np.int64)
        (top, down), (left, right) = (divmod(np.arange(length), cell) for length in (HEIGHT, WIDTH))
        down, right = down[:, None, None], right[None, :, None]
        above = grid[top][:, left] * (cell - right) + grid[top][:, left + 1] * right
        below = grid[top + 1][:, left] * (cell - right) + grid[top + 1][:, left + 1] * right
        total += ((above * (cell - down) + below * down) // (cell * cell)).astype(np.int64)
    picture: NDArray[np.uint8] = (total // len(CELLS)).astype(np.uint8)
    return picture


def _shrunk(path: Path) -> NDArray[np.uint8]:
    try:
        from PIL import Image
    except ImportError as error:
        raise DatasetError(
            f"pictures are read with pillow, which is missing: {install_line('data')}"
        ) from error
    try:
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
    except Exception as error:  # Pillow's decoders raise many kinds
        raise DatasetError(f"{path} cannot be read as a picture ({error})") from error
    picture.thumbnail((WIDTH, HEIGHT))
    return np.asarray(picture)
