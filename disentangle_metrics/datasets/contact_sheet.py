"""A picture of a data set: a row for each factor, which alone changes in it. Needs Pillow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.datasets.factor_dataset import FactorDataset
from disentangle_metrics.datasets.factors.columns import NO_VALUE
from disentangle_metrics.datasets.factors.grid import FactorGrid
from disentangle_metrics.datasets.storage.pictures import pillow
from disentangle_metrics.kit.files import whole_file

LONGEST = 16  # images in a row; of a factor with more values, so many evenly spaced ones
MARGIN, GAP, HIGH = 6, 4, 12  # pixels: beside the names, between rows, and of the letters


def contact_sheet_indices(dataset: FactorDataset, longest: int = LONGEST) -> dict[str, NDArray[np.int64]]:
    """The images of each factor's row, by the factor's name.

    Where every combination has an image, one factor changes and the others stay. Elsewhere each
    value is shown by the image that shares most other values with the image in the middle of the data
    set. Without factors there is one row, of images evenly spaced.
    """
    sizes = np.array(dataset.factor_sizes)
    if not len(sizes):
        return {"": evenly(len(dataset), longest)}
    if isinstance(dataset.grid, FactorGrid):
        others = sizes * np.arange(1, len(sizes) + 1) // (len(sizes) + 1)  # apart: no two hues are the same
        rows = []
        for column, size in enumerate(sizes):
            values = evenly(size, longest)
            factors = np.tile(others, (len(values), 1))
            factors[:, column] = values
            rows.append(dataset.index(factors))
    else:
        table = dataset.factors(np.arange(len(dataset)))
        shared = (table == table[len(table) // 2]).sum(axis=1)
        rows = [nearest(table[:, column], shared, longest) for column in range(len(sizes))]
    return dict(zip(dataset.factor_names, rows, strict=True))


def evenly(count: int, longest: int) -> NDArray[np.int64]:
    """At most `longest` numbers from 0 to count - 1, evenly spaced."""
    return np.unique(np.linspace(0, count - 1, min(longest, count)).round().astype(np.int64))


def nearest(values: NDArray[np.int64], shared: NDArray[np.int64], longest: int) -> NDArray[np.int64]:
    """For each of some values the first of the rows that have it and share most."""
    there = np.unique(values[values != NO_VALUE])
    rows = [np.flatnonzero(values == value) for value in there[evenly(len(there), longest)]]
    return np.array([row[np.argmax(shared[row])] for row in rows])


def contact_sheet(dataset: FactorDataset, longest: int = LONGEST) -> Any:
    """A picture (of Pillow) with a row of images for each factor, and its name before it.

    Parameters
    ----------
    dataset : FactorDataset
    longest : int
        Images in a row at most.

    Raises
    ------
    DatasetError
        If Pillow is not installed.
    """
    image = pillow()
    from PIL import ImageDraw, ImageFont

    indices = contact_sheet_indices(dataset, longest)
    height, width, channels = dataset.image_shape
    font = ImageFont.load_default(HIGH)
    left = 2 * MARGIN + max(int(font.getlength(name)) for name in indices) if any(indices) else 0
    step = max(height, HIGH) + GAP
    size = (left + width * max(map(len, indices.values())), step * len(indices) - GAP)
    sheet = image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    for row, (name, places) in enumerate(indices.items()):
        draw.text((left - MARGIN, row * step + height // 2), name, "black", font, anchor="rm")
        for column, pixels in enumerate(dataset.images(places)):
            shown = image.fromarray(pixels[..., 0] if channels == 1 else pixels)
            sheet.paste(shown, (left + column * width, row * step))
    return sheet


def save_contact_sheet(dataset: FactorDataset, path: Path, longest: int = LONGEST) -> None:
    """Write the contact sheet as a PNG file, whole or not at all."""
    sheet = contact_sheet(dataset, longest)
    with whole_file(path) as unfinished:
        sheet.save(unfinished, "PNG", optimize=True)
