"""Contact sheets: which images stand in which row, and the picture."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from disentangle_metrics.datasets import FactorDataset, FactorGrid, FactorTable
from disentangle_metrics.datasets.contact_sheet import contact_sheet_indices, save_contact_sheet
from disentangle_metrics.datasets.factors.no_factors import NoFactors

GRID = FactorGrid(("shape", "place"), (2, 30), ("categorical", "ordinal"))


def flat(indices):
    """Each image is of one grey: its index."""
    return np.broadcast_to(indices.astype(np.uint8)[:, None, None, None], (len(indices), 20, 20, 1))


def test_one_factor_changes_in_each_row_of_a_grid() -> None:
    dataset = FactorDataset("grey", GRID, (20, 20, 1), flat)
    rows = {name: dataset.factors(indices) for name, indices in contact_sheet_indices(dataset, 4).items()}
    assert rows["shape"].tolist() == [[0, 20], [1, 20]]
    assert rows["place"].tolist() == [[0, 0], [0, 10], [0, 19], [0, 29]]


def test_where_combinations_are_missing_the_nearest_image_is_shown() -> None:
    values = np.array([[0, 0, 0], [1, 1, 1], [0, 1, 1], [1, 1, 0], [2, 0, 0]])  # in the middle: 0, 1, 1
    table = FactorTable(values, FactorGrid(("a", "b", "c"), (3, 2, 2), ("ordinal",) * 3))
    rows = contact_sheet_indices(FactorDataset("some", table, (20, 20, 1), flat))
    assert {name: row.tolist() for name, row in rows.items()} == {"a": [2, 1, 4], "b": [0, 2], "c": [0, 2]}


def test_without_factors_there_is_one_row() -> None:
    dataset = FactorDataset("images", NoFactors(100), (20, 20, 1), flat)
    assert contact_sheet_indices(dataset, 4)[""].tolist() == [0, 33, 66, 99]


@pytest.mark.parametrize("channels", [1, 3])
def test_the_picture_has_the_images_beside_the_names(tmp_path: Path, channels: int) -> None:
    dataset = FactorDataset(
        "grey", GRID, (20, 20, channels), lambda indices: np.repeat(flat(indices), channels, 3)
    )
    save_contact_sheet(dataset, tmp_path / "sheet.png", 4)
    pixels = np.asarray(Image.open(tmp_path / "sheet.png"))
    left = pixels.shape[1] - 4 * 20
    assert pixels.shape == (44, left + 80, 3)
    assert left > 20
    assert pixels[:, :left].min() < 100  # names
    first, second = pixels[10, left + 10 :: 20, 0], pixels[34, left + 10 :: 20, 0]
    assert first.tolist() == [20, 50, 255, 255]
    assert second.tolist() == [0, 10, 19, 29]
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]
