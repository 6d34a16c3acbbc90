"""check_dataset passes sound data sets, and names the law that each broken one breaks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from disentangle_metrics.datasets import DATASETS, FactorDataset, FactorGrid, FactorTable
from disentangle_metrics.datasets.factors.no_factors import NoFactors
from disentangle_metrics.datasets.factors.tree import FactorTree
from disentangle_metrics.datasets.storage.packing import BytePacking
from disentangle_metrics.datasets.storage.pixels import HeldImages
from disentangle_metrics.testing import check_dataset

GRID = FactorGrid(("a", "b"), (3, 4), ("categorical", "ordinal"))
PIXELS = np.random.default_rng(0).integers(0, 256, (12, 4, 4, 1), np.uint8)


def read(indices):
    return PIXELS[indices]


def made(read=read, grid=GRID, shape=(4, 4, 1)):
    return FactorDataset("made", grid, shape, read)


@pytest.mark.parametrize("name", ["sprites", "rooms", "switches", "mnist5k"])
def test_what_is_here_obeys_the_laws(name: str) -> None:
    check_dataset(name)


def test_sound_ones_pass() -> None:
    check_dataset(made(HeldImages(PIXELS)))
    table = FactorTable(np.array([[0, 1], [2, 3], [0, 1]] * 4), GRID)
    check_dataset(made(HeldImages(PIXELS), table))
    check_dataset(made(HeldImages(PIXELS), NoFactors(12)))


class ValueUnderAnotherOption(FactorDataset):
    """Under option 0 of `a` there is no `b`, and one image has one."""

    def __init__(self) -> None:
        values = np.array([[0, -1], [1, 2], [0, 3], [2, -1]] * 3)
        super().__init__("made", FactorTree(values, GRID, {"b": ("a", 1)}), (4, 4, 1), read)


class Wrapped(FactorDataset):
    def __init__(self) -> None:
        super().__init__("made", GRID, (4, 4, 1), read)


class LenientIndices(Wrapped):
    def images(self, indices):
        return PIXELS[np.asarray(indices).astype(int).ravel() % 12]


class WrongIndex(Wrapped):
    def index(self, factors):
        return super().index(factors) * 0


class FloatFactors(Wrapped):
    def factors(self, indices):
        return super().factors(indices).astype(float)


class OneFactorTooLarge(Wrapped):
    def factors(self, indices):
        return super().factors(indices) + 1


class OtherBits:
    def __call__(self, indices):
        return PIXELS[indices]

    def packed(self):
        return BytePacking(PIXELS[::-1])


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (made(lambda indices: PIXELS[indices] / 255), "shape_and_kind.*float64"),
        (made(lambda indices: PIXELS[indices][:, :, :, 0]), r"shape_and_kind.*\(14, 4, 4\); expected"),
        (made(shape=(4, 5, 1)), r"expected uint8 \(14, 4, 5, 1\)"),
        (made(lambda indices: PIXELS[indices] // 200), "no pixel is above 1"),
        (made(lambda indices: PIXELS[np.sort(indices)]), "any_order.*unsorted or repeated"),
        (made(lambda indices: PIXELS[np.arange(len(indices)) % 12]), "any_order"),
        (made(lambda indices: PIXELS[indices]), "travels.*cannot be pickled"),
        (made(OtherBits()), "packs.*the images of packed"),
        (LenientIndices(), r"wrong_indices_refused.*images\(\[-1\]\) is no InputError"),
        (WrongIndex(), "factors_find_images"),
        (ValueUnderAnotherOption(), "a factor has a value where its switch says that it does not exist"),
        (FloatFactors(), "factors_in_range.*float64"),
        (OneFactorTooLarge(), "factors_in_range.*not in 0 .. size - 1"),
        (42, "it is a int; expected a FactorDataset"),
    ],
)
def test_a_broken_law_is_named(dataset, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_dataset(dataset)


def test_writing_into_images_is_noticed() -> None:
    pixels = PIXELS.copy()

    class Views(Wrapped):
        def images(self, indices):
            checked = self.grid.check_indices(indices)
            return (
                pixels[checked]
                if len(checked) != 14
                else np.lib.stride_tricks.as_strided(pixels, (14, 4, 4, 1), (0, *pixels.strides[1:]))
            )

    from disentangle_metrics.testing.dataset_laws import Reading, nothing_shared

    with pytest.raises(AssertionError, match=r"written into images\(\) stays"):
        nothing_shared(Reading(Views(), np.zeros(14, np.int64)))


def test_a_data_set_by_name_gets_its_root_and_options(tmp_path: Path) -> None:
    seen = []

    def load(root=None, *, side: int = 4):
        seen.append((root, side))
        return made()

    DATASETS.add("named", load)
    try:
        check_dataset("named", tmp_path, side=8)
    finally:
        DATASETS.remove("named")
    assert seen == [(tmp_path, 8)]
