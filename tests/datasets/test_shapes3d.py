"""The reader of the published 3D Shapes file, on a small file of the same layout."""

import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from disentangle_metrics.datasets import FactorGrid, load_dataset, shapes3d
from disentangle_metrics.datasets.shapes3d import read_h5
from disentangle_metrics.errors import DatasetError

h5py = pytest.importorskip("h5py")

GRID = FactorGrid(shapes3d.GRID.names, (2, 3, 1, 4, 2, 5), shapes3d.GRID.types)
N = len(GRID)
IMAGES = np.random.default_rng(0).integers(0, 256, (N, 8, 8, 3), np.uint8)
LABELS = GRID.factors(np.arange(N)) * np.array([0.1, 0.1, 0.1, 1 / 14, 1.0, 30.0]) - np.array(
    [0, 0, 0, 0, 0, 60]
)


def published(path: Path, images: np.ndarray = IMAGES, labels: np.ndarray = LABELS) -> Path:
    with h5py.File(path, "w") as file:
        file.create_dataset("images", data=images, chunks=(100, 4, 4, 1), compression="gzip")
        file.create_dataset("labels", data=labels)
    return path


def test_images_and_factors_are_read(tmp_path: Path) -> None:
    dataset = read_h5(published(tmp_path / "3dshapes.h5"), "abc", GRID, 8)
    indices = [N - 1, 0, 7, 7]
    np.testing.assert_array_equal(dataset.images(indices), IMAGES[indices])
    np.testing.assert_array_equal(dataset.images(range(N)), IMAGES)
    assert dataset.images([]).shape == (0, 8, 8, 3)
    np.testing.assert_array_equal(dataset.factors([0, N - 1]), [[0] * 6, [1, 2, 0, 3, 1, 4]])
    assert (dataset.name, len(dataset), dataset.image_shape) == ("shapes3d", N, (8, 8, 3))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["3dshapes.h5", "shapes3d-1.h5"]


def test_the_grid_is_that_of_the_published_file() -> None:
    assert shapes3d.GRID.names == ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")
    assert shapes3d.GRID.sizes == (10, 10, 10, 8, 4, 15)


def test_the_file_is_unpacked_once_and_each_image_then_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = published(tmp_path / "3dshapes.h5")
    read_h5(path, "abc", GRID, 8).images([0])
    with h5py.File(tmp_path / "shapes3d-1.h5") as packed:
        assert packed["images"].chunks == (1, 8, 8, 3)
    monkeypatch.setattr(shapes3d, "pack_one_by_one", None)
    dataset = read_h5(path, "abc", GRID, 8)
    np.testing.assert_array_equal(dataset.images([5]), IMAGES[[5]])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(dataset)).images([5]), IMAGES[[5]])


@pytest.mark.parametrize(
    ("digest", "damage", "reason"),
    [
        ("xyz", lambda content: content, "it holds 'shapes3d 1 from abc'"),
        ("abc", lambda content: content[: len(content) // 2], "truncated"),
        ("abc", lambda content: b"", "signature"),
    ],
)
def test_a_damaged_unpacked_file_is_noticed_and_made_again(
    tmp_path: Path, digest: str, damage, reason: str
) -> None:
    path, packed = published(tmp_path / "3dshapes.h5"), tmp_path / "shapes3d-1.h5"
    dataset = read_h5(path, "abc", GRID, 8)
    dataset.images([0])
    dataset._read._images.file.close()
    packed.write_bytes(damage(packed.read_bytes()))
    dataset = read_h5(path, digest, GRID, 8)
    with pytest.warns(UserWarning, match=rf"shapes3d-1.h5 is damaged \(.*{reason}.*and is made again"):
        np.testing.assert_array_equal(dataset.images(range(N)), IMAGES)


def test_a_damaged_image_is_noticed_when_it_is_read(tmp_path: Path) -> None:
    path, packed = published(tmp_path / "3dshapes.h5"), tmp_path / "shapes3d-1.h5"
    dataset = read_h5(path, "abc", GRID, 8)
    dataset.images([0])
    place = dataset._read._images.id.get_chunk_info_by_coord((7, 0, 0, 0)).byte_offset
    dataset._read._images.file.close()
    content = bytearray(packed.read_bytes())
    content[place + 20] ^= 1
    packed.write_bytes(content)
    dataset = read_h5(path, "abc", GRID, 8)
    np.testing.assert_array_equal(dataset.images([6]), IMAGES[[6]])
    with pytest.raises(DatasetError, match=r"shapes3d-1.h5 is damaged .*; delete it"):
        dataset.images([7])


swapped = LABELS.copy()
swapped[[8, 9]] = swapped[[9, 8]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": IMAGES[:-1]}, rf"images of the shape \({N - 1}, 8, 8, 3\) .* expected \({N}, 8, 8, 3\)"),
        ({"images": IMAGES / 1.0}, "dtype float64"),
        ({"labels": LABELS[:, 1:]}, rf"labels of the shape \({N}, 5\); expected .* and \({N}, 6\)"),
        ({"labels": swapped}, r"labels \[.*\] for image 8: its images are in another order than floor_hue"),
    ],
)
def test_a_file_of_another_layout_is_refused(
    tmp_path: Path, changes: dict[str, np.ndarray], message: str
) -> None:
    path = published(tmp_path / "3dshapes.h5", **changes)
    with pytest.raises(DatasetError, match=f"shapes3d: {path} .*{message}"):
        read_h5(path, "abc", GRID, 8).images([0])
    assert [file.name for file in tmp_path.iterdir()] == ["3dshapes.h5"]


@pytest.mark.parametrize("content", [b"no HDF5", None])
def test_a_file_of_another_kind_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "3dshapes.h5"
    if content is None:
        h5py.File(path, "w").close()
    else:
        path.write_bytes(content)
    with pytest.raises(DatasetError, match=f"shapes3d: {path} is damaged or of another kind"):
        read_h5(path, "abc", GRID, 8).images([0])


def test_without_a_folder_to_write_to_the_published_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = read_h5(published(tmp_path / "3dshapes.h5"), "abc", GRID, 8)
    dataset._read.packed = tmp_path / "3dshapes.h5" / "nowhere.h5"
    with pytest.warns(UserWarning, match="nothing can be kept in .*which is very slow"):
        np.testing.assert_array_equal(dataset.images([9, 3]), IMAGES[[9, 3]])


def test_a_changed_file_is_refused_by_the_public_loader(tmp_path: Path) -> None:
    path = published(tmp_path / "3dshapes.h5")
    with pytest.raises(DatasetError, match=f"shapes3d: {path} is not the published file: its sha256 is"):
        load_dataset("shapes3d", root=tmp_path)


def test_without_h5py_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(DatasetError, match=r"pip install .*\[data\]\"; the data set 'rooms' needs"):
        load_dataset("shapes3d", root=tmp_path)
