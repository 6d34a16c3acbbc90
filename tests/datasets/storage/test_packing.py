"""The form in which a data set lies on a device gives its images, bit for bit, and is small."""

from __future__ import annotations

import math

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics.datasets import FactorDataset, FactorGrid
from disentangle_metrics.datasets.mnist5k import HeldImages
from disentangle_metrics.datasets.pooled import pooled
from disentangle_metrics.datasets.storage.cached_rows import CachedRows, RowsKind
from disentangle_metrics.datasets.storage.packed import PackedImages
from disentangle_metrics.datasets.storage.packing import AllImages

torch = pytest.importorskip("torch")


def copied(dataset, device="cpu"):
    """A function of row numbers that makes images of the packed data set alone."""
    packing = dataset.packed()
    tensors = {
        name: torch.from_numpy(np.array(array[0 : array.shape[0]])).to(device)
        for name, array in packing.arrays.items()
    }
    return lambda rows: packing.images(tensors, torch.from_numpy(rows).to(device))


def size(dataset):
    return sum(math.prod(a.shape) * a.dtype.itemsize for a in dataset.packed().arrays.values())


def tiny(height, width, channels=1):
    """Eleven images of noise, of an odd size."""
    images = np.random.default_rng(0).integers(256, size=(11, height, width, channels), dtype=np.uint8)
    grid = FactorGrid(("row",), (11,), ("ordinal",))
    return FactorDataset("noise", grid, (height, width, channels), HeldImages(images))


def bits(height, width, tmp_path):
    """The same in black and white, kept as bits; a row does not fill its last byte."""
    black = (tiny(height, width).images(np.arange(11)) > 127).reshape(11, -1)
    rows = np.packbits(black, axis=1)
    kind = RowsKind("test", 11, rows.shape[1])
    cached = CachedRows(tmp_path / "rows", kind, lambda: [rows], "drawing")
    grid = FactorGrid(("row",), (11,), ("ordinal",))
    return FactorDataset("bits", grid, (height, width, 1), PackedImages(cached, height, width))


def same_images(dataset, rows, device="cpu"):
    made = copied(dataset, device)(rows)
    assert made.dtype == torch.uint8
    np.testing.assert_array_equal(made.cpu().numpy(), dataset.images(rows))


ORDERS = [np.array([0, 10, 3, 3]), np.array([5]), np.arange(11)]


@pytest.mark.parametrize("rows", ORDERS)
def test_bits_and_bytes_and_means_of_them(tmp_path, rows):
    for dataset in (tiny(6, 9, 3), bits(5, 7, tmp_path), bits(6, 9, tmp_path / "even")):
        same_images(dataset, rows)
    for dataset in (tiny(6, 9, 3), bits(6, 9, tmp_path / "even")):
        same_images(pooled(dataset, 3), rows)


def test_a_plain_function_lies_there_as_bytes_and_is_read_when_sliced():
    asked = []

    def read(indices):
        asked.append(len(indices))
        return np.repeat(indices.astype(np.uint8), 4).reshape(-1, 2, 2, 1)

    grid = FactorGrid(("row",), (200,), ("ordinal",))
    dataset = FactorDataset("counted", grid, (2, 2, 1), read)
    images = dataset.packed().arrays["images"]
    assert (images.shape, images.dtype, asked) == ((200, 2, 2, 1), np.uint8, [])
    assert isinstance(images, AllImages)
    assert images[10:13][:, 0, 0, 0].tolist() == [10, 11, 12]
    assert asked == [3]
    same_images(dataset, np.array([199, 0, 7]))


@pytest.mark.parametrize(
    ("name", "pool", "megabytes"),
    [
        ("sprites", 1, 378),
        ("sprites", 2, 378),
        ("rooms", 1, 8),
        ("rooms", 2, 8),
        ("switches", 1, 0.22),
        ("switches", 2, 0.22),
    ],
)
def test_images_of_the_procedural_data_sets(name, pool, megabytes):
    dataset = dm.load_dataset(name, pool=pool)
    rows = np.random.default_rng(1).integers(len(dataset), size=300)
    rows[:2] = 0, len(dataset) - 1
    assert size(dataset) / 1e6 == pytest.approx(megabytes, rel=0.02)
    same_images(dataset, rows)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("pool", [1, 2])
@pytest.mark.parametrize("name", ["sprites", "rooms", "switches"])
def test_images_made_on_the_gpu(name, pool):
    dataset = dm.load_dataset(name, pool=pool)
    same_images(dataset, np.random.default_rng(1).integers(len(dataset), size=300), "cuda")
