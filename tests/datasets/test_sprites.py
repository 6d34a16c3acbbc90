"""The procedural sprites: their bits, their totals, their symmetries, and their cache."""

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest

from disentangle_metrics.datasets import FactorDataset, load_dataset, sprites
from disentangle_metrics.datasets.storage.cached_rows import HEADER_BYTES
from disentangle_metrics.errors import DatasetError, InputError

ALL_BITS = "f07ec8e51cae3592a7be969c572930df325d3abe8be15d77d5795ab8b84e3863"


@pytest.fixture(scope="module")
def cached(tmp_path_factory: pytest.TempPathFactory) -> FactorDataset:
    dataset = load_dataset("sprites", root=tmp_path_factory.mktemp("sprites"))
    dataset.images([0])  # draws them all
    return dataset


@pytest.fixture(scope="module")
def bits(cached: FactorDataset) -> np.ndarray:
    (file,) = cached._read.rows.path.parent.iterdir()
    return np.memmap(file, np.uint8, "r", offset=HEADER_BYTES).reshape(len(cached), 512)


@pytest.fixture(scope="module")
def drawn() -> FactorDataset:
    return load_dataset("sprites", cache=False)


def test_the_grid_is_that_of_dsprites(drawn: FactorDataset) -> None:
    assert drawn.name == "sprites"
    assert drawn.factor_names == ("shape", "scale", "orientation", "posX", "posY")
    assert drawn.factor_sizes == (3, 6, 40, 32, 32)
    assert drawn.factor_types == ("categorical", "ordinal", "ordinal", "ordinal", "ordinal")
    assert drawn.image_shape == (64, 64, 1)
    assert len(drawn) == 737_280
    assert drawn.index([[0, 0, 0, 0, 1], [0, 0, 0, 1, 0], [1, 0, 0, 0, 0]]).tolist() == [1, 32, 245_760]
    assert repr(drawn).startswith("<data set sprites: 737,280 images (64, 64, 1); factors shape 3, scale 6")


def test_every_machine_draws_the_same_bits(bits: np.ndarray) -> None:
    assert hashlib.sha256(bits.data).hexdigest() == ALL_BITS


def test_tables_are_rounded_where_no_mathematics_library_can_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    values: list[float] = []
    rounded = sprites.rounded
    monkeypatch.setattr(sprites, "rounded", lambda value: (values.append(value), rounded(value))[1])
    sprites.heart_half()
    assert len(values) == 65 + 33
    angles = 2 * np.pi * np.arange(40) / 39
    from_tie = np.abs(np.array([*values, *np.cos(angles), *np.sin(angles)]) * 2.0**30 % 1 - 0.5)
    assert from_tie.min() > 1e-3  # of 2^-30; the last bit of a number near 16 is 2e-6 of it


def test_the_totals_are_those_fitted_to_dsprites(bits: np.ndarray) -> None:
    rows = bits.view(np.uint64).reshape(-1, 64)
    assert np.bitwise_count(bits.view(np.uint64)).sum(dtype=np.int64) / len(bits) == pytest.approx(
        174.06, abs=0.005
    )
    used_rows = np.flatnonzero(np.bitwise_or.reduce(rows, axis=0))
    used_columns = np.flatnonzero(
        np.unpackbits(np.bitwise_or.reduce(rows, axis=None).reshape(1).view(np.uint8))
    )
    for used in (used_rows, used_columns):
        assert (used[0], used[-1]) == (2, 61)
    distinct = {hashlib.blake2b(image, digest_size=16).digest() for image in np.asarray(bits)}
    assert len(distinct) == 715_752


def test_drawing_one_by_one_gives_the_cached_images(cached: FactorDataset, drawn: FactorDataset) -> None:
    indices = np.random.default_rng(1).integers(len(cached), size=5_000)
    images = drawn.images(indices)
    assert images.dtype == np.uint8
    assert set(np.unique(images)) == {0, 255}
    np.testing.assert_array_equal(images, cached.images(indices))
    assert drawn.images([]).shape == cached.images([]).shape == (0, 64, 64, 1)


def swept(**columns: np.ndarray | int) -> np.ndarray:
    n = max(np.size(column) for column in columns.values())
    return np.stack([np.broadcast_to(columns[name], n) for name in sprites.GRID.names], axis=1)


def test_the_last_orientation_repeats_the_first(drawn: FactorDataset) -> None:
    rng = np.random.default_rng(2)
    factors = drawn.factors(rng.integers(len(drawn), size=500))
    first, last = factors.copy(), factors.copy()
    first[:, 2], last[:, 2] = 0, 39
    np.testing.assert_array_equal(drawn.images(drawn.index(first)), drawn.images(drawn.index(last)))


def test_a_mirror_turns_the_other_way(drawn: FactorDataset) -> None:
    factors = drawn.factors(np.random.default_rng(3).integers(len(drawn), size=500))
    mirrored = factors.copy()
    mirrored[:, 2], mirrored[:, 3] = 39 - factors[:, 2], 31 - factors[:, 3]
    images = drawn.images(drawn.index(factors))
    np.testing.assert_array_equal(images[:, :, ::-1], drawn.images(drawn.index(mirrored)))


def test_squares_and_ellipses_look_the_same_after_half_a_turn_and_hearts_do_not(drawn: FactorDataset) -> None:
    factors = drawn.factors(np.random.default_rng(4).integers(len(drawn), size=500))
    opposite = factors.copy()
    opposite[:, 3:] = 31 - factors[:, 3:]
    same = drawn.images(drawn.index(factors))[:, ::-1, ::-1] == drawn.images(drawn.index(opposite))
    np.testing.assert_array_equal(same.all(axis=(1, 2, 3)), factors[:, 0] != 2)


def test_larger_scales_hold_smaller_ones(drawn: FactorDataset) -> None:
    for shape in range(3):
        factors = swept(shape=shape, scale=np.arange(6), orientation=7, posX=9, posY=20)
        on = drawn.images(drawn.index(factors)) > 0
        assert (on[:-1] <= on[1:]).all()
        assert (np.diff(on.sum(axis=(1, 2, 3))) > 0).all()


def test_pos_x_grows_to_the_right_and_pos_y_downwards(drawn: FactorDataset) -> None:
    for axis, name in ((2, "posX"), (1, "posY")):
        at = {"posX": 0, "posY": 0} | {name: np.array([0, 31])}
        images = drawn.images(drawn.index(swept(shape=0, scale=0, orientation=0, **at)))
        centre = [np.flatnonzero(image.any(axis=2 - axis)).mean() + 0.5 for image in images[..., 0]]
        assert centre == [16.0, 48.0]


def test_hearts_point_down_and_turn_counter_clockwise(drawn: FactorDataset) -> None:
    down, right = drawn.images(
        drawn.index(swept(shape=2, scale=5, orientation=np.array([0, 10]), posX=0, posY=0))
    )[..., 0]
    rows, columns = np.nonzero(down)
    assert (down[rows.max()] > 0).sum() <= 2
    assert columns[rows == rows.max()].mean() + 0.5 == 16.0
    rows, columns = np.nonzero(right)
    assert (right[:, columns.max()] > 0).sum() <= 3
    assert abs(rows[columns == columns.max()].mean() + 0.5 - 16.0) < 2


def test_without_a_folder_to_write_to_images_are_drawn(tmp_path: Path, drawn: FactorDataset) -> None:
    (tmp_path / "file").touch()
    dataset = load_dataset("sprites", root=tmp_path / "file")
    with pytest.warns(UserWarning, match="drawing each image anew, which is slower.*360 MiB free"):
        images = dataset.images([5, 700_000])
    np.testing.assert_array_equal(images, drawn.images([5, 700_000]))


def test_a_data_set_travels_to_other_processes(cached: FactorDataset, drawn: FactorDataset) -> None:
    sent = pickle.dumps(cached)
    assert len(sent) < 10_000
    np.testing.assert_array_equal(pickle.loads(sent).images([123_456]), drawn.images([123_456]))


def test_bad_indices_are_refused(drawn: FactorDataset) -> None:
    with pytest.raises(
        InputError, match=r"indices\[0\] is 737280, and the data set has the images 0 to 737279"
    ):
        drawn.images([737_280])


def test_unknown_names_and_options_are_answered_with_the_known_ones() -> None:
    with pytest.raises(DatasetError, match="unknown data set 'sprite'; did you mean 'sprites'"):
        load_dataset("sprite")
    with pytest.raises(InputError, match="'cash'; accepted: root, pool, cache"):
        load_dataset("sprites", cash=False)
    with pytest.raises(
        InputError, match=r"got ndarray; for arrays call `dm.datasets.from_arrays\(images, fact"
    ):
        load_dataset(np.zeros((3, 8, 8)))
