"""Data sets in smaller images."""

import pickle

import numpy as np
import pytest

from disentangle_metrics import InputError, load_dataset
from disentangle_metrics.datasets import FactorDataset, FactorGrid
from disentangle_metrics.datasets.pooled import pooled


def test_each_pixel_is_the_mean_of_its_block():
    images = np.arange(2 * 4 * 6 * 3, dtype=np.uint8).reshape(2, 4, 6, 3)
    grid = FactorGrid(("which",), (2,), ("categorical",))
    small = pooled(FactorDataset("made up", grid, (4, 6, 3), images.__getitem__), 2)
    assert small.image_shape == (2, 3, 3)
    found = small.images([1, 0])
    assert found.dtype == np.uint8
    assert found[0, 1, 2, 0] == images[1, 2:4, 4:6, 0].mean() // 1
    np.testing.assert_array_equal(found[1, 0, 0], images[0, :2, :2].mean(axis=(0, 1)) // 1)


def test_white_stays_white_in_any_pool():
    grid = FactorGrid(("which",), (1,), ("categorical",))
    white = FactorDataset(
        "white", grid, (64, 64, 1), lambda indices: np.full((len(indices), 64, 64, 1), 255, np.uint8)
    )
    assert (pooled(white, 64).images([0]) == 255).all()


def test_a_pooled_data_set_has_the_factors_of_the_whole_and_survives_pickling():
    whole, small = load_dataset("sprites", cache=False), load_dataset("sprites", cache=False, pool=2)
    assert small.name == "sprites"
    assert small.image_shape == (32, 32, 1)
    rows = [5, 700_000]
    np.testing.assert_array_equal(small.factors(rows), whole.factors(rows))
    copy = pickle.loads(pickle.dumps(small))
    np.testing.assert_array_equal(copy.images(rows), small.images(rows))
    ink = whole.images(rows).sum(axis=(1, 2, 3), dtype=int)
    assert ((ink - 4 * small.images(rows).sum(axis=(1, 2, 3), dtype=int)) / ink < 0.01).all()


@pytest.mark.parametrize("pool", [0, -2, 3, 1.5, "2"])
def test_a_pool_that_does_not_divide_the_images_is_refused(pool):
    with pytest.raises(
        InputError,
        match=r"pool is .*; accepted: a whole number from 1 that divides the 64x64 pixels of sprites",
    ):
        load_dataset("sprites", cache=False, pool=pool)
