"""Rows that share a value, and moments computed in chunks."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from disentangle_metrics.estimators import binning, correlation, pairing
from disentangle_metrics.estimators.correlation import means, squared_pearson, variances
from disentangle_metrics.estimators.pairing import Groups, fixed_factor_variances


def test_groups_hold_the_rows_of_each_value():
    groups = Groups.of(np.array([2, 0, 2, 1, 2]), 4)
    assert [groups.rows(value).tolist() for value in range(4)] == [[1], [3], [0, 2, 4], []]


def test_values_are_drawn_by_frequency_among_those_shared_by_two_rows():
    codes = np.repeat([0, 1, 2, 3], [1, 2, 6, 0 + 2])
    values = Groups.of(codes, 4).draw_values(20_000, np.random.default_rng(0))
    shares = np.bincount(values, minlength=4) / 20_000
    assert shares[0] == 0
    assert_allclose(shares[1:], [0.2, 0.6, 0.2], atol=0.02)


def test_drawn_rows_share_the_value_and_reach_every_row():
    codes = np.random.default_rng(1).integers(5, size=100)
    groups = Groups.of(codes, 5)
    values = np.array([3, 0, 3])
    rows = groups.draw_rows(values, 2000, np.random.default_rng(2))
    assert_array_equal(codes[rows], np.repeat(values[:, None], 2000, axis=1))
    assert set(rows[1]) == set(np.flatnonzero(codes == 0))


def test_variances_of_a_fixed_factor_match_the_definition(monkeypatch):
    rng = np.random.default_rng(3)
    codes = rng.integers(3, size=4000)
    latents = rng.normal(size=(4000, 2)) * [1, 3]
    latents[:, 0] += 10 * codes  # within a value the variance is 1, over all rows about 68
    monkeypatch.setattr(pairing, "DRAWS", 1000)  # several parts
    variance = fixed_factor_variances(latents, [Groups.of(codes, 3)], np.zeros(500, dtype=int), 64, rng)
    assert_allclose(variance.mean(axis=0), [1, 9], rtol=0.05)


def test_moments_in_chunks_equal_numpys(monkeypatch):
    columns = np.random.default_rng(4).normal(size=(1000, 3)).astype(np.float32) + 100
    monkeypatch.setattr(correlation, "chunks", lambda rows: binning.chunks(rows, 7))
    exact = columns.astype(np.float64)
    assert_allclose(means(columns), exact.mean(axis=0), rtol=1e-14)
    assert_allclose(variances(columns), exact.var(axis=0, ddof=1), rtol=1e-12)


def test_squared_correlation_equals_numpys_and_is_zero_for_constants():
    rng = np.random.default_rng(5)
    latents = np.column_stack([rng.normal(size=300), np.ones(300)])
    factors = np.column_stack([latents[:, 0] + rng.normal(size=300), np.zeros(300)])
    table = squared_pearson(latents, factors, np.array([False, True]))
    assert_allclose(table[0, 0], np.corrcoef(latents[:, 0], factors[:, 0])[0, 1] ** 2, rtol=1e-12)
    assert table[1].tolist() == [0, 0]
    assert table[0, 1] == 0


def test_one_row_has_no_variance():
    assert variances(np.ones((1, 2))).tolist() == [0, 0]
