"""The factor grid: index and factors are inverse to each other, and bad input is named."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disentangle_metrics.datasets import FactorGrid
from disentangle_metrics.errors import InputError


def grid(*sizes: int) -> FactorGrid:
    return FactorGrid(tuple(f"f{k}" for k in range(len(sizes))), sizes, ("ordinal",) * len(sizes))


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5))
def test_index_inverts_factors_and_the_last_factor_varies_fastest(sizes: list[int]) -> None:
    g = grid(*sizes)
    everything = np.arange(len(g))
    factors = g.factors(everything)
    assert factors.dtype == np.int64
    assert factors.tolist() == [list(row) for row in np.ndindex(*sizes)]
    assert g.index(factors).tolist() == everything.tolist()


@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.uint64])
def test_any_integers_are_accepted(kind: type) -> None:
    g = grid(3, 4)
    assert g.factors(np.array([0, 5, 11], kind)).tolist() == [[0, 0], [1, 1], [2, 3]]
    assert g.index(np.array([[2, 3]], kind)).tolist() == [11]


def test_lists_ranges_and_nothing_are_accepted() -> None:
    g = grid(3, 4)
    assert g.factors(range(4, 6)).tolist() == [[1, 0], [1, 1]]
    assert g.factors([]).shape == (0, 2)
    assert g.index([]).shape == (0,)


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        ([0, 12, -1], r"indices\[1\] is 12, and the data set has the images 0 to 11"),
        ([-1], r"indices\[0\] is -1"),
        ([0.0, 1.0], "indices has the dtype float64; accepted: integers"),
        ([True], "indices has the dtype bool"),
        (3, r"shape \(\); accepted: \(n,\), one integer per image; write \[i\] for one image"),
        ([[1, 2]], r"shape \(1, 2\)"),
        (np.array([2**63], np.uint64), "9223372036854775808"),
    ],
)
def test_bad_indices_are_named(indices: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        grid(3, 4).factors(indices)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ([[0, 0], [2, 4]], r"factors\[1, 1\] is 4, and 'f1' takes the values 0 to 3"),
        ([[-1, 0]], r"factors\[0, 0\] is -1, and 'f0'"),
        ([0, 1], r"shape \(2,\); accepted: \(n, 2\), one row per image with the columns f0, f1"),
        ([[0, 1, 2]], r"shape \(1, 3\)"),
        ([[0.5, 1]], "dtype float64"),
    ],
)
def test_bad_factors_are_named(factors: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        grid(3, 4).index(factors)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("names", "sizes", "types", "message"),
    [
        (("a",), (2, 3), ("ordinal",), "1 names, 2 sizes and 1 types"),
        ((), (), (), "0 names"),
        (("a", "a"), (2, 3), ("ordinal", "ordinal"), "repeat a name"),
        (("a",), (0,), ("ordinal",), "'a' has size 0"),
        (("a",), (2,), ("nominal",), "'nominal'; accepted: categorical, ordinal, continuous"),
    ],
)
def test_impossible_grids_are_refused(
    names: tuple[str, ...], sizes: tuple[int, ...], types: tuple[str, ...], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        FactorGrid(names, sizes, types)
