"""`isaac3d` and `falcor3d`: a kitchen and a living room, rendered; a folder of numbered PNG pictures each.

The published archives have to be unpacked first. Pictures are decoded when they are asked for: nothing
else is kept. Needs Pillow.

The order of isaac3d's factors is that of its authors' program. The formula on their page gives some of the
names in another order, to which the sizes do not fit.

Source: W. Nie et al., "Semi-supervised StyleGAN for disentanglement learning", ICML 2020. CC BY 4.0.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.datasets.description import Description, described
from disentangle_metrics.datasets.factor_dataset import FactorDataset, Images
from disentangle_metrics.datasets.factors.grid import FactorGrid
from disentangle_metrics.datasets.storage.pictures import read_picture, resized
from disentangle_metrics.datasets.storage.published import PublishedFile, advice, data_folder
from disentangle_metrics.errors import DatasetError, InputError

HOME = "Google Drive, where the repository NVlabs/High-res-disentanglement-datasets on GitHub links to"
ISAAC3D = PublishedFile("isaac3d", "Isaac3D", "", "", "", f"{HOME} (13 GB at 128x128)", "rooms", 13 * 10**9)
FALCOR3D = PublishedFile(
    "falcor3d", "Falcor3D", "", "", "", f"{HOME} (3.7 GB at 128x128)", "rooms", 37 * 10**8
)
ISAAC3D_GRID = FactorGrid(
    (
        "object_shape",
        "robot_x-move",
        "robot_y-move",
        "camera_height",
        "object_scale",
        "lighting_intensity",
        "lighting_y-dir",
        "object_color",
        "wall_color",
    ),
    (3, 8, 5, 4, 4, 4, 6, 4, 4),
    ("categorical", *["ordinal"] * 6, "categorical", "categorical"),
)
FALCOR3D_GRID = FactorGrid(
    (
        "lighting_intensity",
        "lighting_x-dir",
        "lighting_y-dir",
        "lighting_z-dir",
        "camera_x-pos",
        "camera_y-pos",
        "camera_z-pos",
    ),
    (5, 6, 6, 6, 6, 6, 6),
    ("ordinal",) * 7,
)


def description(summary: str, file: PublishedFile, grid: FactorGrid) -> Description:
    """What lists say of one of the two, in the smaller of its published sizes."""
    return Description(
        summary=summary,
        factors=tuple(zip(grid.names, grid.sizes, strict=True)),
        count=len(grid),
        image_shape=(128, 128, 3),
        licence="CC BY 4.0",
        files=(file,),
    )


@described(description("a robot arm in a kitchen, rendered", ISAAC3D, ISAAC3D_GRID))
def load_isaac3d(root: str | PathLike[str] | None = None, *, side: int = 0) -> FactorDataset:
    """Open `isaac3d`.

    Parameters
    ----------
    root : path, optional
        The unpacked folder, with the pictures in it or in its folder ``images``. By default the folder
        ``Isaac3D`` in the package's folder in the platform's cache.
    side : int
        Height and width to shrink the images to, in pixels; 0 leaves them as they are.

    Raises
    ------
    DatasetError
        If there is no such folder, or its first or last picture is missing. No program can fetch it.
    InputError
        If `side` is negative.
    """
    return read_folder(located(ISAAC3D, root), "isaac3d", ISAAC3D_GRID, side)


@described(description("a living room, rendered", FALCOR3D, FALCOR3D_GRID))
def load_falcor3d(root: str | PathLike[str] | None = None, *, side: int = 0) -> FactorDataset:
    """Open `falcor3d`; see :func:`load_isaac3d`."""
    return read_folder(located(FALCOR3D, root), "falcor3d", FALCOR3D_GRID, side)


def located(file: PublishedFile, root: str | PathLike[str] | None) -> Path:
    """The folder that the pictures are in."""
    folder = data_folder(root)
    for place in (folder, folder / file.name):
        for inner in (place, place / "images"):
            if (inner / picture_name(0)).exists():
                return inner
    raise DatasetError(
        f"{file.dataset}: there is no picture {picture_name(0)} in {folder}, nor in {file.name} or "
        f"images in it; {advice(file, folder / file.name)}"
    )


def picture_name(index: int) -> str:
    """The name of the picture of an image's index."""
    return f"{index:06d}.png"


def read_folder(folder: Path, dataset: str, grid: FactorGrid, side: int = 0) -> FactorDataset:
    """A data set from a folder of pictures that are numbered in the order of `grid`."""
    if side < 0:
        raise InputError(f"side is {side}; accepted: 0 or more pixels")
    if not (folder / picture_name(len(grid) - 1)).exists():
        raise DatasetError(
            f"{dataset}: there is no picture {picture_name(len(grid) - 1)} in {folder}, which has to have "
            f"{len(grid):,} of them; unpack it again"
        )
    first = read_picture(folder / picture_name(0), f"{dataset}: {folder / picture_name(0)}")
    if first.width != first.height or side > first.width:
        raise DatasetError(
            f"{dataset}: the pictures in {folder} are of {first.width}x{first.height}; expected squares"
            + (f" of {side} or more" if side else "")
        )
    shape = (side or first.height, side or first.width, 3)
    return FactorDataset(dataset, grid, shape, NumberedPictures(folder, dataset, first.height, shape[0]))


class NumberedPictures:
    """Decodes the pictures that are asked for, each once.

    Parameters
    ----------
    folder : Path
    dataset : str
        For error messages.
    published_side, side : int
        Height and width of every picture, and what to shrink them to, in pixels.
    """

    def __init__(self, folder: Path, dataset: str, published_side: int, side: int) -> None:
        self.folder, self.dataset = folder, dataset
        self.published_side, self.side = published_side, side

    def __call__(self, indices: NDArray[np.int64]) -> Images:
        different, places = np.unique(indices, return_inverse=True)
        images = np.empty((len(different), self.side, self.side, 3), np.uint8)
        for row, index in enumerate(different.tolist()):
            path = self.folder / picture_name(index)
            pixels = np.asarray(read_picture(path, f"{self.dataset}: {path}"))
            if pixels.shape[:2] != (self.published_side, self.published_side):
                raise DatasetError(
                    f"{self.dataset}: {path} is of {pixels.shape[1]}x{pixels.shape[0]}, where the "
                    f"first picture is of {self.published_side}x{self.published_side}"
                )
            images[row] = resized(pixels, self.side)
        return images[places]
