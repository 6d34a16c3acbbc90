"""A user's factors: words, measurements, missing values, declared kinds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from disentangle_metrics import InputError
from disentangle_metrics.datasets import from_arrays

IMAGES = np.full((6, 4, 4), 255, np.uint8)
FRAME = pd.DataFrame(
    {
        "shape": ["square", "heart", "square", None, "heart", "square"],
        "weight": [0.5, 2.25, np.nan, 0.125, 0.5, 7.75],
    }
)


def test_codes_and_labels() -> None:
    dataset = from_arrays(IMAGES, FRAME, factor_types={"weight": "continuous"})
    assert dataset.factor_names == ("shape", "weight")
    assert dataset.factor_types == ("categorical", "continuous")
    assert dataset.declared_types == (None, "continuous")
    assert dataset.factor_sizes == (2, 4)
    # heart before square; 0.125, 0.5, 2.25, 7.75; -1 where a value is missing
    assert dataset.factors([0, 1, 2, 3, 5]).tolist() == [[1, 1], [0, 2], [1, -1], [-1, 0], [1, 3]]
    labels = dataset.labels([4, 3])
    assert labels["shape"].tolist()[0] == "heart"
    assert pd.isna(labels["shape"][1])
    assert labels["weight"].tolist() == [0.5, 0.125]


def test_index_finds_the_first_image() -> None:
    dataset = from_arrays(IMAGES, np.array([[0, 3], [1, 3], [0, 3], [1, 5], [1, 5], [0, 5]]))
    assert dataset.index([[0, 0], [1, 1], [0, 1]]).tolist() == [0, 3, 5]
    lacking = from_arrays(IMAGES[:3], np.array([[0, 3], [1, 3], [0, 5]]))
    with pytest.raises(InputError, match=r"factors\[1\] is \[1, 1\], and no image has these values"):
        lacking.index([[0, 0], [1, 1]])


@pytest.mark.parametrize(
    ("factors", "options", "message"),
    [
        (np.zeros((5, 2)), {}, "5 rows of factors but 6 images"),
        (FRAME, {"factor_types": {"wight": "ordinal"}}, "'wight', which is none of shape, weight"),
        (FRAME, {"factor_types": ["real", None]}, "must be one of"),
        (FRAME, {"factor_names": ["a"]}, "1 names for 2 columns"),
        (np.full((6, 1), np.nan), {}, "no value in any row"),
    ],
)
def test_what_cannot_be_used_is_refused(factors: object, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        from_arrays(IMAGES, factors, **options)


def test_names_of_files_are_left_out_and_said() -> None:
    images = np.full((30, 4, 4), 255, np.uint8)
    frame = pd.DataFrame({"id": [f"image-{i}.png" for i in range(30)], "x": np.arange(30) % 3})
    dataset = from_arrays(images, frame)
    assert dataset.factor_names == ("x",)
    assert "factor 'id' has a different text in every row" in dataset.notes[1]


def test_images_without_factors() -> None:
    dataset = from_arrays(IMAGES)
    assert (len(dataset), dataset.factor_names) == (6, ())
