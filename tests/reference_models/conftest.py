"""A data set small enough to train on in a test: 32x32 pictures of one bright square each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from disentangle_metrics import DatasetError
from disentangle_metrics.datasets import FactorGrid
from reference_models import datasets

# The order of a sum, and so its last bit, depends on the number of threads.
torch.set_num_threads(1)


class Squares:
    """An 8x8 square at one of 25 x 25 places."""

    name = "squares"
    image_shape = (32, 32, 1)
    grid = FactorGrid(names=("row", "column"), sizes=(25, 25), types=("ordinal", "ordinal"))
    factor_sizes = (25, 25)
    factor_names, factor_types = grid.names, grid.types

    def __len__(self) -> int:
        return 625

    def images(self, indices: Any) -> NDArray[np.uint8]:
        images = np.zeros((len(indices), 32, 32, 1), np.uint8)
        for image, index in zip(images, indices, strict=True):
            row, column = divmod(int(index), 25)
            image[row : row + 8, column : column + 8] = 255
        return images

    def factors(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        return self.grid.factors(indices)

    def index(self, factors: NDArray[np.int64]) -> NDArray[np.int64]:
        return self.grid.index(factors)


@pytest.fixture
def squares() -> Squares:
    return Squares()


@pytest.fixture
def only_squares(monkeypatch: pytest.MonkeyPatch) -> None:
    """`dm-train` knows one data set, `squares`."""

    def load(name: str, root: Any = None) -> Squares:
        if name != "squares":
            raise DatasetError(f"unknown data set {name!r}; known: squares")
        return Squares()

    monkeypatch.setattr(datasets, "load_dataset", load)
