"""The procedural rooms: their bits, what each factor changes, and how they are coloured."""

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest

from disentangle_metrics.datasets import FactorDataset, load_dataset, room_geometry, rooms

ALL_MAPS = "5b40d468153d5e80ea3007b385e7f65db70fb4772fa1d699aa22d78a89328a0a"
FLOOR, WALL, OBJECT, HIGHLIGHT = range(4)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> FactorDataset:
    return load_dataset("rooms", root=tmp_path_factory.mktemp("rooms"))


@pytest.fixture(scope="module")
def maps(dataset: FactorDataset) -> np.ndarray:
    """What each pixel sees of each surface: (scale, shape, orientation, row, column, surface)."""
    return dataset._read.geometry.open().reshape(8, 4, 15, 64, 64, 4)


def test_the_grid_is_that_of_3d_shapes(dataset: FactorDataset) -> None:
    assert dataset.factor_names == ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")
    assert dataset.factor_sizes == (10, 10, 10, 8, 4, 15)
    assert dataset.factor_types == ("ordinal", "ordinal", "ordinal", "ordinal", "categorical", "ordinal")
    assert (len(dataset), dataset.image_shape) == (480_000, (64, 64, 3))


def test_every_machine_draws_the_same_bits(maps: np.ndarray) -> None:
    assert hashlib.sha256(maps.tobytes()).hexdigest() == ALL_MAPS


def test_angles_are_rounded_where_no_mathematics_library_can_matter() -> None:
    angles = np.radians(45 + room_geometry.DEGREES)
    from_tie = np.abs(np.array([*np.cos(angles), *np.sin(angles)]) * 2.0**30 % 1 - 0.5)
    assert from_tie.min() > 1e-3  # of 2^-30; the last bit of a number near 1 is 2e-7 of it


def test_every_view_of_every_object_is_another_picture(maps: np.ndarray) -> None:
    assert len({picture.tobytes() for picture in maps.reshape(480, -1)}) == 480


def test_surfaces_share_a_pixel_and_never_exceed_it(maps: np.ndarray) -> None:
    light = maps.sum(axis=-1, dtype=np.int64)
    assert light.min() > 0
    assert light.max() <= 255
    assert not maps[..., 63, :, WALL].any()  # the floor is at the bottom,
    assert not maps[..., 0, :, FLOOR].any()  # walls are at the top,
    assert not maps[..., 0, :, OBJECT].any()  # and objects fit between
    assert not maps[..., :, [0, 63], OBJECT].any()


def test_larger_objects_cover_more(maps: np.ndarray) -> None:
    covered = (maps[..., OBJECT] > 0).sum(axis=(-1, -2))
    assert (np.diff(covered, axis=0) > 0).all()


def test_objects_stand_in_the_middle_and_differ_in_outline(maps: np.ndarray) -> None:
    on = maps[7, :, 7, :, :, OBJECT] > 0  # the largest, seen straight on
    np.testing.assert_array_equal(on, on[:, :, ::-1])
    cube, cylinder, sphere, capsule = ((o.any(axis=1).sum(), o.any(axis=0).sum()) for o in on)
    assert abs(sphere[0] - sphere[1]) <= 2
    assert cube[1] > 1.3 * cylinder[1]
    assert cylinder[0] > 1.1 * cylinder[1]
    assert capsule[0] > 1.6 * capsule[1]


def test_the_corner_of_the_room_moves_from_right_to_left(maps: np.ndarray) -> None:
    top = maps[0, 2, :, 2, :, WALL].astype(int)  # left wall is the brighter one
    corner = [int(np.argmax(row < (row[0] + row[-1]) / 2)) for row in top]
    assert corner == sorted(set(corner), reverse=True)
    assert corner[0] > 44
    assert 28 <= corner[7] <= 36
    assert corner[14] < 20


def test_images_are_the_weighted_sum_of_their_colours(dataset: FactorDataset, maps: np.ndarray) -> None:
    indices = np.random.default_rng(0).integers(len(dataset), size=100)
    images = dataset.images(indices)
    for index, image in zip(indices, images, strict=True):
        floor, wall, thing, scale, shape, orientation = dataset.factors([index])[0]
        seen = maps[scale, shape, orientation].astype(int)
        colours = [rooms.FLOOR[floor], rooms.WALL[wall], rooms.OBJECT[thing], [256, 256, 256]]
        expected = sum(seen[..., s, None] * np.asarray(colours[s], int) for s in range(4)) // 256
        np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize(("column", "surface"), [(0, FLOOR), (1, WALL), (2, OBJECT)])
def test_a_hue_changes_its_surface_alone(
    dataset: FactorDataset, maps: np.ndarray, column: int, surface: int
) -> None:
    factors = np.tile([4, 4, 4, 6, 0, 3], (10, 1))
    factors[:, column] = np.arange(10)
    images = dataset.images(dataset.index(factors)).astype(int)
    part = maps[6, 0, 3, ..., surface]
    changed = (images != images[4]).any(axis=-1)
    assert not changed[:, part == 0].any()
    assert (changed.sum(axis=(1, 2)) > 0.9 * (part > 0).sum()).tolist() == [h != 4 for h in range(10)]
    brightest = images.reshape(10, -1, 3)[:, np.argmax(part)]
    apart = np.abs(brightest[:, None] - brightest).sum(axis=-1)[~np.eye(10, dtype=bool)]
    assert apart.min() > 40


def test_a_data_set_travels_to_other_processes(dataset: FactorDataset, maps: np.ndarray) -> None:
    sent = pickle.dumps(dataset)
    assert len(sent) < 10_000
    np.testing.assert_array_equal(pickle.loads(sent).images([123_456]), dataset.images([123_456]))
    assert dataset.images([]).shape == (0, 64, 64, 3)


def test_without_a_folder_to_write_to_the_geometry_stays_in_memory(
    tmp_path: Path, dataset: FactorDataset, maps: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "geometry_rows", lambda: [maps.reshape(480, -1)])
    (tmp_path / "file").touch()
    kept = load_dataset("rooms", root=tmp_path / "file")
    with pytest.warns(
        UserWarning, match=r"drawing rooms: nothing can be kept .*keeping it in memory.* 7 MiB"
    ):
        images = kept.images([5, 400_000])
    np.testing.assert_array_equal(images, dataset.images([5, 400_000]))
