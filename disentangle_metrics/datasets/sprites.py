"""`sprites`: white shapes on black, drawn here; a twin of dSprites that needs no download.

It has the grid of dSprites without its constant colour, posY fastest, 737,280 binary images of 64x64:

- shape: square, ellipse, heart;
- scale, 6, linear from 0.5 to 1;
- orientation, 40 over a full turn, both ends included, so the last repeats the first;
- posX and posY, 32 each.

The shapes' sizes are fitted to published pictures of dSprites. A few pixels at the edges differ from
the original, so use the `dsprites` reader where the exact file matters.

Every machine draws the same bits. Sines and cosines are rounded far above the last bits in which
mathematics libraries differ. All that follows is single additions, multiplications, divisions
and comparisons, which IEEE arithmetic defines to the last bit.

Source: L. Matthey, I. Higgins, D. Hassabis, A. Lerchner, "dSprites: Disentanglement testing
Sprites dataset", 2017.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.datasets.description import Description, described
from disentangle_metrics.datasets.factor_dataset import FactorDataset, Images, ReadImages
from disentangle_metrics.datasets.factors.grid import FactorGrid
from disentangle_metrics.datasets.rounding import rounded
from disentangle_metrics.datasets.storage.cached_rows import CachedRows, RowsKind
from disentangle_metrics.datasets.storage.packed import unpack
from disentangle_metrics.datasets.storage.packing import BitPacking
from disentangle_metrics.datasets.storage.published import data_folder

SIDE = 64  # pixels
SHAPES = ("square", "ellipse", "heart")
GRID = FactorGrid(
    names=("shape", "scale", "orientation", "posX", "posY"),
    sizes=(len(SHAPES), 6, 40, 32, 32),
    types=("categorical", "ordinal", "ordinal", "ordinal", "ordinal"),
)

# Sizes at scale 1, in pixels from the shape's centre, v pointing down.
SQUARE_HALF_SIDE = 9.598
ELLIPSE_SEMI_AXES = (12.77, 7.212)
HEART_WIDTH = 9.604
HEART_HEIGHT, HEART_SHIFT = 0.6624, -1.441
HEART_VERTICES = 65  # of the polyline from the notch to the tip, one half of the heart

Reals = NDArray[np.float64]
Indices = NDArray[np.int64] | int


def heart_half() -> tuple[Reals, Reals, Reals]:
    """Vertices of the right half of the heart: u, v of the upper side, v of the lower side.

    The curve u = sin^3 t widens until t = pi / 2 and narrows again at the same values, so that
    inside means between two heights at the same u.
    """
    turn = [math.pi * i / (HEART_VERTICES - 1) for i in range(HEART_VERTICES)]
    v = [
        rounded(
            HEART_SHIFT
            - HEART_HEIGHT * (13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t))
        )
        for t in turn
    ]
    widest = HEART_VERTICES // 2
    u = [rounded(HEART_WIDTH * math.sin(t) ** 3) for t in turn[: widest + 1]]
    return np.array(u), np.array(v[: widest + 1]), np.array(v[: widest - 1 : -1])


SCALES = np.arange(5, 11) / 10
COSINES = np.array([rounded(math.cos(2 * math.pi * i / 39)) for i in range(40)])
SINES = np.array([rounded(math.sin(2 * math.pi * i / 39)) for i in range(40)])
HEART_U, HEART_TOP, HEART_BOTTOM = heart_half()
TOP_SLOPE, BOTTOM_SLOPE = np.diff(HEART_TOP) / np.diff(HEART_U), np.diff(HEART_BOTTOM) / np.diff(HEART_U)

# Shapes are centred at 16 + 32 i / 31 and pixels at p + 1/2, so a pixel is always an odd number of
# 62nds of a pixel away from the shape's centre. No shape reaches 14 pixels, so 868 offsets matter:
# pixel p sees a shape at i from OFFSETS[31 p - 32 i - 47], and 28 pixels in a row see all of it.
OFFSETS = np.arange(-867, 868, 2) / 62
WINDOW = np.arange(28)
POSITION = np.arange(32)
FIRST_PIXEL = -((32 * POSITION + 47) // -31)  # of the window, for a shape at i
FIRST_OFFSET = 31 * FIRST_PIXEL - 32 * POSITION - 47


def inside(shape: int, scale: Indices, orientation: Indices, dx: Reals, dy: Reals) -> NDArray[np.bool_]:
    """Whether the points (dx, dy), seen from a shape's centre with y down, lie in the shape."""
    cosine, sine, size = COSINES[orientation], SINES[orientation], SCALES[scale]
    u, v = (cosine * dx - sine * dy) / size, (sine * dx + cosine * dy) / size
    if SHAPES[shape] == "square":
        half = SQUARE_HALF_SIDE
        return (-half <= u) & (u <= half) & (-half <= v) & (v <= half)
    if SHAPES[shape] == "ellipse":
        distance: Reals = np.square(u / ELLIPSE_SEMI_AXES[0]) + np.square(v / ELLIPSE_SEMI_AXES[1])
        return distance <= 1
    # Not np.interp: a compiler may fuse its multiplication and addition, which changes the last bit.
    u = np.abs(u)
    segment = np.minimum(np.searchsorted(HEART_U, u, side="right"), len(HEART_U) - 1) - 1
    along = u - HEART_U[segment]
    top = HEART_TOP[segment] + TOP_SLOPE[segment] * along
    bottom = HEART_BOTTOM[segment] + BOTTOM_SLOPE[segment] * along
    between: NDArray[np.bool_] = (u <= HEART_U[-1]) & (top <= v) & (v <= bottom)
    return between


def render(indices: NDArray[np.int64]) -> Images:
    """Draw the images with these indices, each by itself."""
    shape, scale, orientation, x, y = GRID.factors(indices).T[:, :, None]
    across, down = FIRST_PIXEL[x] + WINDOW, FIRST_PIXEL[y] + WINDOW
    dx, dy = OFFSETS[FIRST_OFFSET[x] + 31 * WINDOW], OFFSETS[FIRST_OFFSET[y] + 31 * WINDOW]
    images = np.zeros((len(indices), SIDE, SIDE, 1), np.uint8)
    for kind in range(len(SHAPES)):
        chosen = np.flatnonzero(shape == kind)
        for first in range(0, len(chosen), 64):  # few at a time stay in the processor's cache
            i = chosen[first : first + 64]
            seen = inside(kind, scale[i, None], orientation[i, None], dx[i, None], dy[i, :, None])
            images[i[:, None, None], down[i, :, None], across[i, None], 0] = seen
    return np.negative(images, out=images)  # 1 wraps round to 255


def everywhere(shape: int, scale: int, orientation: int) -> NDArray[np.uint8]:
    """One turned shape at all 868 x 868 offsets (y, x), and a blank last row and column."""
    drawn = np.zeros((len(OFFSETS) + 1, len(OFFSETS) + 1), np.uint8)
    middle, reach = len(OFFSETS) // 2, math.ceil(len(OFFSETS) / 2 * SCALES[scale])
    near = slice(middle - reach, middle + reach)
    for rows in np.array_split(np.arange(len(OFFSETS))[near], 14):  # few at a time stay in the cache
        drawn[rows, near] = inside(shape, scale, orientation, OFFSETS[near], OFFSETS[rows, None])
    return drawn


def packed_blocks() -> Iterator[NDArray[np.uint8]]:
    """All images in order, eight pixels to a byte, 1,024 positions of a turned shape at a time."""
    blank = len(OFFSETS)
    pixel = 31 * np.arange(SIDE) - 32 * POSITION[:, None] - 47  # of the offsets, for each position
    seen = (pixel >= 0) & (pixel < blank)
    down = right = np.where(seen, pixel, blank)
    left = np.where(seen, blank - 1 - pixel, blank)
    for shape, scale in np.ndindex(*GRID.sizes[:2]):
        half = [everywhere(shape, scale, orientation) for orientation in range(20)]
        turned = [(drawn, right) for drawn in half] + [(drawn, left) for drawn in reversed(half)]
        for drawn, across in turned:  # the second half of the turn mirrors the first
            rows = np.packbits(drawn[:, across], axis=-1).view(np.uint64)[:, :, 0]  # 64 pixels each
            yield rows[down].transpose(2, 0, 1).copy().view(np.uint8).reshape(len(POSITION) ** 2, -1)


class SpriteImages:
    """Reads images from the cache, or draws them where there can be none.

    Parameters
    ----------
    rows : CachedRows
        All images, drawn and packed when the first are asked for.
    """

    def __init__(self, rows: CachedRows) -> None:
        self.rows = rows
        self._cannot_keep = False

    def __call__(self, indices: NDArray[np.int64]) -> Images:
        if not self._cannot_keep:
            try:
                return unpack(self.rows.open_file()[indices], SIDE, SIDE)
            except OSError as error:
                self._cannot_keep = True
                self.rows.warn(error, "drawing each image anew, which is slower")
        return render(indices)

    def packed(self) -> BitPacking:
        """The rows of bits themselves."""
        return BitPacking(self.rows, SIDE, SIDE)


@described(
    Description(
        summary="one white shape on black, of three kinds: the twin of dsprites",
        factors=tuple(zip(GRID.names, GRID.sizes, strict=True)),
        count=len(GRID),
        image_shape=(SIDE, SIDE, 1),
        licence="MIT, like this package",
    )
)
def load(root: str | PathLike[str] | None = None, *, cache: bool = True) -> FactorDataset:
    """Open `sprites`.

    Parameters
    ----------
    root : path, optional
        The folder of the cache: all images in 360 MiB, drawn once in some seconds when the first
        are asked for. By default the package's folder in the platform's cache.
    cache : bool
        False draws each image when it is asked for and writes no file: the same images, slower.
    """
    read: ReadImages = render
    if cache:
        kind = RowsKind("sprites 1", len(GRID), SIDE * SIDE // 8)
        path = data_folder(root) / "sprites-1.bits"
        read = SpriteImages(CachedRows(path, kind, packed_blocks, "drawing sprites"))
    return FactorDataset("sprites", GRID, (SIDE, SIDE, 1), read)
