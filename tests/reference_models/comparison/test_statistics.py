"""The tests and intervals between two groups of runs."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from scipy import stats

from reference_models.comparison import statistics
from reference_models.comparison.statistics import (
    equal_error_difference,
    hedges_g,
    influences,
    permutation_p,
    shared_range,
    sign_flip_p,
    stratified_difference,
    student,
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
    assert permutation_p(values, proposed, strata, np.random.default_rng(0)) == pytest.approx(2 / 252**3)


@pytest.mark.parametrize("sizes", [(2, 2), (3, 2, 4), (2, 3, 2, 2)])
def test_all_labellings_of_several_strata_are_counted(sizes):
    strata = np.repeat(np.arange(len(sizes)), [2 * size for size in sizes])
    proposed = np.concatenate([np.repeat([True, False], size) for size in sizes])
    values = np.random.default_rng(2).normal(size=len(strata)) + 0.5 * proposed
    ways = [
        [np.isin(np.arange(2 * size), chosen) for chosen in combinations(range(2 * size), size)]
        for size in sizes
    ]
    sums = [stratified_difference(values, np.concatenate(labels), strata) for labels in product(*ways)]
    extreme = np.abs(sums) >= abs(stratified_difference(values, proposed, strata)) - 1e-12
    found = permutation_p(values, proposed, strata, np.random.default_rng(0))
    assert found == pytest.approx(extreme.mean(), abs=1e-12)


def test_runs_that_do_not_differ_have_p_of_one():
    assert permutation_p(np.ones(10), TWO_GROUPS, ONE_STRATUM, np.random.default_rng(0)) == 1


@pytest.mark.parametrize("exact", [statistics.EXACT, 0])
def test_p_is_uniform_where_there_is_no_difference(monkeypatch, exact):
    """A stratum's level must not count as a difference of the groups, nor hide one."""
    monkeypatch.setattr(statistics, "EXACT", exact)
    monkeypatch.setattr(statistics, "PERMUTATIONS", 2_000)
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


def test_runs_that_tie_have_no_hedges_g():
    """Their mean, and so their deviations from it, are off by rounding."""
    proposed, one_stratum = np.array([False, False, False, True, True, True]), np.zeros(6, int)
    for low, high in ((0.7, 0.9), (0.1, 0.3), (0.0, 1.0), (0.9, 0.9)):
        values = np.array([low, low, low, high, high, high])
        assert np.isnan(hedges_g(values, proposed, one_stratum, high - low))


THREE_STRATA = np.tile(TWO_GROUPS, 3), np.repeat([0, 1, 2], 10)


def test_at_one_beta_the_interval_is_welch_s():
    rng = np.random.default_rng(1)
    values = rng.normal(size=10) * np.where(TWO_GROUPS, 1.0, 3.0) + TWO_GROUPS
    expected = stats.ttest_ind(values[TWO_GROUPS], values[~TWO_GROUPS], equal_var=False)
    groups = TWO_GROUPS, ONE_STRATUM
    low, high, p = student(stratified_difference(values, *groups), influences(values, *groups), *groups)
    assert (low, high) == pytest.approx(tuple(expected.confidence_interval()))
    assert p == pytest.approx(expected.pvalue)


def curves(errors, scores):
    """Runs (30,) whose cell means lie on two curves: errors and scores (2 groups, 3 strata), the other first."""
    proposed, strata = THREE_STRATA
    around = np.tile([-2.0, -1, 0, 1, 2], 6)
    cell = proposed.astype(int), strata
    return np.array(scores, float)[cell] + 0.01 * around, np.array(errors, float)[cell] + 0.1 * around


def test_curves_are_compared_where_both_have_errors():
    # The other: 0 at error 10, 1 at 20, 1 at 30. The proposed: 2 from 15 to 25, then up to 4 at 35.
    values, errors = curves([[10, 20, 30], [15, 25, 35]], [[0, 1, 1], [2, 2, 4]])
    found, _ = equal_error_difference(values, errors, *THREE_STRATA)
    # 15 to 20: 1.5 falls to 1; 20 to 25: 1; 25 to 30: 1 rises to 2.
    assert found == pytest.approx((1.25 + 1 + 1.5) / 3)
    assert shared_range(errors, *THREE_STRATA) == pytest.approx((15, 30))


def test_curves_that_share_no_errors_have_no_difference():
    values, errors = curves([[10, 20, 30], [40, 50, 60]], [[0, 1, 1], [2, 2, 4]])
    found, moved = equal_error_difference(values, errors, *THREE_STRATA)
    assert np.isnan(
        [found, *student(found, moved, *THREE_STRATA), *shared_range(errors, *THREE_STRATA)]
    ).all()
    one = TWO_GROUPS, ONE_STRATUM
    assert np.isnan(equal_error_difference(values[:10], errors[:10], *one)[0])


def test_influences_say_what_moving_a_run_does():
    rng = np.random.default_rng(4)
    values, errors = curves([[10, 20, 30], [13, 24, 35]], [[0, 1, 3], [2, 3, 4]])
    values, errors = values + 0.1 * rng.normal(size=30), errors + rng.normal(size=30)
    estimate, moved = equal_error_difference(values, errors, *THREE_STRATA)
    assert moved.reshape(6, 5).sum(axis=1) == pytest.approx(np.zeros(6), abs=1e-12)
    copies = 10_000  # so many that one run more hardly matters: the slope is what it does to the mean
    for run in (0, 7, 22):
        proposed, strata = (np.concatenate([np.tile(part, copies), [part[run]]]) for part in THREE_STRATA)
        many = [np.concatenate([np.tile(part, copies), [part[run]]]) for part in (values, errors)]
        shifted, _ = equal_error_difference(*many, proposed, strata)
        assert (shifted - estimate) * 5 * copies == pytest.approx(moved[run], rel=1e-2)


def test_intervals_at_equal_error_hold_the_truth():
    rng = np.random.default_rng(0)
    errors = np.array([[10.0, 20, 30], [15, 25, 35]])
    scores = np.array([[0.1, 0.2, 0.3], [0.3, 0.3, 0.6]])
    truth, _ = equal_error_difference(*curves(errors, scores), *THREE_STRATA)
    cell = THREE_STRATA[0].astype(int), THREE_STRATA[1]
    held = []
    for _ in range(200):
        values = scores[cell] + 0.1 * rng.normal(size=30)
        moved_errors = errors[cell] + 2 * rng.normal(size=30)
        estimate, moved = equal_error_difference(values, moved_errors, *THREE_STRATA)
        low, high, _ = student(estimate, moved, *THREE_STRATA)
        held.append(low <= truth <= high)
    assert 0.9 < np.mean(held) < 0.995


def test_the_sign_flip_test_agrees_with_scipy():
    values = np.random.default_rng(6).normal(size=7) + 0.5
    expected = stats.permutation_test((values,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip_p(values) == pytest.approx(expected.pvalue, abs=1e-12)


def test_runs_without_spread_have_no_interval():
    values = 1.0 * TWO_GROUPS
    groups = TWO_GROUPS, ONE_STRATUM
    assert np.isnan(student(1.0, influences(values, *groups), *groups)).all()


def test_p_of_random_relabellings_is_never_0(monkeypatch):
    monkeypatch.setattr(statistics, "EXACT", 0)
    monkeypatch.setattr(statistics, "PERMUTATIONS", 99)
    proposed, strata = THREE_STRATA
    assert (
        permutation_p(np.arange(30.0) + 100 * proposed, proposed, strata, np.random.default_rng(0)) == 1 / 100
    )


def test_curves_are_the_same_whatever_the_order_of_their_errors():
    errors, scores = np.array([[10, 20, 30], [15, 25, 35]]), np.array([[0, 1, 1], [2, 2, 4]])
    order = [2, 0, 1]
    found, _ = equal_error_difference(*curves(errors[:, order], scores[:, order]), *THREE_STRATA)
    assert found == pytest.approx(1.25)


def test_several_strata_by_hand():
    values, _ = curves(
        [[0, 0, 0], [0, 0, 0]], [[0, 10, 20], [1, 11, 21]]
    )  # six cells, each a variance of 0.001 / 4
    low, high, _ = student(1.0, influences(values, *THREE_STRATA), *THREE_STRATA)
    error = np.sqrt(6 * (0.001 / 4 / 5)) / 3
    assert (low, high) == pytest.approx(stats.t(24, 1.0, error).interval(0.95))
    g = hedges_g(values, *THREE_STRATA, 1.0)
    assert g == pytest.approx(1 / np.sqrt(0.001 / 4) * (1 - 3 / (4 * 24 - 1)))
