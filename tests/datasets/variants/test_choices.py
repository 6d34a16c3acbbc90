"""Correlated factors, restricted factors, splits; and the names that say them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from disentangle_metrics import DatasetError, FactorDataset, InputError, datasets, load_dataset
from disentangle_metrics.datasets import FactorGrid

GRID = FactorGrid(("shape", "x", "y"), (3, 8, 8), ("categorical", "ordinal", "ordinal"))


def shown(indices: np.ndarray) -> np.ndarray:
    """The factors of an image are its three pixels."""
    return GRID.factors(indices).astype(np.uint8).reshape(-1, 1, 3, 1)


@pytest.fixture
def dataset() -> FactorDataset:
    return FactorDataset("grid", GRID, (1, 3, 1), shown)


def agrees(dataset: FactorDataset) -> np.ndarray:
    """All factors, after a look at whether the images are those of the factors."""
    rows = np.arange(len(dataset))
    factors = dataset.factors(rows)
    np.testing.assert_array_equal(dataset.images(rows).reshape(-1, 3), factors)
    return factors


def test_correlated_factors_have_the_distribution(dataset: FactorDataset) -> None:
    images = np.tile(dataset.images(np.arange(192)), (100, 1, 1, 1))
    factors = np.tile(GRID.factors(np.arange(192)), (100, 1))
    own = datasets.from_arrays(
        images, factors, factor_names=GRID.names, channels="last", value_range=(0, 255), name="many"
    )
    many = datasets.correlated(own, ("x", "y"), sigma=0.4, seed=1)
    assert many.name == "many|correlated:factors=x+y,sigma=0.4,seed=1"
    assert len(many) == 19200
    factors = agrees(many)
    counts = np.zeros((8, 8))
    np.add.at(counts, (factors[:, 1], factors[:, 2]), 1)
    x, y = np.mgrid[:8, :8] / 7
    expected = np.exp(-((x - y) ** 2) / (2 * 0.4**2))
    expected *= len(many) / expected.sum()
    assert np.square(counts - expected).__truediv__(expected).sum() < 120  # chi-square of 63 degrees
    assert abs(np.corrcoef(factors[:, 0], factors[:, 1])[0, 1]) < 0.03


def test_a_seed_decides_and_a_small_sigma_ties(dataset: FactorDataset) -> None:
    first = datasets.correlated(dataset, ("x", "y"), sigma=0.01, seed=0)
    factors = agrees(first)
    assert (factors[:, 1] == factors[:, 2]).all()
    np.testing.assert_array_equal(
        datasets.correlated(dataset, ("x", "y"), sigma=0.01).factors(range(192)), factors
    )
    assert (datasets.correlated(dataset, ("x", "y"), sigma=0.01, seed=1).factors(range(192)) != factors).any()


def test_restricted_factors(dataset: FactorDataset) -> None:
    chosen = datasets.restricted(dataset, {"shape": [2, 0], "x": range(3)})
    assert chosen.name == "grid|restricted:shape=0+2,x=0-2"
    factors = agrees(chosen)
    assert len(factors) == 2 * 3 * 8
    assert set(factors[:, 0]) == {0, 2}
    assert factors[:, 1].max() == 2
    assert chosen.index([[2, 1, 7]]).tolist() == [int(np.flatnonzero((factors == [2, 1, 7]).all(axis=1))[0])]
    with pytest.raises(InputError, match="no image has these values"):
        chosen.index([[1, 0, 0]])


def test_a_split_shares_no_combination(dataset: FactorDataset) -> None:
    parts = {
        part: agrees(datasets.split(dataset, part, factors=["shape", "x"], share=0.25, seed=5))
        for part in ("train", "test")
    }
    combinations = {part: {tuple(row) for row in factors[:, :2]} for part, factors in parts.items()}
    assert not combinations["train"] & combinations["test"]
    assert len(combinations["test"]) == 6  # a quarter of 24
    assert len(parts["train"]) + len(parts["test"]) == 192


def test_own_data_keep_their_labels() -> None:
    own = datasets.from_arrays(
        np.full((6, 4, 4), 255, np.uint8), np.array([["a"], ["b"], ["c"]] * 2), factor_names=["kind"]
    )
    chosen = datasets.restricted(own, {"kind": [1, 2]})
    assert chosen.labels(range(4))["kind"].tolist() == ["b", "c", "b", "c"]
    assert chosen.factors([0, 1]).tolist() == [[1], [2]]


def test_measurements_keep_the_codes_of_the_whole_data_set() -> None:
    places = np.arange(60)
    frame = pd.DataFrame({"t": np.where(places == 40, np.nan, places + 0.25), "k": places % 4})
    own = datasets.from_arrays(
        np.full((60, 4, 4), 255, np.uint8), frame, factor_types={"t": "continuous", "k": "ordinal"}
    )
    late = datasets.restricted(own, {"t": range(30, 59)})
    assert late.factor_sizes == own.factor_sizes == (59, 4)  # one of 60 places has no value
    assert late.factors([0, 9, 10]).tolist() == [[30, 2], [39, 3], [40, 1]]  # 40 is of the row of 41.25
    assert late.index([[40, 1]]).tolist() == [10]
    assert datasets.restricted(late, {"t": [45]}).labels([0]).to_numpy().tolist() == [[46.25, 2]]
    test = datasets.split(own, "test")
    chosen = datasets.restricted(test, {"t": range(20)})
    assert chosen.labels(range(len(chosen)))["t"].tolist() == [
        value for value in test.labels(range(len(test)))["t"] if value < 20
    ]
    few = datasets.restricted(own, {"k": [0, 1]})
    assert few.factor_sizes == (59, 4)
    assert len(datasets.restricted(few, {"k": range(4)})) == 30


def test_correlated_goes_from_the_first_to_the_last_value_that_is_left(dataset: FactorDataset) -> None:
    """The middle of five values is in the middle of each half of a range, whichever half was chosen."""
    rows = np.arange(20_000)
    frame = pd.DataFrame({"t": rows % 100 + 0.25, "s": rows // 100 % 5})
    images = (rows % 2).astype(np.uint8)[:, None, None]
    own = datasets.from_arrays(images, frame, factor_types={"t": "continuous", "s": "ordinal"})
    for half in (range(50), range(50, 100)):
        drawn = datasets.correlated(datasets.restricted(own, {"t": half}), ("t", "s"))
        places = (drawn.factors(range(len(drawn))) - [half[0], 0]) / [49, 4]
        np.testing.assert_allclose(places.mean(axis=0), 0.5, atol=0.02)
        assert 0.75 < np.corrcoef(places.T)[0, 1] < 0.9
    one = datasets.restricted(own, {"t": [30]})
    with pytest.raises(InputError, match="factor 't' has one value, so it cannot be correlated"):
        datasets.correlated(one, ("s", "t"))
    with pytest.raises(InputError, match="factor 'shape' has one value, so it cannot be correlated"):
        datasets.correlated(datasets.restricted(dataset, {"shape": [2]}), ("shape", "x"))


def test_a_chosen_data_set_trains_on_a_device(dataset: FactorDataset) -> None:
    torch = pytest.importorskip("torch")
    chosen = datasets.restricted(dataset, {"x": [1, 5]})
    packing = chosen.packed()
    tensors = {name: torch.from_numpy(np.asarray(array[:])) for name, array in packing.arrays.items()}
    rows = np.array([3, 0, 20])
    np.testing.assert_array_equal(
        packing.images(tensors, torch.from_numpy(rows)).numpy(), chosen.images(rows)
    )


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("sprites|colour", "sprites|colour:seed=0"),
        ("sprites|noisy:seed=7", "sprites|noisy:seed=7"),
        ("sprites|restricted:posX=0+1+2+9|background", "sprites|restricted:posX=0-2+9|background:seed=0"),
        ("sprites|split:part=test", "sprites|split:part=test,share=0.2,seed=0"),
        (
            "sprites|split:part=train,factors=shape+scale,share=0.5,seed=2",
            "sprites|split:part=train,factors=shape+scale,share=0.5,seed=2",
        ),
        ("sprites|correlated:factors=posX+posY", "sprites|correlated:factors=posX+posY,sigma=0.2,seed=0"),
    ],
)
def test_a_name_says_all_and_opens_the_same_again(name: str, canonical: str) -> None:
    dataset = load_dataset(name, cache=False)
    assert dataset.name == canonical
    again = load_dataset(dataset.name, cache=False)
    assert again.name == canonical
    rows = np.linspace(0, len(dataset) - 1, 5).astype(int)
    np.testing.assert_array_equal(again.images(rows), dataset.images(rows))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sprites|color", "unknown variant 'color' of sprites; did you mean 'colour'"),
        ("sprites|colour:sead=1", "no option 'sead'; it has seed"),
        ("sprites|colour:seed", "must be NAME:OPTION=VALUE"),
        ("sprites|colour:seed=-1", "seed must be a whole number from 0, got '-1'"),
        ("sprites|correlated", "a pair of factors"),
        ("sprites|correlated:factors=posX+posX", "a pair of factors"),
        ("sprites|correlated:factors=posX+posZ", "no factor 'posZ'; it has shape"),
        ("sprites|correlated:factors=posX+posY,sigma=0", "sigma must be above 0"),
        ("sprites|correlated:factors=posX+posY,sigma=x", "sigma must be a number"),
        ("sprites|restricted", "needs at least one factor"),
        ("sprites|restricted:shape=0-3", r"shape takes the values 0 to 2, got \[0, 1, 2, 3\]"),
        ("sprites|restricted:shape=heart", "codes and ranges"),
        ("sprites|padded", "padded needs its side, such as padded:side=64"),
        ("sprites|split", "needs its part"),
        ("sprites|split:part=half", "'train' or 'test', got 'half'"),
        ("sprites|split:part=test,share=1", "share must be between 0 and 1"),
        ("sprites|restricted:shape=1|split:part=test,factors=shape", "1 combinations, too few"),
        ("images|colour", "pass `root` with"),
    ],
)
def test_wrong_names_are_refused(name: str, message: str) -> None:
    with pytest.raises((DatasetError, InputError), match=message):
        load_dataset(name)
