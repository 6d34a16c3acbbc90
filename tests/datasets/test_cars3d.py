"""The reader of the Cars3D archive, on small archives of the same layout."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from disentangle_metrics.datasets import FactorGrid, cars3d, load_dataset
from disentangle_metrics.datasets.cars3d import read_tar
from disentangle_metrics.errors import DatasetError, InputError
from disentangle_metrics.testing import check_dataset

GRID = FactorGrid(cars3d.GRID.names, (2, 3, 4), cars3d.GRID.types)
CARS = np.random.default_rng(0).integers(
    0, 256, (4, 16, 16, 3, 3, 2), np.uint8
)  # car, y, x, rgb, azimuth, elevation
NAMES = ("b car", "d", "a", "c")  # in the archive they are in no order
NUMBERS = {"a": 0, "b car": 1, "c": 2, "d": 3}


def mat(images: np.ndarray, key: str = "im") -> bytes:
    content = io.BytesIO()
    savemat(content, {key: images, "other": np.arange(3)}, do_compression=True)
    return content.getvalue()


def archive(path: Path, extra: tuple[tuple[tarfile.TarInfo, bytes], ...] = (), **changes: bytes) -> Path:
    members = {f"data/cars/{name}_mesh.mat": mat(CARS[i]) for i, name in enumerate(NAMES)}
    members |= {"data/cars/list.txt": b"a\n", "data/sprites/a.mat": b"no car", **changes}
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for info, content in extra:
            tar.addfile(info, io.BytesIO(content))
    return path


def open_small(path: Path, side: int = 16):
    return read_tar(path, "abc", GRID, side, 16)


def test_images_and_factors_are_read(tmp_path: Path) -> None:
    dataset = open_small(archive(tmp_path / "cars.tar.gz"))
    for index in [23, 0, 7, 7, 12]:
        elevation, azimuth, number = dataset.factors([index])[0]
        car = CARS[NAMES.index(sorted(NAMES)[number])]
        np.testing.assert_array_equal(dataset.images([index])[0], car[:, :, :, azimuth, elevation])
    assert dataset.factors([1, 4, 12]).tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    assert (dataset.name, len(dataset), dataset.image_shape) == ("cars3d", 24, (16, 16, 3))
    check_dataset(dataset)


def test_smaller_ones_are_pillows(tmp_path: Path) -> None:
    dataset = open_small(archive(tmp_path / "cars.tar.gz"), 8)
    picture = Image.fromarray(CARS[NAMES.index("c")][:, :, :, 2, 1])
    picture.thumbnail((8, 8), Image.Resampling.LANCZOS, reducing_gap=None)
    np.testing.assert_array_equal(
        dataset.images(dataset.index([[1, 2, NUMBERS["c"]]]))[0], np.asarray(picture)
    )
    assert sorted(file.name for file in tmp_path.iterdir()) == ["cars.tar.gz", "cars3d-1-8.pixels"]


def test_the_archive_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = archive(tmp_path / "cars.tar.gz")
    images = open_small(path).images(range(24))
    monkeypatch.setattr(tarfile, "open", None)
    np.testing.assert_array_equal(open_small(path).images(range(24)), images)


def entry(name: str, **facts: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    for fact, value in facts.items():
        setattr(info, fact, value)
    return info, b""


A = "data/cars/a_mesh.mat"


@pytest.mark.parametrize(
    ("extra", "changes", "message"),
    [
        ((), {A: mat(CARS[0], "images")}, "a_mesh.mat is damaged or of another kind .'im'"),
        ((), {A: mat(CARS[0][:8])}, r"a_mesh.mat has 'im' of the shape \(8, 16, 3, 3, 2\)"),
        ((), {A: mat(CARS[0].astype(float))}, "a_mesh.mat has 'im' .* dtype float64; expected .* uint8"),
        ((), {A: mat(CARS[0])[:900]}, "a_mesh.mat is damaged"),
        ((), {A: b"MATLAB"}, "a_mesh.mat is damaged"),
        ((), {"data/cars/e_mesh.mat": mat(CARS[0])}, "has 5 files data/cars/.*; expected 4"),
        ((), {"data/cars/../../../e_mesh.mat": mat(CARS[0])}, "'data/cars/../../../e_mesh.mat'; expected plain files, in data/cars alone"),
        ((), {"/etc/e_mesh.mat": mat(CARS[0])}, "has '/?etc/e_mesh.mat'"),
        ((entry("data/cars/e_mesh.mat", type=tarfile.SYMTYPE, linkname="/etc/passwd"),), {}, "'data/cars/e_mesh.mat'; expected plain"),
        ((entry("data/cars/e_mesh.mat", type=tarfile.LNKTYPE, linkname=A),), {}, "'data/cars/e_mesh.mat'; expected plain"),
        ((entry("data/cars/e_mesh.mat", type=tarfile.FIFOTYPE),), {}, "'data/cars/e_mesh.mat'; expected plain"),
    ],
)  # fmt: skip
def test_an_archive_of_another_layout_is_refused(tmp_path: Path, extra, changes, message: str) -> None:
    path = archive(tmp_path / "cars.tar.gz", extra, **changes)
    with pytest.raises(DatasetError, match=f"cars3d: {path}.*{message}"):
        open_small(path).images([0])
    assert [file.name for file in tmp_path.iterdir()] == ["cars.tar.gz"]


@pytest.mark.parametrize(
    "change", [lambda content: content[: len(content) // 2], lambda content: b"no archive"]
)
def test_a_damaged_archive_is_named(tmp_path: Path, change) -> None:
    path = archive(tmp_path / "cars.tar.gz")
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DatasetError, match=f"cars3d: {path} (is damaged|has . files)"):
        open_small(path).images([0])


def test_the_public_loader_checks_its_file_and_options(tmp_path: Path) -> None:
    archive(tmp_path / cars3d.FILE.name)
    with pytest.raises(DatasetError, match="cars3d: .* is not the published file: its md5 is"):
        load_dataset("cars3d", tmp_path)
    for side in (0, 129):
        with pytest.raises(InputError, match=f"side is {side}; accepted: 1 to 128 pixels"):
            load_dataset("cars3d", tmp_path, side=side)


def test_the_grid_is_that_of_the_published_file() -> None:
    assert cars3d.GRID.sizes == (4, 24, 183)
    assert len(cars3d.GRID) == 17_568
