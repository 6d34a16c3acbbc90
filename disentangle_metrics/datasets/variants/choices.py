"""Some images of a data set: two factors correlated, some values alone, some combinations held out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.datasets.factor_dataset import FactorDataset, Images
from disentangle_metrics.datasets.factors.columns import FactorColumns
from disentangle_metrics.datasets.factors.grid import FactorGrid
from disentangle_metrics.datasets.factors.table import FactorTable
from disentangle_metrics.datasets.factors.tree import FactorTree
from disentangle_metrics.datasets.storage.packing import Packing, Tensors
from disentangle_metrics.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

PARTS = ("train", "test")


class ChosenImages:
    """Reads images of another data set by the rows that were chosen.

    Parameters
    ----------
    dataset : FactorDataset
    rows : ndarray of int64 (n,)
        The row of each image in `dataset`.
    """

    def __init__(self, dataset: FactorDataset, rows: NDArray[np.int64]) -> None:
        self.dataset, self.rows = dataset, rows

    def __call__(self, indices: NDArray[np.int64]) -> Images:
        return self.dataset.images(self.rows[indices])

    def network_input(self, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """The same, not rounded to 8 bits."""
        return self.dataset.network_input(self.rows[indices])

    @property
    def over_8_bits(self) -> bool:
        return self.dataset.over_8_bits

    def packed(self) -> ChosenPacking:
        """All images of the other data set in their form, and the rows."""
        return ChosenPacking(self.dataset.packed(), self.rows)


class ChosenPacking:
    """The images of another form at the rows that were chosen."""

    def __init__(self, packed: Packing, rows: NDArray[np.int64]) -> None:
        self.packed = packed
        self.arrays = {**packed.arrays, "chosen": rows}

    def images(self, tensors: Tensors, indices: Tensor) -> Tensor:
        return self.packed.images(tensors, tensors["chosen"][indices])


def correlated(
    dataset: FactorDataset, factors: tuple[str, str], *, sigma: float = 0.2, seed: int = 0
) -> FactorDataset:
    """As many images, drawn so that two factors go together.

    An image is drawn, with replacement, with probability proportional to exp(-(u - v)^2 / (2 sigma^2)). u
    and v are the places of its two values, from 0 for the first value that is there to 1 for the last.

    Parameters
    ----------
    dataset : FactorDataset
    factors : pair of str
    sigma : float
        Above 0; the smaller, the stronger. The paper has 0.2 (strong), 0.4 and 0.7 (weak).
    seed : int

    Notes
    -----
    F. Träuble et al., "On disentangled representations learned from correlated data", 2021.
    """
    names = tuple(factors)
    if len(names) != 2 or names[0] == names[1]:
        raise InputError(f"correlated needs a pair of factors, such as posX+posY; got {'+'.join(names)}")
    if not (np.isfinite(sigma) and sigma > 0):
        raise InputError(f"sigma must be above 0, got {sigma!r}")
    codes = dataset.factors(np.arange(len(dataset)))[:, _columns(dataset, names)]
    if codes.min() < 0:
        raise InputError(f"{' or '.join(names)} lacks values in some rows, so it cannot be correlated")
    low, high = codes.min(axis=0), codes.max(axis=0)  # a choice keeps the codes of the whole data set
    if (low == high).any():
        constant = names[int(np.argmin(high - low))]
        raise InputError(f"factor {constant!r} has one value, so it cannot be correlated")
    places = (codes - low) / (high - low)
    weights = np.exp(-((places[:, 0] - places[:, 1]) ** 2) / (2 * sigma**2))
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(len(dataset), len(dataset), p=weights / weights.sum()))
    return _chosen(dataset, rows, f"correlated:factors={'+'.join(names)},sigma={sigma:g},seed={seed}")


def restricted(dataset: FactorDataset, values: Mapping[str, Iterable[int]]) -> FactorDataset:
    """The images whose factors have these values alone, by their codes; for one value it is fixed."""
    if not values:
        raise InputError("restricted needs at least one factor and its values, such as shape=0+2")
    rows = np.ones(len(dataset), dtype=bool)
    texts = []
    for name, codes in values.items():
        wanted = sorted(set(codes))
        column = _columns(dataset, (name,))[0]
        size = dataset.factor_sizes[column]
        if not wanted or wanted[0] < 0 or wanted[-1] >= size:
            raise InputError(f"restricted: {name} takes the values 0 to {size - 1}, got {wanted}")
        rows &= np.isin(dataset.factors(np.arange(len(dataset)))[:, column], wanted)
        texts.append(f"{name}={ranges_text(wanted)}")
    return _chosen(dataset, np.flatnonzero(rows), f"restricted:{','.join(texts)}")


def split(
    dataset: FactorDataset,
    part: str,
    *,
    factors: Iterable[str] | None = None,
    share: float = 0.2,
    seed: int = 0,
) -> FactorDataset:
    """One part of the images, so that no combination of some factors is in both parts.

    Parameters
    ----------
    dataset : FactorDataset
    part : str
        "train" or "test".
    factors : iterable of str, optional
        Whose combinations; by default all factors, so that no image with the same factors is in both.
    share : float
        Of the combinations, rounded up, which go to "test".
    seed : int
    """
    if part not in PARTS:
        raise InputError(f"part must be 'train' or 'test', got {part!r}")
    if not 0 < share < 1:
        raise InputError(f"share must be between 0 and 1, got {share!r}")
    names = dataset.factor_names if factors is None else tuple(factors)
    codes = dataset.factors(np.arange(len(dataset)))[:, _columns(dataset, names)]
    combinations = _combinations(codes)
    count = int(combinations.max()) + 1
    held_out = np.random.default_rng(seed).permutation(count)[: int(np.ceil(share * count))]
    if len(held_out) == count:
        raise InputError(f"{'+'.join(names)} has {count} combinations, too few for a split")
    in_test = np.isin(combinations, held_out)
    rows = np.flatnonzero(in_test if part == "test" else ~in_test)
    of = "" if factors is None else f"factors={'+'.join(names)},"
    return _chosen(dataset, rows, f"split:part={part},{of}share={share:g},seed={seed}")


def _combinations(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of each row's combination among those that are there, in their order."""
    sizes = tuple((codes.max(axis=0) + 2).tolist())  # a missing value has the code -1
    if math.prod(sizes) < 2**62:
        numbers = np.ravel_multi_index(tuple((codes + 1).T), sizes)
        return np.unique(numbers, return_inverse=True)[1].reshape(-1)
    return np.unique(codes, axis=0, return_inverse=True)[1].reshape(-1)


def ranges_text(values: list[int]) -> str:
    """Sorted whole numbers as text: 0-3+7."""
    breaks = [
        0,
        *(place for place in range(1, len(values)) if values[place] != values[place - 1] + 1),
        len(values),
    ]
    runs = [(values[first], values[last - 1]) for first, last in pairwise(breaks)]
    return "+".join(f"{low}" if low == high else f"{low}-{high}" for low, high in runs)


def _columns(dataset: FactorDataset, names: Iterable[str]) -> list[int]:
    known = list(dataset.factor_names)
    for name in names:
        if name not in known:
            raise InputError(
                f"{dataset.name} has no factor {name!r}; it has {', '.join(known) or 'none that is known'}"
            )
    return [known.index(name) for name in names]


def _chosen(dataset: FactorDataset, rows: NDArray[np.int64], variant: str) -> FactorDataset:
    if not len(rows):
        raise InputError(f"{dataset.name}|{variant} has no image")
    grid: FactorTable | FactorColumns
    if isinstance(dataset.grid, FactorColumns):
        grid = dataset.grid.chosen(rows)
    elif isinstance(dataset.grid, FactorTree):
        grid = replace(dataset.grid, values=dataset.grid.values[rows])
    else:
        combinations = FactorGrid(dataset.factor_names, dataset.factor_sizes, dataset.factor_types)
        grid = FactorTable(dataset.factors(rows), combinations)
    return dataset.as_variant(variant, ChosenImages(dataset, rows), grid=grid)
