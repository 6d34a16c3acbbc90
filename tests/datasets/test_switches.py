"""The procedural switches: their bits, their tree, their shapes, and that they travel."""

import hashlib
import math
from pathlib import Path

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics.datasets import FactorDataset, load_dataset
from disentangle_metrics.datasets.contact_sheet import contact_sheet_indices
from disentangle_metrics.errors import InputError

ALL_WINDOWS = "3bfc2177cbbaf39c96f998be5b8cee888c7e81ef9ab5c8270243de26ca5698d1"
SHAPE, PHASE, SHINE, ANGLE, JETS, LENGTH, X, Y = range(8)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> FactorDataset:
    return load_dataset("switches", root=tmp_path_factory.mktemp("switches"))


@pytest.fixture(scope="module")
def table(dataset: FactorDataset) -> np.ndarray:
    return dataset.factors(np.arange(len(dataset)))


def image_of(dataset: FactorDataset, *rows: list[int]) -> np.ndarray:
    return dataset.images(dataset.index(list(rows)))[..., 0]


def moons(dataset: FactorDataset) -> np.ndarray:
    return image_of(dataset, *([0, phase, -1, -1, -1, -1, 16, 16] for phase in range(32)))


def stars(dataset: FactorDataset) -> np.ndarray:
    return image_of(dataset, *([1, -1, shine, -1, -1, -1, 16, 16] for shine in range(32)))


def ships(dataset: FactorDataset, jets: int, length: int) -> np.ndarray:
    return image_of(dataset, *([2, -1, -1, angle, jets, length, 16, 16] for angle in range(16)))


def area(images: np.ndarray) -> np.ndarray:
    """In pixels; samples on an edge count, so that it may be off by an eighth of a pixel along the outline."""
    return images.sum(axis=(1, 2)) / 255


def test_every_machine_draws_the_same_bits(dataset: FactorDataset) -> None:
    windows = dataset._read.windows.open()
    assert hashlib.sha256(windows.tobytes()).hexdigest() == ALL_WINDOWS
    assert len({window.tobytes() for window in windows}) == len(windows) == 32 + 32 + 16 + 16 * 8


def test_angles_are_rounded_where_no_mathematics_library_can_matter() -> None:
    angles = np.radians(np.linspace(-45, 45, 16))
    from_tie = np.abs(np.array([*np.cos(angles), *np.sin(angles)]) * 2.0**30 % 1 - 0.5)
    assert from_tie.min() > 1e-3  # of 2^-30; the last bit of a number near 1 is 2e-7 of it


def test_a_switch_decides_which_factors_exist(dataset: FactorDataset, table: np.ndarray) -> None:
    assert dataset.factor_names == ("shape", "phase", "shine", "angle", "jets", "length", "posX", "posY")
    assert dataset.factor_sizes == (3, 32, 32, 16, 2, 8, 32, 32)
    assert (len(dataset), dataset.image_shape) == (786_432, (64, 64, 1))
    assert dataset.hierarchy == {
        "phase": ("shape", 0), "shine": ("shape", 1), "angle": ("shape", 2), "jets": ("shape", 2),
        "length": ("jets", 1),
    }  # fmt: skip
    exists = table >= 0
    np.testing.assert_array_equal(exists[:, PHASE], table[:, SHAPE] == 0)
    np.testing.assert_array_equal(exists[:, SHINE], table[:, SHAPE] == 1)
    np.testing.assert_array_equal(exists[:, ANGLE], table[:, SHAPE] == 2)
    np.testing.assert_array_equal(exists[:, JETS], table[:, SHAPE] == 2)
    np.testing.assert_array_equal(exists[:, LENGTH], table[:, JETS] == 1)
    assert exists[:, [SHAPE, X, Y]].all()
    labels = dataset.labels([0, len(dataset) - 1])
    np.testing.assert_array_equal(np.isnan(labels), [[0, 0, 1, 1, 1, 1, 0, 0], [0, 1, 1, 0, 0, 0, 0, 0]])
    np.testing.assert_array_equal(labels[1, [0, 3, 4, 5, 6, 7]], [2, 15, 1, 7, 31, 31])


def different(rows: np.ndarray) -> int:
    """How many different rows there are, of values from -1 to 31."""
    return len(np.unique((rows + 1) @ 33 ** np.arange(rows.shape[1])))


def test_options_are_equally_likely_and_factors_independent(table: np.ndarray) -> None:
    assert np.bincount(table[:, SHAPE]).tolist() == [262_144] * 3
    assert np.bincount(table[table[:, SHAPE] == 2, JETS]).tolist() == [131_072] * 2
    for k, size in ((PHASE, 32), (SHINE, 32)):  # each with each place
        present = table[table[:, k] >= 0]
        counts = np.bincount((present[:, k] * 32 + present[:, X]) * 32 + present[:, Y])
        assert counts.tolist() == [8] * size * 1024
    ship = table[table[:, SHAPE] == 2]
    assert np.bincount(ship[:, ANGLE] * 2 + ship[:, JETS]).tolist() == [131_072 // 16] * 32
    jets = ship[ship[:, JETS] == 1]
    assert different(jets) == len(jets) == 16 * 8 * 1024
    assert different(table) == 208 * 1024


def test_moons_wax_from_a_crescent_to_a_disc(dataset: FactorDataset) -> None:
    lit = np.linspace(-0.6, 1, 32)  # half of the disc, and a half-ellipse that is taken off or put on
    np.testing.assert_allclose(area(moons(dataset)), math.pi * 14**2 * (1 + lit) / 2, atol=3.5)  # 28 / 8
    full = moons(dataset)[31]
    np.testing.assert_array_equal(full, full[:, ::-1])  # the centre is between columns 31 and 32


def test_stars_fill_up_to_a_diamond(dataset: FactorDataset) -> None:
    corner = np.linspace(2.5, 7, 32)  # eight triangles of base 14 and this height
    np.testing.assert_allclose(area(stars(dataset)), 4 * 14 * corner, atol=10)  # its outline / 8


def test_ships_turn_and_their_jets_grow(dataset: FactorDataset) -> None:
    plain = ships(dataset, 0, -1)
    np.testing.assert_allclose(area(plain), 14 * 17 / 2, atol=3)
    for length in range(8):
        np.testing.assert_allclose(
            area(ships(dataset, 1, length)) - area(plain), 2 * 4 * (2 + length), atol=5
        )
    columns = np.arange(64) + 0.5
    tip = [(image.sum(axis=0) * columns).sum() / image.sum() for image in plain[:, :24]]  # rows on top
    assert tip[0] > 32 > tip[15]  # from the right to the left: counter-clockwise
    mirrored = plain[::-1, :, ::-1]
    np.testing.assert_array_equal(plain, mirrored)


def test_a_position_is_a_pixel(dataset: FactorDataset) -> None:
    at = image_of(dataset, *([2, -1, -1, 3, 1, 5, x, y] for x, y in ((0, 0), (31, 0), (0, 31), (7, 9))))
    for image, (x, y) in zip(at, ((0, 0), (31, 0), (0, 31), (7, 9)), strict=True):
        np.testing.assert_array_equal(np.roll(at[0], (y, x), axis=(0, 1)), image)
        assert image.any()


def test_values_that_no_image_has_are_refused(dataset: FactorDataset) -> None:
    for wrong in ([0, 3, 5, -1, -1, -1, 0, 0], [0, -1, -1, -1, -1, -1, 0, 0], [0, 32, -1, -1, -1, -1, 0, 0]):
        with pytest.raises(InputError, match=r"factors\[1\] is .* no image has these values"):
            dataset.index([[0, 3, -1, -1, -1, -1, 0, 0], wrong])


def test_a_part_of_it_keeps_the_tree(dataset: FactorDataset) -> None:
    ships_alone = load_dataset("switches|restricted:shape=2", root=dataset._read.windows.path.parent)
    assert len(ships_alone) == 262_144
    assert ships_alone.hierarchy == dataset.hierarchy
    assert (
        np.isnan(ships_alone.labels([5])[0]).tolist() == [False, True, True, False, False, True] + [False] * 2
    )


def test_the_contact_sheet_shows_values_that_exist(dataset: FactorDataset, table: np.ndarray) -> None:
    for name, indices in contact_sheet_indices(dataset).items():
        values = table[indices, dataset.factor_names.index(name)]
        assert values.min() == 0
        assert (
            len(set(values)) == len(values) == min(16, dataset.factor_sizes[dataset.factor_names.index(name)])
        )


def test_without_a_folder_to_write_to_the_shapes_stay_in_memory(
    tmp_path: Path, dataset: FactorDataset
) -> None:
    (tmp_path / "file").touch()
    kept = load_dataset("switches", root=tmp_path / "file")
    with pytest.warns(UserWarning, match=r"drawing switches: nothing can be kept .*keeping it in memory"):
        images = kept.images([5, 400_000])
    np.testing.assert_array_equal(images, dataset.images([5, 400_000]))


@pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
def test_factors_that_exist_in_no_image_left_are_left_out_with_a_note():
    moons = load_dataset("switches|restricted:shape=0")

    def means(images: np.ndarray) -> np.ndarray:
        return np.stack([images.mean(axis=(1, 2, 3)), images[:, 0].argmax(axis=2).max(axis=1)], axis=1)

    report = dm.evaluate(means, moons, samples=200, metrics=["mig"], anchors=False)
    assert report.factor_names == ("shape", "phase", "posX", "posY")
    (note,) = (check for check in report.checks() if check.code == "missing_by_design")
    assert note.message == (
        "left out, since they exist in none of these 200 images: shine, angle, jets, length"
    )
    again = dm.evaluate(means, moons, samples=200, metrics=["mig"], anchors=False, hierarchy=None)
    assert again.to_dict()["scores"] == report.to_dict()["scores"]
    with pytest.raises(InputError, match="'shine' has no value in any row"):  # asked for by name
        dm.evaluate(means, moons, samples=200, metrics=["mig"], factors=["shape", "shine"])


@pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
def test_the_tree_of_a_data_set_is_no_remark_on_scores_of_latents(dataset):
    report = dm.evaluate(
        lambda images: images.reshape(len(images), -1)[:, 1000:1003],
        dataset,
        samples=50,
        metrics=["active_units"],
    )
    assert report.factor_names == ("shape", "posX", "posY")
    assert not {"hierarchy_unread", "missing_by_design"} & {check.code for check in report.checks()}
