"""`sprites`: white shapes on black, drawn here; a twin of dSprites that needs no download.

The same grid as dSprites without its constant colour: shape (square, ellipse, heart), scale (6,
linear from 0.5 to 1), orientation (40 over a full turn, both ends included, so the last repeats
the first), posX (32) and posY (32), 737,280 binary images of 64x64, posY fastest. The shapes'
sizes are fitted to published pictures of dSprites; a few pixels at the edges differ from the
original, so use the `dsprites` reader where the exact file matters.

Every machine draws the same bits: sines and cosines are rounded far above the last bits in which
mathematics libraries differ, and all that follows is single additions, multiplications, divisions
and comparisons, which IEEE arithmetic defines to the last bit.

Source: L. Matthey, I. Higgins, D. Hassabis, A. Lerchner, "dSprites: Disentanglement testing
Sprites dataset", 2017.
"""

from __future__ import annotations

import math
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.datasets.factor_dataset import FactorDataset, Images
from disentangle_metrics.datasets.grid import FactorGrid

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


def rounded(value: float) -> float:
    """`value` to 40 binary digits after the point: the same on machines whose libm differ."""
    return round(value * 2.0**40) / 2.0**40


def heart_half() -> tuple[Reals, Reals]:
    """Vertices (u, v) of the right half of the heart, from the notch over the side to the tip."""
    turn = [math.pi * i / (HEART_VERTICES - 1) for i in range(HEART_VERTICES)]
    u = [rounded(HEART_WIDTH * math.sin(t) ** 3) for t in turn]
    v = [
        rounded(
            HEART_SHIFT
            - HEART_HEIGHT * (13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t))
        )
        for t in turn
    ]
    return np.array(u), np.array(v)


SCALES = np.arange(5, 11) / 10
COSINES = np.array([rounded(math.cos(2 * math.pi * i / 39)) for i in range(40)])
SINES = np.array([rounded(math.sin(2 * math.pi * i / 39)) for i in range(40)])
HEART_U, HEART_V = heart_half()
WIDEST = HEART_VERTICES // 2  # the vertex where the half is widest: its top ends, its bottom begins


def polyline(u: Reals, u_vertices: Reals, v_vertices: Reals) -> Reals:
    """Height at `u` of the polyline through the vertices, u ascending; clamped to the last segments."""
    # Not np.interp: a compiler may fuse its multiplication and addition, and so change the last bit.
    slope = np.diff(v_vertices) / np.diff(u_vertices)
    segment = np.clip(np.searchsorted(u_vertices, u, side="right") - 1, 0, len(slope) - 1)
    height: Reals = v_vertices[segment] + slope[segment] * (u - u_vertices[segment])
    return height


def inside(shape: int, u: Reals, v: Reals) -> NDArray[np.bool_]:
    """Whether the points (u, v), in the frame of a shape at scale 1, lie in it."""
    if SHAPES[shape] == "square":
        return (np.abs(u) <= SQUARE_HALF_SIDE) & (np.abs(v) <= SQUARE_HALF_SIDE)
    if SHAPES[shape] == "ellipse":
        a, b = ELLIPSE_SEMI_AXES
        return np.square(u / a) + np.square(v / b) <= 1
    across = np.abs(u)
    top = polyline(across, HEART_U[: WIDEST + 1], HEART_V[: WIDEST + 1])
    bottom = polyline(across, HEART_U[: WIDEST - 1 : -1], HEART_V[: WIDEST - 1 : -1])
    return (across <= HEART_U[WIDEST]) & (top <= v) & (v <= bottom)


def turned(
    dx: Reals, dy: Reals, orientation: NDArray[np.int64], scale: NDArray[np.int64]
) -> tuple[Reals, Reals]:
    """Points (dx, dy) from the centre of a shape, y down, in the frame of the shape at scale 1."""
    c, s, size = COSINES[orientation], SINES[orientation], SCALES[scale]
    return (c * dx - s * dy) / size, (s * dx + c * dy) / size


def render(indices: NDArray[np.int64]) -> Images:
    """Draw the images with these indices."""
    shape, scale, orientation, pos_x, pos_y = GRID.factors(indices)[:, :, None, None].swapaxes(0, 1)
    pixel = np.arange(SIDE) + 0.5
    dx, dy = pixel - (16 + 32 * pos_x / 31), pixel[:, None] - (16 + 32 * pos_y / 31)
    images = np.zeros((len(indices), SIDE, SIDE, 1), np.uint8)
    for kind in range(len(SHAPES)):
        rows = np.flatnonzero(shape == kind)
        images[rows, :, :, 0] = inside(kind, *turned(dx[rows], dy[rows], orientation[rows], scale[rows]))
    return np.negative(images, out=images)  # 1 wraps round to 255


def load(root: str | PathLike[str] | None = None) -> FactorDataset:
    """Open `sprites`."""
    return FactorDataset("sprites", GRID, (SIDE, SIDE, 1), render)
