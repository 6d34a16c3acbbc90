"""What a data set gives, whatever its reader does."""

import numpy as np
import pytest

from disentangle_metrics import DatasetError, InputError
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


@pytest.mark.parametrize(
    ("shape", "read", "message"),
    [
        ((1, 16, 16), len, r"`image_shape` of mine is \(1, 16, 16\).*such as \(16, 16, 1\), and `read`"),
        ((3, 16, 8), len, r"such as \(16, 8, 3\)"),
        ((16, 8), len, r"is \(16, 8\); it must be \(height, width, channels\), such as \(16, 8, 1\)"),
        ((2, 16, 16, 1), len, r"such as \(64, 64, 1\)"),
        (
            (8, 8, 1),
            np.zeros((4, 8, 8, 1), np.uint8),
            "`read` of mine must be a function.*got ndarray; .*from_arrays",
        ),
    ],
)
def test_a_shape_with_channels_first_and_a_reader_that_is_none_are_refused(shape, read, message) -> None:
    with pytest.raises(InputError, match=message):
        FactorDataset("mine", FactorGrid(("a",), (4,), ("ordinal",)), shape, read)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 9), (3, 3, 3), (1, 9, 3), (8, 8, 4), [8, 8, 1]])
def test_a_shape_with_channels_last_is_kept(shape) -> None:
    assert FactorDataset("mine", FactorGrid(("a",), (4,), ("ordinal",)), shape, len).image_shape == shape
