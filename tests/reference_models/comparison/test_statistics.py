"""The tests and intervals between two groups of runs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from reference_models.comparison.statistics import (
    adjusted_difference,
    basic_interval,
    hedges_g,
    holm,
    permutation_p,
    resampled,
    stratified_difference,
)

TWO_GROUPS = np.repeat([True, False], 5)
ONE_STRATUM = np.zeros(10, int)


def test_the_exact_test_agrees_with_scipy():
    values = np.random.default_rng(3).normal(size=10) + 0.8 * TWO_GROUPS
    expected = stats.permutation_test(
        (values[TWO_GROUPS], values[~TWO_GROUPS]),
        lambda a, b: a.mean() - b.mean(),
        n_resamples=np.inf,
        alternative="two-sided",
    )
    found = permutation_p(values, TWO_GROUPS, ONE_STRATUM, np.random.default_rng(0))
    # Ours counts every labelling at least as extreme; scipy doubles the smaller tail.
    assert found == pytest.approx(expected.pvalue, abs=1e-12)


def test_groups_apart_in_every_stratum_have_the_smallest_p_there_can_be():
    values = np.concatenate([np.arange(10.0) + 100 * TWO_GROUPS + 1000 * stratum for stratum in range(3)])
    proposed, strata = np.tile(TWO_GROUPS, 3), np.repeat([0, 1, 2], 10)
    assert permutation_p(values[:10], TWO_GROUPS, ONE_STRATUM, np.random.default_rng(0)) == 2 / 252
    assert permutation_p(values, proposed, strata, np.random.default_rng(0)) < 2e-4


def test_p_is_uniform_where_there_is_no_difference():
    """A stratum's level must not count as a difference of the groups, nor hide one."""
    rng = np.random.default_rng(5)
    proposed, strata = np.tile(TWO_GROUPS, 2), np.repeat([0, 1], 10)
    p = [permutation_p(rng.normal(size=20) + 50 * strata, proposed, strata, rng) for _ in range(200)]
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_the_difference_is_the_mean_of_the_strata_s():
    values = np.array([1.0, 3.0, 0.0, 10.0, 20.0, 5.0])
    proposed = np.array([True, True, False, True, False, False])
    strata = np.array([0, 0, 0, 1, 1, 1])
    assert stratified_difference(values, proposed, strata) == pytest.approx(((2 - 0) + (10 - 12.5)) / 2)


def test_hedges_g_by_hand():
    values = np.array([1.0, 3.0, 5.0, 2.0, 2.0, 5.0])
    proposed = np.array([True, True, True, False, False, False])
    pooled = np.sqrt((8 + 6) / 4)
    assert hedges_g(values, proposed, np.zeros(6, int), 0.0) == 0
    assert hedges_g(values, proposed, np.zeros(6, int), 1.0) == pytest.approx(1 / pooled * (1 - 3 / 15))


def test_the_adjusted_difference_takes_out_what_the_reconstruction_explains():
    errors = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    values = 0.5 * errors + 0.25 * TWO_GROUPS
    assert adjusted_difference(values, errors, TWO_GROUPS) == pytest.approx(0.25)
    assert stratified_difference(values, TWO_GROUPS, ONE_STRATUM) == pytest.approx(0.25 - 2.5)


def test_resampling_keeps_the_number_of_runs_in_every_cell():
    proposed, strata = np.tile(TWO_GROUPS, 2), np.repeat([0, 1], 10)
    drawn = resampled(proposed, strata, 50, np.random.default_rng(0))
    cells = strata * 2 + proposed
    np.testing.assert_array_equal(cells[drawn], np.tile(cells, (50, 1)))
    assert all(len(set(rows)) < len(rows) for rows in drawn.tolist())


def test_many_samples_give_what_each_gives_alone():
    rng = np.random.default_rng(2)
    proposed, strata = np.tile(TWO_GROUPS, 2), np.repeat([0, 1], 10)
    values, errors = rng.normal(size=(2, 20))
    drawn = resampled(proposed, strata, 5, rng)
    together = stratified_difference(values[drawn], proposed, strata)
    adjusted = adjusted_difference(values[drawn], errors[drawn], proposed)
    for rows, plain, other in zip(drawn, together, adjusted, strict=True):
        assert plain == pytest.approx(float(stratified_difference(values[rows], proposed, strata)))
        design = np.column_stack([np.ones(20), proposed, errors[rows]])
        assert other == pytest.approx(np.linalg.lstsq(design, values[rows], rcond=None)[0][1])


def test_the_basic_interval_reflects_the_replicates():
    assert basic_interval(1.0, np.linspace(1.0, 2.0, 1001)) == pytest.approx((0.025, 0.975))


def test_holm_by_hand():
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_never_helps_and_keeps_the_order(p):
    corrected = holm(np.array(p))
    assert (corrected >= np.array(p)).all()
    assert corrected.max() <= 1
    assert (np.diff(corrected[np.argsort(p)]) >= 0).all()


def test_a_sample_without_spread_has_no_adjusted_difference():
    proposed = np.array([True, True, False, False])
    errors = np.array([[1.0, 1.0, 2.0, 2.0], [1.0, 2.0, 1.0, 3.0]])
    found = adjusted_difference(np.array([[1.0, 1.0, 0.0, 0.0]] * 2), errors, proposed)
    assert np.isnan(found[0])
    assert np.isfinite(found[1])
    assert basic_interval(1.0, np.array([0.9, np.nan, 1.1])) == pytest.approx((0.905, 1.095))
