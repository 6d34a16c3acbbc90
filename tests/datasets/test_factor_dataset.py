"""What a data set gives, whatever its reader does."""

import numpy as np
import pytest

from disentangle_metrics import DatasetError
from disentangle_metrics.datasets import FactorDataset, FactorGrid

BYTES = np.full((2, 4, 6, 1), 255, np.uint8)


@pytest.mark.parametrize(
    ("images", "gave"),
    [
        (BYTES / 255, r"float64 \(2, 4, 6, 1\)"),
        (BYTES > 0, r"bool \(2, 4, 6, 1\)"),
        (BYTES[..., 0], r"uint8 \(2, 4, 6\)"),
        (BYTES[:1], r"uint8 \(1, 4, 6, 1\)"),
        (BYTES.tolist(), "list"),
    ],
    ids=["floats", "booleans", "no channels", "too few", "a list"],
)
def test_what_is_no_image_is_refused(images: object, gave: str) -> None:
    grid = FactorGrid(("which",), (2,), ("categorical",))
    dataset = FactorDataset("wrong", grid, (4, 6, 1), lambda indices: images)
    message = rf"^wrong: for 2 indices its reader gave {gave}; expected uint8 \(2, 4, 6, 1\) in 0 \.\. 255$"
    for read in (dataset.images, dataset.network_input, lambda rows: dataset.packed().arrays["images"][:]):
        with pytest.raises(DatasetError, match=message):
            read([0, 1])
