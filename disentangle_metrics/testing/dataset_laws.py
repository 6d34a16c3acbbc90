"""The laws a data set must obey.

``check_dataset("my_set")`` opens it and reads some images. It raises AssertionError with the law that
is broken.
"""

from __future__ import annotations

import importlib.util
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.datasets import FactorDataset, load_dataset
from disentangle_metrics.datasets.factors.grid import FACTOR_TYPES
from disentangle_metrics.errors import DatasetError, InputError

LARGEST_COPY = 1 << 26  # bytes of a packed data set that is still copied to compare its images


@dataclass(frozen=True)
class Reading:
    """A data set, and the indices (n,) that the laws try: some at random, the first and the last."""

    dataset: FactorDataset
    indices: NDArray[np.int64]


Law = Callable[[Reading], None]


def shape_and_kind(reading: Reading) -> None:
    """Images are uint8 (n, height, width, channels) in 0 .. 255, also of no indices."""
    dataset = reading.dataset
    height, width, channels = dataset.image_shape
    _hold(height > 0 and width > 0 and channels in (1, 3), f"image_shape is {dataset.image_shape}")
    for indices in (reading.indices, reading.indices[:0]):
        try:
            images = dataset.images(indices)
        except DatasetError as error:
            raise AssertionError(str(error)) from error
        expected = (len(indices), *dataset.image_shape)
        _hold(
            isinstance(images, np.ndarray) and images.dtype == np.uint8 and images.shape == expected,
            f"images of {len(indices)} indices are {_what(images)}; expected uint8 {expected}",
        )
    _hold(
        dataset.images(reading.indices).max() > 1,
        "no pixel is above 1: images are in 0 .. 255, so multiply those in 0 .. 1 by 255",
    )


def any_order(reading: Reading) -> None:
    """Image i is the same wherever its index stands, however often, and beside whatever others."""
    indices, dataset = reading.indices, reading.dataset
    images = dataset.images(indices)
    mixed = np.concatenate([indices[::-1], indices[:3], indices[:3]])
    _hold(
        np.array_equal(dataset.images(mixed), np.concatenate([images[::-1], images[:3], images[:3]])),
        "images of unsorted or repeated indices are others than those of the same indices in order",
    )
    for index, image in zip(indices[:5], images, strict=False):
        _hold(np.array_equal(dataset.images([index])[0], image), f"image {index} alone is another one")


def nothing_shared(reading: Reading) -> None:
    """Who writes into images or factors changes nothing in the data set."""
    dataset, indices = reading.dataset, reading.indices
    for read in (dataset.images, dataset.factors):
        answer = read(indices)
        kept = answer.copy()
        if answer.flags.writeable:
            answer[...] = 1
        _hold(np.array_equal(read(indices), kept), f"what is written into {read.__name__}() stays there")


def factors_in_range(reading: Reading) -> None:
    """Factors have different names and known types, and values (n, n_factors), int64, in 0 .. size - 1.

    A factor under a switch has the value -1 where the switch does not have its value, and only there.
    """
    dataset = reading.dataset
    names, sizes, types = dataset.factor_names, dataset.factor_sizes, dataset.factor_types
    _hold(len(set(names)) == len(names) == len(sizes) == len(types), f"factors: {names}, {sizes}, {types}")
    _hold(all(isinstance(name, str) and name for name in names), f"a factor of {names} has no name")
    _hold(set(types) <= set(FACTOR_TYPES), f"types are {types}; accepted: {', '.join(FACTOR_TYPES)}")
    factors = dataset.factors(reading.indices)
    expected = (len(reading.indices), len(names))
    _hold(
        factors.dtype == np.int64 and factors.shape == expected,
        f"factors are {_what(factors)}; expected int64 {expected}",
    )
    exists = np.ones(factors.shape, dtype=bool)
    for name, (switch, value) in dataset.hierarchy.items():
        exists[:, names.index(name)] = factors[:, names.index(switch)] == value
    _hold(
        bool((factors[~exists] == -1).all()),
        "a factor has a value where its switch says that it does not exist",
    )
    _hold(
        bool(((factors >= 0) & (factors < np.array(sizes, np.int64)))[exists].all()),
        f"factor values are not in 0 .. size - 1 of the sizes {sizes}",
    )


def factors_find_images(reading: Reading) -> None:
    """The image that `index` finds by factor values has these values."""
    dataset = reading.dataset
    if not dataset.factor_names:
        return
    factors = dataset.factors(reading.indices)
    _hold(
        np.array_equal(dataset.factors(dataset.index(factors)), factors),
        "index(factors(i)) is an image with other factor values",
    )


def wrong_indices_refused(reading: Reading) -> None:
    """Indices that are no image's are an InputError."""
    dataset = reading.dataset
    wrong: tuple[Any, ...] = ([-1], [len(dataset)], [0.5], [[0]])
    for indices in wrong:
        for read in (dataset.images, dataset.factors):
            try:
                read(indices)
            except InputError:
                continue
            _hold(False, f"{read.__name__}({indices}) is no InputError; there are {len(dataset)} images")


def travels(reading: Reading) -> None:
    """After pickling, as on the way to other processes, the images are the same."""
    try:
        other = pickle.loads(pickle.dumps(reading.dataset))
    except Exception as error:
        raise AssertionError(f"it cannot be pickled ({type(error).__name__}: {error})") from error
    indices = reading.indices
    _hold(
        np.array_equal(other.images(indices), reading.dataset.images(indices)),
        "after pickling the images are others",
    )


def packs(reading: Reading) -> None:
    """The packed form gives the same images, bit for bit. Checked with PyTorch, up to 64 MiB."""
    packing = reading.dataset.packed()
    size = sum(int(np.prod(array.shape)) * array.dtype.itemsize for array in packing.arrays.values())
    if size > LARGEST_COPY or importlib.util.find_spec("torch") is None:
        return
    import torch

    tensors = {name: torch.from_numpy(np.array(array[:])) for name, array in packing.arrays.items()}
    images = packing.images(tensors, torch.from_numpy(reading.indices)).numpy()
    _hold(
        images.dtype == np.uint8 and np.array_equal(images, reading.dataset.images(reading.indices)),
        "the images of packed() are others than those of images()",
    )


LAWS: tuple[Law, ...] = (
    shape_and_kind,
    any_order,
    nothing_shared,
    factors_in_range,
    factors_find_images,
    wrong_indices_refused,
    travels,
    packs,
)


def check_dataset(
    dataset: str | FactorDataset,
    root: str | PathLike[str] | None = None,
    *,
    laws: tuple[Law, ...] = LAWS,
    images: int = 64,
    seed: int = 0,
    **options: Any,
) -> None:
    """Check that a data set obeys the laws that all others here obey.

    Parameters
    ----------
    dataset
        A name, as in ``load_dataset(name)``, or an opened data set.
    root
        Where its files are, if it is given by name.
    laws
        The laws to check; by default all.
    images
        How many images to read, at random; the first and the last are read besides.
    seed
        Of the choice of images.
    **options
        Passed on to the data set's function, if it is given by name.

    Raises
    ------
    AssertionError
        With the law that is broken.
    """
    opened = load_dataset(dataset, root, **options) if isinstance(dataset, str) else dataset
    _hold(isinstance(opened, FactorDataset), f"it is a {type(opened).__name__}; expected a FactorDataset")
    _hold(bool(opened.name) and isinstance(opened.name, str), f"its name is {opened.name!r}")
    _hold(len(opened) > 0, "it has no images")
    rng = np.random.default_rng(seed)
    some = rng.choice(len(opened), size=min(images, len(opened)), replace=False)
    reading = Reading(opened, np.concatenate([some, [0, len(opened) - 1]]).astype(np.int64))
    for law in laws:
        try:
            law(reading)
        except AssertionError as broken:
            raise AssertionError(f"{opened.name} breaks the law '{law.__name__}': {broken}") from broken


def _what(value: Any) -> str:
    return f"{getattr(value, 'dtype', type(value).__name__)} {getattr(value, 'shape', '')}".strip()


def _hold(truth: bool, message: str) -> None:
    if not truth:
        raise AssertionError(message)
