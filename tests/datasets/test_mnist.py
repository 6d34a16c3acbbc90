"""The reader of MNIST's idx files, on small files of the same format."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from disentangle_metrics.datasets import load_dataset, mnist
from disentangle_metrics.datasets.mnist import read_idx_files
from disentangle_metrics.errors import DatasetError, InputError
from disentangle_metrics.testing import check_dataset

PIXELS = np.random.default_rng(0).integers(0, 256, (15, 28, 28), np.uint8)
DIGITS = np.array([*range(10), 3, 1, 4, 1, 5], np.uint8)


def idx(values: np.ndarray, kind: int = 8) -> bytes:
    """The format: two zeros, the type, the number of dimensions, the dimensions, all big-endian."""
    return struct.pack(f">BBBB{values.ndim}I", 0, 0, kind, values.ndim, *values.shape) + values.tobytes()


def files(folder: Path, **changes: bytes) -> list[Path]:
    contents = {
        "train_images": idx(PIXELS[:9]),
        "train_labels": idx(DIGITS[:9]),
        "test_images": idx(PIXELS[9:]),
        "test_labels": idx(DIGITS[9:]),
    }
    for name, content in {**contents, **changes}.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))
    return [folder / f"{name}.gz" for name in contents]


def test_digits_are_read(tmp_path: Path) -> None:
    dataset = read_idx_files(files(tmp_path))
    indices = [14, 0, 10, 10]
    np.testing.assert_array_equal(dataset.images(indices)[..., 0], PIXELS[indices])
    assert dataset.factors(indices).tolist() == [[5], [0], [3], [3]]
    assert dataset.index([[3], [9]]).tolist() == [3, 9]
    assert (dataset.name, len(dataset), dataset.image_shape) == ("mnist", 15, (28, 28, 1))
    check_dataset(dataset)


def test_a_margin_can_be_put_round_them(tmp_path: Path) -> None:
    padded = read_idx_files(files(tmp_path), pad=2).images([4])[0, ..., 0]
    np.testing.assert_array_equal(padded, np.pad(PIXELS[4], 2))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_images": idx(PIXELS[:9, :27])}, "train_images.gz has the shape 9x27x28; expected nx28x28"),
        ({"train_images": idx(PIXELS[:9, 0])}, "train_images.gz is damaged or of another kind .it begins with 00 00 08 02"),
        ({"train_images": idx(PIXELS[:9], 0x0D)}, "it begins with 00 00 0d 03"),
        ({"train_images": idx(PIXELS[:9])[:-1]}, "it does not end where it should"),
        ({"train_images": idx(PIXELS[:9]) + b"x"}, "it does not end where it should"),
        ({"train_images": idx(PIXELS[:9])[:10]}, "it ends too early"),
        ({"test_labels": idx(DIGITS[10:])}, "test_labels.gz has the shape 5; expected 6"),
        ({"test_labels": idx(DIGITS[9:] + 1)}, "test_labels.gz has the label 10, which is no digit"),
        ({"test_images": idx(PIXELS[:0])}, "test_images.gz is damaged or of another kind"),
    ],
)  # fmt: skip
def test_files_of_another_format_are_refused(tmp_path: Path, changes: dict[str, bytes], message: str) -> None:
    with pytest.raises(DatasetError, match=f"mnist: {tmp_path}/.*{message}"):
        read_idx_files(files(tmp_path, **changes))


@pytest.mark.parametrize("change", [lambda content: content[:-20], lambda content: b"no gzip"])
def test_a_damaged_file_is_named(tmp_path: Path, change) -> None:
    paths = files(tmp_path)
    paths[2].write_bytes(change(paths[2].read_bytes()))
    with pytest.raises(DatasetError, match="test_images.gz is damaged or of another kind"):
        read_idx_files(paths)


def test_the_public_loader_checks_its_files_and_options(tmp_path: Path) -> None:
    for file in mnist.FILES:
        (tmp_path / file.name).write_bytes(b"other")
    with pytest.raises(DatasetError, match="mnist: .*train-images-idx3-ubyte.gz is not the published file"):
        load_dataset("mnist", tmp_path / mnist.FILES[0].name)
    with pytest.raises(InputError, match="pad is -1"):
        load_dataset("mnist", tmp_path, pad=-1)
