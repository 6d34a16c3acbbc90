"""Rows that share a value, and moments computed in chunks."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from disentangle_metrics.estimators import correlation, pairing
from disentangle_metrics.estimators.correlation import means, squared_pearson, variances
from disentangle_metrics.estimators.counts import binning
from disentangle_metrics.estimators.pairing import Drawing, Groups, fixed_factor_variances


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


def test_one_row_has_no_variance_and_two_have():
    assert variances(np.ones((1, 2))).tolist() == [0, 0]
    assert variances(np.array([[0.0, 1], [2, 1]])).tolist() == [2, 0]


def test_uniform_values_are_drawn_alike_among_those_shared_by_two_rows():
    codes = np.repeat([0, 1, 2, 3], [1, 2, 6, 2])
    values = Groups.of(codes, 4).draw_values(20_000, np.random.default_rng(0), Drawing(uniform_values=True))
    assert_allclose(np.bincount(values, minlength=4) / 20_000, [0, 1 / 3, 1 / 3, 1 / 3], atol=0.02)


def test_rows_dealt_out_come_once_before_they_come_again():
    codes = np.repeat([0, 1], [10, 3])
    groups = Groups.of(codes, 2)
    values = np.array([0, 1, 0, 0, 1])
    rows = groups.draw_rows(values, 5, np.random.default_rng(0), Drawing(replacement=False))
    assert_array_equal(codes[rows], np.repeat(values[:, None], 5, axis=1))
    # Ten rows make two draws of five without a row twice; the third draw starts again.
    assert sorted(rows[[0, 2]].ravel()) == list(range(10))
    assert len(set(rows[3])) == 5
    # Three rows are gone through again and again: ten draws hold each of them at least three times.
    assert np.bincount(rows[[1, 4]].ravel() - 10).min() >= 3


def test_a_draw_of_a_whole_group_has_its_exact_variance():
    latents = np.random.default_rng(9).normal(size=(12, 2))
    groups, rng = [Groups.of(np.repeat([0, 1], 6), 2)], np.random.default_rng(0)
    rule = Drawing(replacement=False)
    variance = fixed_factor_variances(latents, groups, np.zeros(20, dtype=int), 6, rng, rule)
    exact = np.stack([latents[:6].var(axis=0, ddof=1), latents[6:].var(axis=0, ddof=1)])
    closest = np.abs(variance[:, None] - exact).max(axis=2).min(axis=1)
    assert closest.max() < 1e-12


def test_pairs_dealt_out_never_hold_a_row_twice():
    groups = Groups.of(np.zeros(5, dtype=int), 1)
    rows = groups.draw_rows(
        np.zeros(1000, dtype=int), 2, np.random.default_rng(0), Drawing(replacement=False)
    )
    assert (rows[:, 0] != rows[:, 1]).all()
    assert_allclose(np.bincount(rows.ravel()) / 2000, np.full(5, 0.2), atol=0.03)


def test_joint_groups_are_those_of_the_rows_that_agree_in_every_column():
    rng = np.random.default_rng(6)
    columns = [rng.integers(3, size=60), rng.integers(4, size=60), rng.integers(2, size=60)]
    groups = pairing.joint_groups(columns, [3, 4, 2])
    table = np.column_stack(columns)
    distinct = np.unique(table, axis=0)
    assert len(groups.size) == len(distinct)
    found = {frozenset(groups.rows(value).tolist()) for value in range(len(distinct))}
    assert found == {frozenset(np.flatnonzero((table == row).all(axis=1)).tolist()) for row in distinct}


def test_mean_distances_of_pairs_match_the_definition(monkeypatch):
    codes = np.repeat([0, 1], 1000)
    latents = np.column_stack([codes, np.tile([0.0, 1.0], 1000)])
    monkeypatch.setattr(pairing, "DRAWS", 1000)  # several parts
    groups = [Groups.of(codes, 2), Groups.of(np.zeros(2000, dtype=int), 1)]
    factors = np.repeat([0, 1], 200)
    distance = pairing.mean_pair_distances(latents, groups, factors, 50, np.random.default_rng(7))
    assert (distance[:200, 0] == 0).all()
    assert_allclose(distance[:200, 1].mean(), 0.5, atol=0.02)
    assert_allclose(distance[200:].mean(axis=0), [0.5, 0.5], atol=0.02)


def test_the_root_of_the_scatter_matrix_in_chunks(monkeypatch):
    columns = np.random.default_rng(8).normal(size=(100, 3)).astype(np.float32) @ np.ones((3, 3)) + 5
    monkeypatch.setattr(correlation, "chunks", lambda rows: binning.chunks(rows, 7))
    root = correlation.scatter_root(columns, np.array([False, True, False]))
    centred = columns.astype(np.float64) - columns.mean(axis=0, dtype=np.float64)
    centred[:, 1] = 0
    assert_allclose(root.T @ root, centred.T @ centred, atol=1e-9)
    assert_allclose(np.tril(root, -1), 0)


def test_ranks_share_ties():
    assert correlation.ranks(np.array([[3.0, 1], [1, 1], [3, 0]])).tolist() == [
        [2.5, 2.5],
        [1, 2.5],
        [2.5, 1],
    ]
