"""What the first batch shows of an encoder: whether it changes its images, and whether it mixes them."""

from __future__ import annotations

import numpy as np
import pytest

from disentangle_metrics.encoders.output_reader import OutputReader

RNG = np.random.default_rng(0)
IMAGES = RNG.random((64, 1, 4, 4)).astype(np.float32)
WEIGHTS = RNG.normal(size=(16, 3)).astype(np.float32)
LOGVAR = np.full((64, 3), -2.0)


def codes(images):
    return np.asarray(images).reshape(len(images), -1) @ WEIGHTS


def in_place(images):
    images -= 0.5
    images /= 0.25
    return codes(images)


def read(encode, images=IMAGES):
    """The means of a first batch, and the remarks."""
    reader = OutputReader(by_contract=True)
    return reader.read(encode, images.copy()).mean, reader.remarks


def test_an_encoder_that_changes_its_images_does_not_draw():
    expected = codes((IMAGES - 0.5) / 0.25)
    for encode in (in_place, lambda images: (in_place(images), LOGVAR[: len(images)])):
        means, remarks = read(encode)
        np.testing.assert_allclose(means, expected, rtol=1e-5)
        assert remarks == []


def test_a_tensor_that_is_changed_is_not_drawn_either():
    torch = pytest.importorskip("torch")
    reader = OutputReader()
    reader.read(in_place, torch.from_numpy(IMAGES.copy()))
    assert reader.remarks == []


def test_a_code_that_scatters_around_the_mean_of_images_that_are_changed_is_set_aside():
    rng = np.random.default_rng(1)

    def encode(images):
        mean = in_place(images)
        return mean + 0.1 * rng.normal(size=mean.shape), mean

    means, remarks = read(encode)
    np.testing.assert_allclose(means, codes((IMAGES - 0.5) / 0.25), rtol=1e-5)
    assert remarks == []
