"""Bins: agreement with NumPy's histogram away from edges, and one answer on edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from disentangle_metrics.estimators.counts.binning import chunks, distinct, make_bins, numerically_constant


def codes(column, bins, strategy="uniform"):
    column = np.asarray(column)
    return make_bins(column[:, None], bins, strategy).encode(0, column)


def test_equal_width_bins_by_hand():
    assert codes([0.0, 0.9, 1.0, 1.9, 2.0, 4.0], 4).tolist() == [0, 0, 1, 1, 2, 3]


@given(seed=st.integers(0, 1000), bins=st.integers(2, 60))
def test_random_values_fall_where_numpy_puts_them(seed, bins):
    column = np.random.default_rng(seed).normal(size=500)
    edges = np.histogram_bin_edges(column, bins)
    expected = np.clip(np.searchsorted(edges, column, side="right") - 1, 0, bins - 1)
    assert_array_equal(codes(column, bins), expected)


@given(values=st.integers(2, 60), bins=st.integers(2, 40), scale=st.floats(1e-6, 1e6), shift=st.floats(-9, 9))
def test_values_on_edges_do_not_move_when_rescaled(values, bins, scale, shift):
    column = np.arange(values, dtype=float)
    assert_array_equal(codes((column + shift) * scale, bins), codes(column, bins))


@pytest.mark.parametrize("bins", [5, 20, 39])
def test_single_precision_puts_edge_values_in_the_same_bin(bins):
    column = np.arange(40) * 0.1 + 3
    assert_array_equal(codes(column.astype(np.float32), bins), codes(column, bins))


def test_quantile_bins_hold_equal_shares():
    column = np.exp(np.random.default_rng(0).normal(size=1000))
    assert np.bincount(codes(column, 8, "quantile")).tolist() == [125] * 8


def test_quantile_bins_of_repeated_values_merge():
    column = np.array([0.0] * 90 + [1.0] * 10)
    assert len(np.unique(codes(column, 4, "quantile"))) == 2


def test_a_constant_column_has_one_bin():
    assert codes([3.0] * 5, 7).tolist() == [0] * 5


def test_rounding_noise_is_constant_and_a_small_signal_is_not():
    noise = 1000.0 + np.array([0.0, 1e-13, -1e-13])
    signal = 1000.0 + np.array([0.0, 1e-9, 0.0])
    table = np.stack([noise, signal], axis=1)
    constant = numerically_constant(table.min(axis=0), table.max(axis=0), table.dtype)
    assert constant.tolist() == [True, False]


def test_an_unknown_strategy_is_not_taken_for_another():
    with pytest.raises(AssertionError, match="uniforn"):
        make_bins(np.zeros((3, 1)), 3, "uniforn")


@pytest.mark.parametrize(
    "values",
    [
        np.array([-3, 100, -3, 7]),
        np.array([2**62, -(2**62), 0]),
        np.array([2**40, 0, 2**40]),
        np.array([-(2**40), 0, -(2**40)]),
        np.array([2**63 - 1, 2**63 - 3]),
        np.array([2**64 - 1, 2**64 - 5, 2**64 - 1], dtype=np.uint64),
        np.array([-(2**63), 5 - 2**63]),
        np.array([True, False, True]),
        np.array(["b", "a", "b"]),
        np.array([250, 3], dtype=np.uint8),
        np.array([0.5, -1.0, 0.5]),
    ],
)
def test_distinct_values_as_numpy_orders_them(values):
    levels, found = distinct(values)
    expected_levels, expected = np.unique(values, return_inverse=True)
    assert_array_equal(levels, expected_levels)
    assert levels.dtype == values.dtype
    assert_array_equal(found, expected)


def test_chunks_cover_every_row_once():
    assert [(c.start, c.stop) for c in chunks(10, 4)] == [(0, 4), (4, 8), (8, 10)]
