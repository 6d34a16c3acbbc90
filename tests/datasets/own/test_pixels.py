"""Layout and range of a user's images: found, or refused with what to say."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics import DatasetError, InputError
from disentangle_metrics.datasets import from_arrays
from disentangle_metrics.datasets.pooled import pooled

GREY = np.arange(2 * 4 * 5, dtype=np.uint8).reshape(2, 4, 5) * 6  # 0 .. 234
FULL = np.arange(256, dtype=np.float32).reshape(4, 8, 8)


@pytest.mark.parametrize(
    ("images", "unit"),
    [
        (GREY, GREY / 255),
        (GREY.astype(np.float64), GREY / 255),
        (GREY.astype(np.uint16) * 257, GREY / 255),
        (GREY > 100, GREY > 100),
        ((GREY > 100).astype(np.uint8), GREY > 100),
        ((GREY > 100).astype(np.float32), GREY > 100),
        (GREY / 255, GREY / 255),
        (GREY / 127.5 - 1, GREY / 255),
        (GREY / 500 - 1, GREY / 1000),
        (1 - GREY / 200, 1 - GREY / 400),
    ],
    ids=[
        "uint8",
        "float in 0..255",
        "uint16",
        "bool",
        "0/1 uint8",
        "0/1 float",
        "0..1",
        "-1..1",
        "dark in -1..1",
        "bright in -1..1",
    ],
)
def test_the_range_is_found_and_mapped_to_0_and_1(images: np.ndarray, unit: np.ndarray) -> None:
    dataset = from_arrays(images)
    inputs = dataset.network_input([1, 0, 1])
    assert (inputs.dtype, inputs.shape) == (np.float32, (3, 1, 4, 5))
    np.testing.assert_allclose(inputs[:, 0], unit[[1, 0, 1]], atol=1e-6)
    pixels = dataset.images([1, 0])
    assert (pixels.dtype, pixels.shape) == (np.uint8, (2, 4, 5, 1))
    np.testing.assert_array_equal(pixels[..., 0], np.rint(unit[[1, 0]] * 255))


def test_more_than_8_bits_reach_the_network() -> None:
    images = np.linspace(0, 1, 2 * 64).reshape(2, 8, 8)
    np.testing.assert_array_equal(from_arrays(images).network_input([0, 1])[:, 0], images.astype(np.float32))


def test_what_was_found_is_said() -> None:
    dataset = from_arrays((GREY > 100).astype(np.uint8), name="mine")
    assert dataset.facts == {"axes": "n, height, width", "dtype": "uint8", "value_range": "0..1"}
    assert dataset.notes == ("images: 2 images (n, height, width) of uint8, values 0..1 as found",)


@pytest.mark.parametrize(
    ("shape", "image_shape"),
    [
        ((6, 4, 5), (4, 5, 1)),
        ((6, 4, 5, 3), (4, 5, 3)),
        ((6, 3, 4, 5), (4, 5, 3)),
        ((6, 1, 4, 5), (4, 5, 1)),
        ((6, 4, 5, 1), (4, 5, 1)),
    ],
)
def test_the_channels_are_found(shape: tuple[int, ...], image_shape: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, shape, np.uint8)
    dataset = from_arrays(images)
    assert dataset.image_shape == image_shape
    pixels = dataset.images([4])[0]
    expected = images[4].transpose(1, 2, 0) if shape[1] in (1, 3) and len(shape) == 4 else images[4]
    np.testing.assert_array_equal(pixels.reshape(expected.shape), expected)


def test_channels_that_could_be_first_or_last_are_asked_for() -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 3, 8, 3), np.uint8)
    with pytest.raises(
        InputError,
        match=r"\(6, 3, 8, 3\), so the channels could be first or last; pass `.*arrays\(images, factors, channels=",
    ):
        from_arrays(images)
    assert from_arrays(images, channels="first").image_shape == (8, 3, 3)
    assert from_arrays(images, channels="last").image_shape == (3, 8, 3)


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (np.zeros((5, 784)), {}, r"shape \(5, 784\); .* images.reshape\(-1, 28, 28\)"),
        (np.zeros((5, 8, 8, 4)), {}, "1 or 3 channels.*alpha"),
        (np.zeros((5, 8)).T[0], {}, r"accepted: \(n, height, width\)"),
        (np.zeros((0, 8, 8)), {}, "holds no image"),
        (np.full((5, 8, 8), "a"), {}, "the dtype <U1"),
        (
            np.full((5, 8, 8), 16.0),
            {},
            r"from_arrays\(images, factors, value_range=\(16, 16\)\)`; a network gets them as 0 and 1, or as `scale`",
        ),
        (np.random.default_rng(0).normal(size=(5, 8, 8)), {}, "none of the usual ranges"),
        (np.full((5, 8, 8), 0.003), {}, "values from 0.003 to 0.003"),
        (
            FULL / np.float32(255) - np.float32(0.5),
            {},
            r"values from -0.5 to 0.5, .* value_range=\(-0.5, 0.5\)",
        ),
        (
            FULL * np.float32(1 / 255) - np.float32(0.1),
            {},
            r"values from -0.1 to 0.9, .* value_range=\(-0.1, 0.9",
        ),
        (GREY / 510 - 0.5, {}, "values from -0.5 to -0.0411765"),
        (
            np.where(np.arange(5)[:, None, None] == 3, np.nan, np.ones((5, 8, 8))),
            {},
            "image 3 has a value that is not finite",
        ),
        (GREY, {"value_range": (5, 5)}, "value_range must be black and white"),
        (GREY, {"value_range": "bright"}, "got 'bright'"),
        (GREY, {"channels": "middle"}, "channels must be 'first' or 'last'"),
    ],
)
def test_what_cannot_be_told_is_refused(images: np.ndarray, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        from_arrays(images, **options)


NOISE = np.random.default_rng(0).permuted(np.linspace(0, 1, 300 * 8 * 8 * 3)).reshape(300, 8, 8, 3)
SPOTS = (np.arange(64 * 64).reshape(64, 8, 8) % 67 == 0).astype(float)  # rare: each pixel is mostly black


@pytest.mark.parametrize(
    ("images", "mean"),
    [
        (NOISE, NOISE.mean()),
        (NOISE, np.array([0.485, 0.456, 0.406])),  # ImageNet's
        (NOISE.transpose(0, 3, 1, 2), np.array([0.4914, 0.4822, 0.4465])[:, None, None]),  # CIFAR-10's
        (NOISE, NOISE.mean(axis=0)),
        (NOISE, NOISE.mean(axis=(1, 2, 3), keepdims=True)),
        (NOISE * [1, 0.5, 0.1], (NOISE * [1, 0.5, 0.1]).mean(axis=(1, 2), keepdims=True)),
        (SPOTS, SPOTS.mean(axis=0)),
        (1 - SPOTS, (1 - SPOTS).mean(axis=0)),
    ],
    ids=["one", "channels", "channels first", "pixels", "images", "images' channels", "spots", "holes"],
)
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_images_less_their_means_are_refused(images: np.ndarray, mean: np.ndarray, kind: type) -> None:
    with pytest.raises(InputError, match="none of the usual ranges"):
        from_arrays((images - mean).astype(kind))


@pytest.mark.parametrize("unit", [NOISE, NOISE * 0.9 + 0.05, 1 - SPOTS, SPOTS], ids=range(4))
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_images_in_minus_1_to_1_are_told_from_images_less_their_means(unit: np.ndarray, kind: type) -> None:
    dataset = from_arrays((unit * 2 - 1).astype(kind))
    assert dataset.facts["value_range"] == "-1..1"
    first = dataset.network_input([0])[0]
    expected = unit[0].transpose(2, 0, 1) if unit.ndim == 4 else unit[:1]
    np.testing.assert_allclose(first, expected, atol=1e-3)


def test_the_range_that_a_refusal_names_can_be_declared() -> None:
    rng = np.random.default_rng(0)
    for _ in range(8):
        images = (rng.normal(size=(5, 8, 8)) * rng.uniform(0.5, 3)).astype(np.float32)
        with pytest.raises(InputError, match="none of the usual ranges") as caught:
            from_arrays(images)
        low, high = map(float, re.search(r"value_range=\((.*), ([^)]*)\)", str(caught.value)).groups())
        read = from_arrays(images, value_range=(low, high)).network_input(np.arange(5))
        assert (read.min(), read.max()) == (pytest.approx(0, abs=1e-5), pytest.approx(1, abs=1e-5))
        assert read.min() >= 0
        assert read.max() <= 1
    images[0, 0, 0] = high + 0.001
    with pytest.raises(DatasetError, match="image 0 has the value"):
        from_arrays(images, value_range=(low, high)).network_input([0])


def test_a_declared_range_is_used() -> None:
    digits = np.full((5, 8, 8), 16.0)
    digits[0] = 4
    dataset = from_arrays(digits, value_range="0..16")
    assert dataset.network_input([0])[0, 0, 0, 0] == 0.25
    assert "values 0..16 as declared" in dataset.notes[0]


def test_an_image_read_later_is_held_to_the_range() -> None:
    images = np.zeros((2000, 4, 4), np.uint8)
    images[::2] = 1
    images[777, 2, 3] = 200  # between the images that are looked at first
    dataset = from_arrays(images)
    with pytest.raises(DatasetError, match=r"image 777 has the value 200, outside of 0\.\.1; .*value_range="):
        dataset.images(np.arange(700, 800))
    with pytest.raises(DatasetError, match="image 777"):
        dataset.network_input([777])


def test_it_travels_to_other_processes() -> None:
    dataset = pickle.loads(pickle.dumps(from_arrays(GREY, np.array([[1], [2]]))))
    np.testing.assert_array_equal(dataset.images([1])[0, ..., 0], GREY[1])
    assert dataset.factors([1, 0]).tolist() == [[1], [0]]


DEEP = np.array([[[0, 20], [40, 20]], [[65535, 65535], [5, 0]]], np.uint16)  # two images of 2 x 2 pixels


def test_images_of_more_than_8_bits_are_not_rounded_when_smaller_or_padded() -> None:
    dataset = from_arrays(DEEP)
    small = pooled(dataset, 2).network_input([0, 1])
    assert (small.dtype, small.shape) == (np.float32, (2, 1, 1, 1))
    np.testing.assert_allclose(small.ravel() * 65535, [20, 32768.75], rtol=1e-6)
    framed = dm.datasets.padded(dataset, side=4).network_input([1])
    assert (framed.dtype, framed.shape) == (np.float32, (1, 1, 4, 4))
    expected = np.zeros((4, 4))
    expected[1:3, 1:3] = DEEP[1]
    np.testing.assert_allclose(framed[0, 0] * 65535, expected, rtol=1e-6)
    both = pooled(dm.datasets.padded(dm.datasets.restricted(with_factor(DEEP), {"n": [0]}), side=4), 2)
    np.testing.assert_allclose(both.network_input([0]).ravel() * 65535, [0, 5, 10, 5], rtol=1e-6)


def with_factor(images: np.ndarray) -> dm.FactorDataset:
    return from_arrays(images, np.arange(len(images))[:, None], factor_names=["n"], factor_types="ordinal")


@pytest.mark.parametrize("kind", [np.uint8, np.int32, bool])
def test_pooled_images_of_8_bits_are_rounded_down_as_before(kind: type) -> None:
    images = np.array([[[1, 0], [1, 1]], [[0, 0], [0, 0]]], kind)
    small = pooled(dm.datasets.restricted(with_factor(images), {"n": [0, 1]}), 2)
    expected = np.array([191, 0]) / np.float32(255)  # 3 / 4 of 255 is 191.25
    np.testing.assert_array_equal(small.network_input([0, 1]).ravel(), expected.astype(np.float32))
    bright = pooled(from_arrays(np.array([[[1, 0], [255, 1]]], np.int32)), 2)
    np.testing.assert_array_equal(bright.network_input([0]).ravel(), np.float32(64) / np.float32(255))


def test_pooled_images_keep_their_record() -> None:
    dataset = dm.datasets.from_arrays(np.full((3, 4, 4), 255, np.uint8))
    assert pooled(dataset, 2).facts == dataset.facts
    assert pooled(dataset, 2).image_shape == (2, 2, 1)
