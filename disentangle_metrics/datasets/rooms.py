"""`rooms`: coloured objects in coloured rooms, drawn here; a twin of 3D Shapes that needs no download.

It has the grid of 3D Shapes, orientation fastest, 480,000 images of 64x64x3:

- hues of the floor, the walls and the object, 10 each;
- scale, 8, linear from 0.75 to 1.25;
- shape: cube, cylinder, sphere, capsule;
- orientation, 15, from -30 to 30 degrees.

It is a twin in structure and not pixel for pixel. Use the `shapes3d` reader where the published
images matter.

Hues only recolour: 480 pictures of the geometry are drawn once. Any image is a weighted sum of the
colours of its floor, walls and object. The sums are of integers, so every machine gives the same bits.

Source of the original: C. Burgess, H. Kim, "3D Shapes dataset", 2018.
"""

from __future__ import annotations

import colorsys
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.datasets.description import Description, described
from disentangle_metrics.datasets.factor_dataset import FactorDataset, Images
from disentangle_metrics.datasets.factors.grid import FactorGrid
from disentangle_metrics.datasets.room_geometry import (
    DEGREES,
    SCALES,
    SHAPES,
    SIDE,
    SURFACES,
    geometry_rows,
)
from disentangle_metrics.datasets.storage.cached_rows import CachedRows, RowsKind
from disentangle_metrics.datasets.storage.packing import HostArray, Tensors
from disentangle_metrics.datasets.storage.published import data_folder

if TYPE_CHECKING:
    from torch import Tensor

HUES = 10
GRID = FactorGrid(
    names=("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation"),
    sizes=(HUES, HUES, HUES, len(SCALES), len(SHAPES), len(DEGREES)),
    types=("ordinal", "ordinal", "ordinal", "ordinal", "categorical", "ordinal"),
)
GEOMETRIES = len(SCALES) * len(SHAPES) * len(DEGREES)
AT_ONCE = 16  # images whose intermediate sums stay in the processor's cache


def hues(saturation: float, value: float) -> NDArray[np.float32]:
    """Colours (hue, channel) in 256ths, evenly round the circle from red."""
    circle = [colorsys.hsv_to_rgb(hue / HUES, saturation, value) for hue in range(HUES)]
    return np.round(256 * np.array(circle)).astype(np.float32)


FLOOR, WALL, OBJECT = hues(0.62, 0.95), hues(0.5, 1.0), hues(0.88, 1.0)
WHITE = np.full(3, 256, np.float32)


class RoomImages:
    """Colours pictures of the geometry.

    Parameters
    ----------
    geometry : CachedRows
        One row of brightness maps per scale, shape and orientation.
    """

    def __init__(self, geometry: CachedRows) -> None:
        self.geometry = geometry

    def __call__(self, indices: NDArray[np.int64]) -> Images:
        rows = self.geometry.open()
        floor, wall, thing = GRID.factors(indices)[:, :3].T
        white = np.broadcast_to(WHITE, (len(indices), 3))
        colours = np.stack([FLOOR[floor], WALL[wall], OBJECT[thing], white], axis=1)
        images = np.empty((len(indices), SIDE * SIDE, 3), np.uint8)
        for first in range(0, len(indices), AT_ONCE):
            some = slice(first, first + AT_ONCE)
            maps = rows[indices[some] % GEOMETRIES].reshape(-1, SIDE * SIDE, SURFACES)
            # Whole numbers below 2^24: exact in single precision, in whatever order they are added.
            images[some] = (maps.astype(np.float32) @ colours[some]).astype(np.uint16) >> 8
        return images.reshape(len(indices), SIDE, SIDE, 3)

    def packed(self) -> RoomPacking:
        """The geometry and the palettes: 8 MB, where the images are 5.9 GB."""
        return RoomPacking(self.geometry)


class RoomPacking:
    """Brightness maps of every geometry, and the colours of each surface.

    Parameters
    ----------
    geometry : HostArray of uint8 (geometries, pixels * surfaces)
    """

    def __init__(self, geometry: HostArray) -> None:
        palettes = np.stack([FLOOR, WALL, OBJECT]).astype(np.int32)  # (surface, hue, channel)
        self.arrays: dict[str, HostArray] = {
            "geometry": geometry,
            "palettes": palettes,
            "white": WHITE.astype(np.int32),
        }

    def images(self, tensors: Tensors, indices: Tensor) -> Tensor:
        """As :class:`RoomImages`, surface by surface: a matrix product might be rounded on a GPU."""
        geometry, palettes = tensors["geometry"], tensors["palettes"]
        maps = geometry[indices % GEOMETRIES].reshape(len(indices), SIDE * SIDE, SURFACES, 1).int()
        images = maps[:, :, 3] * tensors["white"]
        hue_step = GEOMETRIES
        for surface in (2, 1, 0):  # object, wall, floor: the hue of the object is the one that varies fastest
            hue = indices // hue_step % HUES
            images = images + maps[:, :, surface] * palettes[surface][hue][:, None]
            hue_step *= HUES
        return (images >> 8).to(geometry.dtype).reshape(len(indices), SIDE, SIDE, 3)


@described(
    Description(
        summary="one object in a room, in many hues: the twin of shapes3d",
        factors=tuple(zip(GRID.names, GRID.sizes, strict=True)),
        count=len(GRID),
        image_shape=(SIDE, SIDE, 3),
        licence="MIT, like this package",
    )
)
def load(root: str | PathLike[str] | None = None) -> FactorDataset:
    """Open `rooms`.

    Parameters
    ----------
    root : path, optional
        The folder of the cache: the geometry in 8 MiB, drawn once in some seconds when the first
        images are asked for. By default the package's folder in the platform's cache; where it
        cannot be written to, the geometry is kept in memory.
    """
    kind = RowsKind("rooms 1", GEOMETRIES, SIDE * SIDE * SURFACES)
    geometry = CachedRows(data_folder(root) / "rooms-1.maps", kind, geometry_rows, "drawing rooms")
    return FactorDataset("rooms", GRID, (SIDE, SIDE, 3), RoomImages(geometry))
