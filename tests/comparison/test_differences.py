"""The interval and the p of a difference, against scipy, published examples and sums by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from disentangle_metrics.comparison.differences import NoInterval, of_resamples, of_runs, of_votes
from disentangle_metrics.metrics.definition import VoteCount
from disentangle_metrics.scoring.evidence import Resampled

RNG = np.random.default_rng(0)
FIRST, SECOND = RNG.normal(0.4, 0.05, 7), RNG.normal(0.45, 0.08, 7)


def kept(*scores: float, probes: bool = False) -> Resampled:
    return Resampled("bootstrap", probes, scores)


def test_paired_runs_are_a_paired_t_test():
    expected = stats.ttest_rel(SECOND, FIRST)
    found = of_runs(FIRST, SECOND, 0.9, paired=True)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-12)
    interval = expected.confidence_interval(0.9)
    assert found.interval == pytest.approx((interval.low, interval.high), rel=1e-12)
    assert found.corrected == pytest.approx(SECOND.mean() - FIRST.mean())
    assert (found.method, found.count) == ("paired runs", 14)


def test_runs_without_pairs_are_welchs_test():
    expected = stats.ttest_ind(SECOND, FIRST[:4], equal_var=False)
    found = of_runs(FIRST[:4], SECOND, 0.95, paired=False)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-12)
    interval = expected.confidence_interval(0.95)
    assert found.interval == pytest.approx((interval.low, interval.high), rel=1e-12)
    assert (found.method, found.count) == ("runs", 11)


def test_a_run_without_a_value_costs_its_pair():
    first = [*FIRST, math.nan, 0.3]
    second = [*SECOND, 0.4, math.nan]
    assert of_runs(first, second, 0.95, paired=True) == of_runs(FIRST, SECOND, 0.95, paired=True)


@pytest.mark.parametrize("paired", [True, False])
def test_two_runs_are_too_few(paired):
    with pytest.raises(NoInterval, match="at least 3"):
        of_runs([0.1, 0.2], [0.3, 0.4], 0.95, paired=paired)


def test_votes_have_newcombes_interval():
    # Newcombe 1998, table II, method 10: 56/70 - 48/80.
    found = of_votes((VoteCount(48, 80), VoteCount(56, 70)), 0.95)
    assert found.corrected == pytest.approx(0.2)
    assert found.interval == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert found.p == pytest.approx(stats.chi2_contingency([[48, 32], [56, 14]], correction=False).pvalue)
    assert (found.method, found.count) == ("votes", 150)


def test_votes_of_a_rescaled_score_are_on_its_scale():
    plain = of_votes((VoteCount(48, 80), VoteCount(56, 70)), 0.95)
    found = of_votes((VoteCount(48, 80, 0.2), VoteCount(56, 70, 0.2)), 0.95)
    assert found.corrected == pytest.approx(0.2 / 0.8)
    assert found.interval == pytest.approx([end / 0.8 for end in plain.interval])
    assert found.p == plain.p
    with pytest.raises(NoInterval, match="other scales"):
        of_votes((VoteCount(48, 80, 0.2), VoteCount(56, 70, 0.25)), 0.95)


def test_votes_that_are_all_right_do_not_differ():
    found = of_votes((VoteCount(80, 80), VoteCount(50, 50)), 0.95)
    assert found.p == 1.0
    assert found.interval[0] < 0 < found.interval[1]


def test_paired_resamples_by_hand():
    # d* = 0.1, 0.3, 0.2, 0.4: mean 0.25, variance 0.05/3. d = 0.3, less its bias -0.05: 0.35.
    first, second = kept(0.5, 0.5, 0.4, 0.4), kept(0.6, 0.8, 0.6, 0.8)
    found = of_resamples((0.5, 0.8), (first, second), 0.95, paired=True)
    error = math.sqrt(0.05 / 3 * 1.25)
    assert found.corrected == pytest.approx(0.35)
    assert found.interval == pytest.approx(stats.t(3, 0.35, error).interval(0.95))
    assert found.p == pytest.approx(2 * stats.t.sf(0.35 / error, 3))
    assert (found.method, found.count) == ("same rows", 4)


def test_the_difference_of_probes_is_not_reflected():
    pair = kept(0.5, 0.5, 0.4, 0.4, probes=True), kept(0.6, 0.8, 0.6, 0.8, probes=True)
    found = of_resamples((0.5, 0.8), pair, 0.95, paired=True)
    assert found.corrected == pytest.approx(0.3)
    assert np.ptp(found.interval) == pytest.approx(2 * stats.t.ppf(0.975, 3) * math.sqrt(0.05 / 3 * 1.25))


def test_other_rows_scatter_apart():
    # Variances 0.01/3 and 0.04/3, each with 1/4 more; biases -0.05 and -0.1 are taken off: 0.9 - 0.55.
    first, second = kept(0.5, 0.5, 0.4, 0.4), kept(0.6, 0.8, 0.6, 0.8)
    found = of_resamples((0.5, 0.8), (first, second), 0.95, paired=False)
    one, other = 0.01 / 3 * 1.25, 0.04 / 3 * 1.25
    freedom = (one + other) ** 2 / ((one**2 + other**2) / 3)
    assert found.corrected == pytest.approx(0.9 - 0.55)
    assert found.interval == pytest.approx(stats.t(freedom, 0.35, math.sqrt(one + other)).interval(0.95))
    assert found.method == "other rows"


def test_pairing_helps_where_rows_move_both_scores():
    rows = RNG.normal(0, 0.05, 200)
    first = kept(*(0.5 + rows))
    second = kept(*(0.52 + rows + RNG.normal(0, 0.005, 200)))
    together = of_resamples((0.5, 0.52), (first, second), 0.95, paired=True)
    apart = of_resamples((0.5, 0.52), (first, second), 0.95, paired=False)
    assert together.p < 0.001 < 0.5 < apart.p
    assert np.ptp(together.interval) < np.ptp(apart.interval) / 5


def test_more_resamples_of_one_are_left_out():
    long, short = kept(0.5, 0.5, 0.4, 0.4, 0.9), kept(0.6, 0.8, 0.6, 0.8)
    expected = of_resamples((0.5, 0.8), (kept(0.5, 0.5, 0.4, 0.4), short), 0.95, paired=True)
    assert of_resamples((0.5, 0.8), (long, short), 0.95, paired=True) == expected


def test_what_does_not_scatter_has_no_interval():
    same = kept(0.5, 0.6, 0.7)
    with pytest.raises(NoInterval, match="the same each time"):
        of_resamples((0.5, 0.5), (same, same), 0.95, paired=True)
    with pytest.raises(NoInterval, match="the same each time"):
        of_runs([0.5, 0.5, 0.5], [0.6, 0.6, 0.6], 0.95, paired=False)
    with pytest.raises(NoInterval, match="fewer than two resamples"):
        of_resamples((0.5, 0.5), (same, kept(math.nan, math.nan, 0.5)), 0.95, paired=True)


def test_the_difference_of_probes_on_other_rows_is_not_reflected():
    pair = kept(0.5, 0.5, 0.4, 0.4, probes=True), kept(0.6, 0.8, 0.6, 0.8, probes=True)
    assert of_resamples((0.5, 0.8), pair, 0.95, paired=False).corrected == pytest.approx(0.3)


def test_resamples_without_a_value_are_left_out_on_other_rows_too():
    first, second = kept(0.5, 0.5, 0.4, 0.4), kept(0.6, 0.8, 0.6, 0.8)
    holey = kept(0.5, math.nan, 0.5, 0.4, 0.4)
    expected = of_resamples((0.5, 0.8), (first, second), 0.95, paired=False)
    assert of_resamples((0.5, 0.8), (holey, second), 0.95, paired=False) == expected
