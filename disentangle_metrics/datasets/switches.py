"""`switches`: moons, stars and ships in grey on black, drawn here; factors that form a tree.

A switch decides which shape there is, and each shape has a factor of its own:

- shape: moon, star, ship;
- phase, 32, of a moon: from a crescent to a full disc;
- shine, 32, of a star: from narrow rays to a diamond;
- angle, 16, of a ship: from -45 to 45 degrees;
- jets, of a ship: off or on, a second switch;
- length, 8, of jets that are on;
- posX and posY, 32 each, of every shape, posY fastest.

There are 786,432 images of 64x64, as many of each shape, and as many ships with jets as without. For that,
212,992 different images come once or eight times: a factor that does not exist changes nothing.

It has the tree of Spaceshapes and is no copy of it: shapes, sizes and values are our own.

Every machine draws the same bits. Sines and cosines are rounded far above the last bits in which
mathematics libraries differ. All that follows is single operations that IEEE arithmetic defines.

Source of the tree: A. S. Ross, F. Doshi-Velez, "Benchmarks, algorithms, and metrics for hierarchical
disentanglement", 2021.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.datasets.description import Description, described
from disentangle_metrics.datasets.factor_dataset import FactorDataset, Images
from disentangle_metrics.datasets.factors.columns import NO_VALUE
from disentangle_metrics.datasets.factors.grid import FactorGrid
from disentangle_metrics.datasets.factors.tree import FactorTree
from disentangle_metrics.datasets.rounding import rounded
from disentangle_metrics.datasets.storage.cached_rows import CachedRows, RowsKind
from disentangle_metrics.datasets.storage.packing import HostArray, Tensors
from disentangle_metrics.datasets.storage.published import data_folder

if TYPE_CHECKING:
    from torch import Tensor

SIDE, WINDOW = 64, 32  # pixels, of an image and of the part of it that a shape lies in
SAMPLES = 4  # in a pixel, each way
PHASES, SHINES, ANGLES, LENGTHS, POSITIONS = 32, 32, 16, 8, 32
MOON, STAR, SHIP = range(3)
GRID = FactorGrid(
    names=("shape", "phase", "shine", "angle", "jets", "length", "posX", "posY"),
    sizes=(3, PHASES, SHINES, ANGLES, 2, LENGTHS, POSITIONS, POSITIONS),
    types=("categorical", "ordinal", "ordinal", "ordinal", "categorical", "ordinal", "ordinal", "ordinal"),
)
HIERARCHY = {
    "phase": ("shape", MOON),
    "shine": ("shape", STAR),
    "angle": ("shape", SHIP),
    "jets": ("shape", SHIP),
    "length": ("jets", 1),
}
OFFSETS = (np.arange(WINDOW * SAMPLES) + 0.5) / SAMPLES - WINDOW / 2  # pixels from the shape's centre
RADIUS = 14.0  # of moon and star
CRESCENT = -0.6  # the lit part of a half-chord on the right, at the first phase; 1 at the last
NARROWEST = 2.5  # from the centre to a star's inner corners each way, at the first shine
APEX, BASE, HALF_BASE = -13.0, 4.0, 7.0  # of a ship's hull, v pointing down
JET_INNER, JET_OUTER, JET_TOP, SHORTEST = 2.0, 6.0, 5.0, 2.0  # of its jets

Reals = NDArray[np.float64]


DEGREES = np.linspace(-45, 45, ANGLES)
COSINES = [rounded(math.cos(math.radians(degrees))) for degrees in DEGREES]
SINES = [rounded(math.sin(math.radians(degrees))) for degrees in DEGREES]


def moon(phase: int, u: Reals, v: Reals) -> NDArray[np.bool_]:
    """Whether points lie in the lit part of a disc, which begins at the left."""
    lit = CRESCENT + (1 - CRESCENT) * phase / (PHASES - 1)
    half_chord = np.sqrt(np.maximum(RADIUS**2 - v * v, 0))
    return (u * u + v * v <= RADIUS**2) & (u <= lit * half_chord)


def star(shine: int, u: Reals, v: Reals) -> NDArray[np.bool_]:
    """Whether points lie in a star of four rays; its inner corners move out to the edge of a diamond."""
    corner = NARROWEST + (RADIUS / 2 - NARROWEST) * shine / (SHINES - 1)
    far, near = np.maximum(np.abs(u), np.abs(v)), np.minimum(np.abs(u), np.abs(v))
    inside: NDArray[np.bool_] = far * corner + near * (RADIUS - corner) <= RADIUS * corner
    return inside


def ship(angle: int, length: int, u: Reals, v: Reals) -> NDArray[np.bool_]:
    """Whether points lie in a turned hull, or in its two jets; NO_VALUE is the length of jets that are off.

    A growing angle turns counter-clockwise.
    """
    across, down = COSINES[angle] * u - SINES[angle] * v, SINES[angle] * u + COSINES[angle] * v
    side = np.abs(across)
    hull = (down <= BASE) & (side * (BASE - APEX) <= HALF_BASE * (down - APEX))
    if length == NO_VALUE:
        return hull
    jet = (side >= JET_INNER) & (side <= JET_OUTER)
    return hull | (jet & (down >= JET_TOP) & (down <= JET_TOP + SHORTEST + length))


def drawn_windows() -> Iterator[NDArray[np.uint8]]:
    """Each different shape, sorted by its factors, as a row of grey pixels."""
    u, v = np.broadcast_arrays(OFFSETS, OFFSETS[:, None])
    for kind, phase, shine, angle, _, length in np.unique(shapes(), axis=0)[:, :6]:
        if kind == MOON:
            inside = moon(phase, u, v)
        else:
            inside = star(shine, u, v) if kind == STAR else ship(angle, length, u, v)
        samples = inside.reshape(WINDOW, SAMPLES, WINDOW, SAMPLES).sum(axis=(1, 3))
        yield (samples * 255 // SAMPLES**2).astype(np.uint8).reshape(1, -1)


def shapes() -> NDArray[np.int64]:
    """The first six factors of every 1,024th image (768, 6): each switch has equally many of its options."""
    every = ANGLES * LENGTHS  # ships with jets; the others are repeated
    rows = np.full((6 * every, 6), NO_VALUE)
    number = np.arange(2 * every)
    rows[: 2 * every, :2] = np.stack([np.full(2 * every, MOON), number * PHASES // (2 * every)], axis=1)
    rows[2 * every : 4 * every, 0] = STAR
    rows[2 * every : 4 * every, 2] = number * SHINES // (2 * every)
    rows[4 * every :, 0] = SHIP
    rows[4 * every :, 3] = number // LENGTHS % ANGLES
    rows[4 * every :, 4] = number // every
    rows[5 * every :, 5] = np.arange(every) % LENGTHS
    return rows


def window_of_shape() -> NDArray[np.int64]:
    """Which of the different windows each of :func:`shapes` has."""
    return np.unique(shapes(), axis=0, return_inverse=True)[1].reshape(-1)


def tree() -> FactorTree:
    """The factors of every image."""
    first = np.repeat(shapes().astype(np.int8), POSITIONS**2, axis=0)
    x, y = np.divmod(np.arange(POSITIONS**2, dtype=np.int16), POSITIONS)
    places = np.tile(np.stack([x, y], axis=1).astype(np.int8), (len(shapes()), 1))
    return FactorTree(np.concatenate([first, places], axis=1), GRID, HIERARCHY)


WINDOW_OF_SHAPE = window_of_shape()
COUNT = len(WINDOW_OF_SHAPE) * POSITIONS**2
WINDOWS = int(WINDOW_OF_SHAPE.max()) + 1


class SwitchImages:
    """Puts shapes in their places.

    Parameters
    ----------
    windows : CachedRows
        The different shapes.
    """

    def __init__(self, windows: CachedRows) -> None:
        self.windows = windows

    def __call__(self, indices: NDArray[np.int64]) -> Images:
        shape, x, y = np.unravel_index(indices, (len(WINDOW_OF_SHAPE), POSITIONS, POSITIONS))
        images = np.zeros((len(indices), SIDE, SIDE, 1), np.uint8)
        pixel, every = np.arange(WINDOW), np.arange(len(indices))
        down, across = (y[:, None] + pixel)[:, :, None], (x[:, None] + pixel)[:, None]
        windows = self.windows.open()[WINDOW_OF_SHAPE[shape]].reshape(-1, WINDOW, WINDOW)
        images[every[:, None, None], down, across, 0] = windows
        return images

    def packed(self) -> SwitchPacking:
        """The shapes and which image has which: 0.2 MB, where the images are 3.2 GB."""
        return SwitchPacking(self.windows)


class SwitchPacking:
    """Windows of each shape, and the place of a window in an image.

    Parameters
    ----------
    windows : HostArray of uint8 (shapes, pixels)
    """

    def __init__(self, windows: HostArray) -> None:
        self.arrays: dict[str, HostArray] = {
            "windows": windows,
            "window_of_shape": WINDOW_OF_SHAPE,
            "pixels": np.arange(SIDE),
        }

    def images(self, tensors: Tensors, indices: Tensor) -> Tensor:
        """As :class:`SwitchImages`, each pixel asking what it sees of the window."""
        window = tensors["window_of_shape"][indices // POSITIONS**2]
        across = tensors["pixels"] - (indices // POSITIONS % POSITIONS)[:, None]
        down = tensors["pixels"] - (indices % POSITIONS)[:, None]
        seen = ((down >= 0) & (down < WINDOW))[:, :, None] & ((across >= 0) & (across < WINDOW))[:, None]
        place = down.clamp(0, WINDOW - 1)[:, :, None] * WINDOW + across.clamp(0, WINDOW - 1)[:, None]
        images = tensors["windows"][window[:, None, None], place] * seen
        return images[..., None]


@described(
    Description(
        summary="moons, stars and ships: each shape has factors of its own",
        factors=tuple(zip(GRID.names, GRID.sizes, strict=True)),
        count=COUNT,
        image_shape=(SIDE, SIDE, 1),
        licence="MIT, like this package",
    )
)
def load(root: str | PathLike[str] | None = None) -> FactorDataset:
    """Open `switches`.

    Parameters
    ----------
    root : path, optional
        The folder of the cache: 208 shapes in 0.2 MiB, drawn when the first images are asked for. By
        default the package's folder in the platform's cache; where it cannot be written to, the shapes
        are kept in memory.
    """
    kind = RowsKind("switches 1", WINDOWS, WINDOW * WINDOW)
    windows = CachedRows(data_folder(root) / "switches-1.windows", kind, drawn_windows, "drawing switches")
    return FactorDataset("switches", tree(), (SIDE, SIDE, 1), SwitchImages(windows))
