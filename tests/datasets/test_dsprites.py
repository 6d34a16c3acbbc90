"""The reader of the published dSprites archive, on a small archive of the same layout."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from disentangle_metrics.datasets import FactorGrid, dsprites, load_dataset
from disentangle_metrics.datasets.dsprites import read_npz
from disentangle_metrics.errors import DatasetError

GRID = FactorGrid(("shape", "posX", "posY"), (2, 3, 4), ("categorical", "ordinal", "ordinal"))
IMAGES = np.random.default_rng(0).integers(0, 2, (24, 8, 8), np.uint8)
CLASSES = np.column_stack([np.zeros(24, np.int64), GRID.factors(np.arange(24))])


class Trap:
    """Unpickling one creates the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return open, (str(self.path), "w")


def archive(path: Path, **changes: np.ndarray) -> Path:
    trap = np.array(Trap(path.parent / "sprung"), dtype=object)
    content = {"metadata": trap, "imgs": IMAGES, "latents_classes": CLASSES, "latents_values": CLASSES / 2}
    np.savez_compressed(path, **{**content, **changes})
    return path


def test_images_and_factors_are_read_and_the_pickle_is_not(tmp_path: Path) -> None:
    path = archive(tmp_path / "small.npz")
    with np.load(path, allow_pickle=True) as loaded:  # the trap works
        loaded["metadata"]
    (tmp_path / "sprung").unlink()

    dataset = read_npz(path, "abc", GRID, 8)
    indices = [23, 0, 7, 7]
    np.testing.assert_array_equal(dataset.images(indices), 255 * IMAGES[indices][..., None])
    np.testing.assert_array_equal(dataset.factors(indices), CLASSES[indices, 1:])
    assert (dataset.name, len(dataset), dataset.image_shape) == ("dsprites", 24, (8, 8, 1))
    assert dataset.factor_names == ("shape", "posX", "posY")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["dsprites-1.bits", "small.npz"]


def test_the_archive_is_unpacked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = archive(tmp_path / "small.npz")
    read_npz(path, "abc", GRID, 8).images([0])
    monkeypatch.setattr(zipfile, "ZipFile", None)
    np.testing.assert_array_equal(read_npz(path, "abc", GRID, 8).images([5])[0, ..., 0], 255 * IMAGES[5])


def test_images_come_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dsprites, "AT_ONCE", 7)
    dataset = read_npz(archive(tmp_path / "small.npz"), "abc", GRID, 8)
    np.testing.assert_array_equal(dataset.images(range(24))[..., 0], 255 * IMAGES)


swapped = CLASSES.copy()
swapped[[4, 5]] = swapped[[5, 4]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"imgs": IMAGES * 255}, "the pixel value 255, not 0 or 1"),
        ({"imgs": IMAGES[:23]}, r"'imgs' of the shape \(23, 8, 8\) and dtype uint8; expected \(24, 8, 8\)"),
        ({"imgs": IMAGES / 1.0}, "'imgs' of .* dtype float64"),
        ({"imgs": np.asfortranarray(IMAGES)}, "'imgs'"),
        ({"imgs": np.array([Trap(Path("/nowhere"))], object)}, "'imgs' of .* dtype object"),
        ({"latents_classes": CLASSES[:, 1:]}, r"'latents_classes' of the shape \(24, 3\)"),
        ({"latents_classes": swapped}, r"classes \[0, 0, 1, 1\] for image 4, not \[0, 0, 1, 0\]"),
        ({"latents_classes": CLASSES + 1}, r"classes \[1, 1, 1, 1\] for image 0, not \[0, 0, 0, 0\]"),
    ],
)
def test_an_archive_of_another_layout_is_refused(
    tmp_path: Path, changes: dict[str, np.ndarray], message: str
) -> None:
    path = archive(tmp_path / "small.npz", **changes)
    with pytest.raises(DatasetError, match=f"dsprites: {path}.*{message}"):
        read_npz(path, "abc", GRID, 8).images([0])
    assert [file.name for file in tmp_path.iterdir()] == ["small.npz"]


def without(path: Path, name: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(content, "w") as part:
        for entry in whole.namelist():
            if entry != name:
                part.writestr(entry, whole.read(entry))
    return content.getvalue()


def damaged(path: Path) -> bytes:
    with zipfile.ZipFile(path) as whole:
        start = whole.getinfo("imgs.npy").header_offset
    content = bytearray(path.read_bytes())
    content[start + 150 : start + 160] = bytes(10)
    return bytes(content)


def too_long(path: Path) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(content, "w") as longer:
        for entry in whole.namelist():
            longer.writestr(entry, whole.read(entry) + bytes(1))
    return content.getvalue()


def other_checksum(path: Path) -> bytes:
    with zipfile.ZipFile(path) as whole:
        checksum = whole.getinfo("imgs.npy").CRC.to_bytes(4, "little")
    return path.read_bytes().replace(checksum, bytes(4))


@pytest.mark.parametrize(
    "change",
    [
        too_long,
        other_checksum,
        lambda path: path.read_bytes()[:-100],
        lambda path: b"not an archive",
        lambda path: without(path, "imgs.npy"),
        damaged,
    ],
)
def test_a_damaged_archive_is_named(tmp_path: Path, change) -> None:
    path = archive(tmp_path / "small.npz")
    path.write_bytes(change(path))
    with pytest.raises(DatasetError, match=f"dsprites: {path} is damaged or of another kind"):
        read_npz(path, "abc", GRID, 8).images([0])


def test_a_changed_file_is_refused_by_the_public_loader(tmp_path: Path) -> None:
    path = archive(tmp_path / dsprites.NPZ.name)
    for root in (path, tmp_path):
        with pytest.raises(DatasetError, match=f"dsprites: {path} is not the published file: its md5 is"):
            load_dataset("dsprites", root=root)


def test_the_grid_is_that_of_the_published_file() -> None:
    assert dsprites.GRID.sizes == (3, 6, 40, 32, 32)
    assert len(dsprites.GRID) == 737_280
