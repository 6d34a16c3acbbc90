"""The reader of MPI3D's archives, on small archives of the same layout, compressed and not."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from disentangle_metrics.datasets import FactorGrid, load_dataset, mpi3d
from disentangle_metrics.datasets.mpi3d import read_npz
from disentangle_metrics.errors import DatasetError
from disentangle_metrics.testing import check_dataset

GRID = FactorGrid(mpi3d.NAMES, (2, 1, 2, 1, 1, 3, 2), mpi3d.TYPES)
IMAGES = np.random.default_rng(0).integers(0, 256, (24, 8, 8, 3), np.uint8)
SAVERS = {"stored": np.savez, "compressed": np.savez_compressed}


@pytest.fixture(params=SAVERS)
def saver(request: pytest.FixtureRequest):
    return SAVERS[request.param]


def open_small(path: Path):
    return read_npz(path, "mpi3d_toy", GRID, 8)


def test_images_and_factors_are_read(tmp_path: Path, saver) -> None:
    path = tmp_path / "mpi3d_toy.npz"
    saver(path, images=IMAGES)
    dataset = open_small(path)
    indices = [23, 0, 7, 7]
    np.testing.assert_array_equal(dataset.images(indices), IMAGES[indices])
    np.testing.assert_array_equal(dataset.images(range(24)), IMAGES)
    assert dataset.factors([0, 1, 2, 12]).tolist() == [
        [0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 1, 0],
        [1, 0, 0, 0, 0, 0, 0],
    ]
    assert (dataset.name, len(dataset), dataset.image_shape) == ("mpi3d_toy", 24, (8, 8, 3))
    check_dataset(dataset)


def test_only_a_compressed_archive_is_unpacked_and_once(
    tmp_path: Path, saver, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mpi3d_toy.npz"
    saver(path, images=IMAGES)
    open_small(path).images([0])
    unpacked = ["mpi3d_toy-1.pixels"] if saver is np.savez_compressed else []
    assert sorted(file.name for file in tmp_path.iterdir()) == [*unpacked, "mpi3d_toy.npz"]
    monkeypatch.setattr(mpi3d, "pixel_rows", pytest.fail)
    np.testing.assert_array_equal(open_small(path).images([5]), IMAGES[[5]])


def test_images_are_unpacked_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mpi3d, "AT_ONCE", 7)
    np.savez_compressed(tmp_path / "a.npz", images=IMAGES)
    np.testing.assert_array_equal(open_small(tmp_path / "a.npz").images(range(24)), IMAGES)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"imgs": IMAGES}, "is damaged or of another kind .*images.npy"),
        ({"images": IMAGES[:23]}, r"'images' of the shape \(23, 8, 8, 3\) .*expected \(24, 8, 8, 3\)"),
        ({"images": IMAGES[..., :1]}, r"the shape \(24, 8, 8, 1\)"),
        ({"images": IMAGES.astype(float)}, "dtype float64"),
        ({"images": IMAGES.astype(np.uint16)}, "more than a byte"),
        ({"images": np.asfortranarray(IMAGES)}, "'images'"),
        ({"images": np.array([{}], object)}, "dtype object"),
    ],
)
def test_an_archive_of_another_layout_is_refused(tmp_path: Path, saver, arrays, message: str) -> None:
    path = tmp_path / "mpi3d_toy.npz"
    saver(path, **arrays)
    with pytest.raises(DatasetError, match=f"mpi3d_toy: {path}.*{message}"):
        open_small(path).images([0])
    assert [file.name for file in tmp_path.iterdir()] == ["mpi3d_toy.npz"]


def changed(path: Path, content: bytes) -> None:
    """The same archive with another member of that name."""
    with zipfile.ZipFile(path) as archive:
        method = archive.getinfo("images.npy").compress_type
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("images.npy", content)


@pytest.mark.parametrize("change", [lambda content: content[:-100], lambda content: content + b"more"])
def test_a_member_of_another_length_is_refused(tmp_path: Path, saver, change) -> None:
    path, member = tmp_path / "mpi3d_toy.npz", io.BytesIO()
    saver(path, images=IMAGES)
    np.save(member, IMAGES)
    changed(path, change(member.getvalue()))
    with pytest.raises(DatasetError, match="is damaged or of another kind .it does not end where it should"):
        open_small(path)


@pytest.mark.parametrize("length", [0, 100, 3000])
def test_a_truncated_archive_is_refused(tmp_path: Path, saver, length: int) -> None:
    path = tmp_path / "mpi3d_toy.npz"
    saver(path, images=IMAGES)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DatasetError, match=f"mpi3d_toy: {path} is damaged or of another kind"):
        open_small(path)


def test_damage_within_a_compressed_archive_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "mpi3d_toy.npz"
    np.savez_compressed(path, images=IMAGES)
    content = bytearray(path.read_bytes())
    content[2000:2010] = bytes(10)
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="is damaged or of another kind"):
        open_small(path).images([0])


def test_without_room_to_unpack_the_error_says_how_much_is_needed(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", images=IMAGES)
    dataset = open_small(tmp_path / "a.npz")
    dataset._read.rows.path = tmp_path / "a.npz" / "nowhere"
    with pytest.raises(
        DatasetError, match=r"unpacking a.npz: .* cannot be written .*its folder needs 0.0 GB"
    ):
        dataset.images([0])


@pytest.mark.parametrize("name", ["mpi3d_toy", "mpi3d_realistic", "mpi3d_real"])
def test_a_changed_file_is_refused_by_the_public_loader(tmp_path: Path, name: str) -> None:
    np.savez(tmp_path / f"{name}.npz", images=IMAGES)
    with pytest.raises(DatasetError, match=rf"{name}: .* is not the published file: its md5 is"):
        load_dataset(name, tmp_path)


def test_the_complex_one_is_checked_by_its_shape_and_cannot_be_fetched(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError,
        match="no program can fetch it; get mpi3d_real_complex.npz from the folder on Google Drive",
    ):
        load_dataset("mpi3d_complex", tmp_path)
    np.savez(tmp_path / "mpi3d_real_complex.npz", images=IMAGES)
    with pytest.raises(DatasetError, match=r"expected \(460800, 64, 64, 3\)"):
        load_dataset("mpi3d_complex", tmp_path)


def test_the_order_is_that_of_the_authors() -> None:
    """Their page: reshape to [6, 6, 2, 3, 3, 40, 40], of the complex one to [4, 4, 2, 3, 3, 40, 40]."""
    for grid, (colours, shapes) in ((mpi3d.GRID, (6, 6)), (mpi3d.COMPLEX_GRID, (4, 4))):
        numbers = np.arange(colours * shapes * 28_800).reshape(colours, shapes, 2, 3, 3, 40, 40)
        assert len(grid) == numbers.size
        place = (colours - 1, 2, 1, 0, 2, 17, 39)
        assert grid.index([place]).tolist() == [numbers[place]]
    assert mpi3d.GRID.names[0] == "object_color"
    assert mpi3d.GRID.names[-1] == "vertical_axis"
