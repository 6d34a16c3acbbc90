"""Colour, noise and backgrounds: what belongs to which image, and that a seed decides it."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from disentangle_metrics import DatasetError, FactorDataset, InputError, datasets, load_dataset
from disentangle_metrics.datasets.variants.draws import random_bytes
from disentangle_metrics.datasets.variants.looks import clouds

MASKS = np.zeros((500, 16, 12), np.uint8)
MASKS[:, 4:9, 3:8] = 1
LOOKS = {"colour": datasets.colour, "noisy": datasets.noisy, "background": datasets.background}


@pytest.fixture
def squares() -> FactorDataset:
    """500 black images with a white square."""
    return datasets.from_arrays(MASKS, np.arange(500)[:, None] % 5, name="squares")


def reference_bytes(seed: int, index: int, count: int) -> list[int]:
    """The generator in Python's own whole numbers."""
    whole = 2**64 - 1
    golden = 0x9E3779B97F4A7C15

    def mixed(z: int) -> int:
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & whole
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & whole
        return z ^ (z >> 31)

    key = mixed(mixed((seed + 1) * golden & whole) ^ index)
    words = [mixed((key + place * golden) & whole) for place in range(1, -(-count // 8) + 1)]
    return list(b"".join(word.to_bytes(8, "little") for word in words))[:count]


@pytest.mark.parametrize(("seed", "index"), [(0, 0), (1, 0), (0, 737_279), (2**40, 12)])
def test_the_bytes_are_those_of_splitmix64(seed: int, index: int) -> None:
    found = random_bytes(seed, np.array([5, index]), 19)[1]
    assert found.tolist() == reference_bytes(seed, index, 19)


def test_splitmix64_begins_as_published() -> None:
    """The first outputs of the published generator for the seed 1234567."""
    key = np.array([1234567], np.uint64)
    from disentangle_metrics.datasets.variants import draws

    words = [
        int(draws._mixed(key + np.array(place, np.uint64) * np.array([draws.GOLDEN]))[0])
        for place in (1, 2, 3)
    ]
    assert words == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@pytest.mark.parametrize("look", LOOKS)
def test_an_image_is_the_same_wherever_it_is_asked_for(look: str, squares: FactorDataset) -> None:
    dataset = LOOKS[look](squares, seed=3)
    assert (dataset.name, dataset.image_shape) == (f"squares|{look}:seed=3", (16, 12, 3))
    images = dataset.images(np.arange(300))
    np.testing.assert_array_equal(dataset.images([299, 7, 7]), images[[299, 7, 7]])
    again = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(again.images([11]), images[[11]])
    assert (LOOKS[look](squares, seed=4).images([0]) != images[0]).any()
    assert (images[0] != images[1]).any()
    np.testing.assert_array_equal(dataset.factors([9]), squares.factors([9]))


def test_colours_are_bright_and_alone(squares: FactorDataset) -> None:
    images = datasets.colour(squares).images(np.arange(500))
    inside = images[:, 4:9, 3:8]
    assert (inside == inside[:, :1, :1]).all()
    assert (inside.min(), inside.max()) == (128, 255)
    assert inside.mean() == pytest.approx(191.5, abs=4)
    assert images.sum() == inside.sum(dtype=np.int64)  # nothing beside it


def test_noise_is_uniform_around_white(squares: FactorDataset) -> None:
    images = datasets.noisy(squares).images(np.arange(500))
    assert (images[:, 4:9, 3:8] == 255).all()
    beside = images[:, 9:]
    counts = np.bincount(beside.ravel(), minlength=256)
    expected = beside.size / 256
    assert (
        np.square(counts - expected).sum() / expected < 340
    )  # chi-square of 255 degrees: 1 in 5,000 is above


def test_the_object_is_the_negative_of_its_background(squares: FactorDataset) -> None:
    empty = datasets.background(datasets.from_arrays(MASKS[:, ::-1, ::-1], name="other"), seed=1)
    images, others = datasets.background(squares, seed=1).images([3]), empty.images([3])
    np.testing.assert_array_equal(
        images[0, 4:7, 3:4], 255 - others[0, 4:7, 3:4]
    )  # in the square of one alone
    np.testing.assert_array_equal(images[0, 0], others[0, 0])  # in neither's


def test_the_picture_is_drawn_in_whole_numbers() -> None:
    """The sum of the bytes, noted when it was drawn first: another would be another data set."""
    assert clouds().shape == (274, 350, 3)
    assert (clouds().min(), clouds().max()) > (0, 200)
    corner = [np.mean([reference_bytes(place, 0, 3)[channel] for place in range(4)]) for channel in range(3)]
    np.testing.assert_allclose(clouds()[0, 0], corner, atol=1)  # where all four grids have a point


def test_an_own_picture(squares: FactorDataset, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    path = tmp_path / "red.png"
    image.fromarray(np.full((600, 900, 3), (200, 0, 0), np.uint8)).save(path)
    dataset = load_dataset("sprites|restricted:scale=5|background:picture=" + str(path), cache=False)
    assert f"background:picture={path},seed=0" in dataset.name
    assert len(dataset.facts["picture_sha256"]) == 64
    images = datasets.background(squares, picture=path).images(np.arange(50))
    assert images[:, 0, 0, 0].min() >= 100  # (200 + tint) / 2
    assert images[:, 0, 0, 1].max() <= 127
    image.new("RGB", (10, 10)).save(path)
    with pytest.raises(InputError, match="larger than the picture behind them, which has 10x10"):
        datasets.background(squares, picture=path)
    path.write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"red\.png cannot be read as a picture"):
        datasets.background(squares, picture=path)


@pytest.mark.parametrize("look", LOOKS)
def test_only_black_and_white_images_are_painted(look: str) -> None:
    grey = datasets.from_arrays(np.full((5, 8, 8), 100, np.uint8), name="grey")
    with pytest.raises(InputError, match="grey has grey pixels"):
        LOOKS[look](grey).images([0])
    with pytest.raises(InputError, match="has images in colour"):
        LOOKS[look](LOOKS[look](datasets.from_arrays(MASKS)))
    with pytest.raises(InputError, match="seed must be a whole number from 0"):
        LOOKS[look](datasets.from_arrays(MASKS), seed=-1)
