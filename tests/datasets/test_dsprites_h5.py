"""The reader of the published dSprites HDF5 file, on a small file of the same layout."""

import sys
from pathlib import Path

import numpy as np
import pytest

from disentangle_metrics.datasets import FactorGrid, dsprites, load_dataset
from disentangle_metrics.datasets.dsprites import read_h5
from disentangle_metrics.errors import DatasetError
from disentangle_metrics.testing import check_dataset

h5py = pytest.importorskip("h5py")

GRID = FactorGrid(("shape", "posX", "posY"), (2, 3, 4), ("categorical", "ordinal", "ordinal"))
IMAGES = np.random.default_rng(0).integers(0, 2, (24, 8, 8), np.uint8)
CLASSES = np.column_stack([np.zeros(24, np.int64), GRID.factors(np.arange(24))])


def published(path: Path, **changes: np.ndarray | None) -> Path:
    content = {"imgs": IMAGES, "latents/classes": CLASSES, "latents/values": CLASSES / 2, **changes}
    with h5py.File(path, "w") as file:
        for name, values in content.items():
            if values is not None:
                file.create_dataset(name, data=values, chunks=True, compression="gzip")
    return path


def test_images_and_factors_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dsprites, "AT_ONCE", 7)
    dataset = read_h5(published(tmp_path / "small.hdf5"), "abc", GRID, 8)
    indices = [23, 0, 7, 7]
    np.testing.assert_array_equal(dataset.images(indices), 255 * IMAGES[indices][..., None])
    np.testing.assert_array_equal(dataset.images(range(24))[..., 0], 255 * IMAGES)
    np.testing.assert_array_equal(dataset.factors(indices), CLASSES[indices, 1:])
    assert (dataset.name, len(dataset), dataset.image_shape) == ("dsprites", 24, (8, 8, 1))
    check_dataset(dataset)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["dsprites-h5-1.bits", "small.hdf5"]


swapped = CLASSES.copy()
swapped[[4, 5]] = swapped[[5, 4]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"imgs": IMAGES * 255}, "the pixel value 255, not 0 or 1"),
        ({"imgs": IMAGES[:23]}, r"'imgs' of the shape \(23, 8, 8\) and dtype uint8"),
        ({"imgs": IMAGES / 1.0}, "'imgs' of .* dtype float64"),
        ({"latents/classes": CLASSES[:, 1:]}, r"'latents/classes' of the shape \(24, 3\)"),
        ({"latents/classes": swapped}, r"classes \[0, 0, 1, 1\] for image 4, not \[0, 0, 1, 0\]"),
        ({"imgs": None}, "is damaged or of another kind"),
        ({"imgs": None, "imgs/inner": IMAGES}, "is damaged or of another kind"),
    ],
)
def test_a_file_of_another_layout_is_refused(tmp_path: Path, changes, message: str) -> None:
    path = published(tmp_path / "small.hdf5", **changes)
    with pytest.raises(DatasetError, match=f"dsprites: {path}.*{message}"):
        read_h5(path, "abc", GRID, 8).images([0])
    assert [file.name for file in tmp_path.iterdir()] == ["small.hdf5"]


def test_a_link_to_another_file_leads_nowhere(tmp_path: Path) -> None:
    path = published(tmp_path / "small.hdf5", imgs=None)
    with h5py.File(path, "a") as file:
        file["imgs"] = h5py.ExternalLink("/nowhere/else.h5", "imgs")
    with pytest.raises(DatasetError, match=f"dsprites: {path} is damaged or of another kind"):
        read_h5(path, "abc", GRID, 8).images([0])


@pytest.mark.parametrize("change", [lambda content: content[:-500], lambda content: b"no HDF5"])
def test_a_damaged_file_is_named(tmp_path: Path, change) -> None:
    path = published(tmp_path / "small.hdf5")
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DatasetError, match=f"dsprites: {path} is damaged or of another kind"):
        read_h5(path, "abc", GRID, 8).images([0])


def test_the_public_loader_takes_it_where_there_is_no_npz(tmp_path: Path) -> None:
    path = published(tmp_path / dsprites.HDF5.name)
    for root in (path, tmp_path):
        with pytest.raises(DatasetError, match=f"dsprites: {path} is not the published file: its sha256 is"):
            load_dataset("dsprites", root=root)
    renamed = published(tmp_path / "mine.h5")
    with pytest.raises(DatasetError, match=f"dsprites: {renamed} is not the published file: its sha256 is"):
        load_dataset("dsprites", root=renamed)
    with pytest.raises(DatasetError, match="dsprites: there is no file .*/other.hdf5"):
        load_dataset("dsprites", root=tmp_path / "other.hdf5")
    (tmp_path / dsprites.NPZ.name).write_bytes(b"other")
    with pytest.raises(DatasetError, match="npz is not the published file: its md5 is"):
        load_dataset("dsprites", root=tmp_path)


def test_without_h5py_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(DatasetError, match=r"pip install .*\[data\]\"; the data set 'sprites'"):
        read_h5(tmp_path / "small.hdf5", "abc", GRID, 8)
