"""Information of joint latents by sampling: against exact information, sums by hand, and quadrature."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from disentangle_metrics.estimators.counts import joint_information as module
from disentangle_metrics.estimators.counts.joint_information import joint_information
from disentangle_metrics.estimators.posteriors.quadrature import posterior_information

RNG = np.random.default_rng(0)
CODES = [RNG.choice(3, size=60, p=[0.6, 0.3, 0.1]), RNG.integers(4, size=60)]
MEAN = np.column_stack([CODES[0] + 0.3 * RNG.normal(size=60), CODES[0] + CODES[1], RNG.normal(size=60)])
LOGVAR = np.log(RNG.uniform(0.2, 1.0, size=MEAN.shape)) * 2


def found(samples=300, mean=MEAN, logvar=LOGVAR, codes=CODES, seed=0):
    return joint_information(mean, logvar, codes, samples, np.random.default_rng(seed))


def parts(information):
    return information.single, information.others, information.together


def by_hand(samples, seed=0):
    """The same points, and every density written out from the normal's formula."""
    rng = np.random.default_rng(seed)
    rows = len(MEAN)
    owner = np.concatenate([rng.permutation(rows) for _ in range(-(-samples // rows))])[:samples]
    deviation = np.exp(LOGVAR / 2)
    points = MEAN[owner] + deviation[owner] * rng.standard_normal((samples, 3))
    sets = [[0], [1], [2], [1, 2], [0, 2], [0, 1], [0, 1, 2]]
    total = np.zeros((len(sets), len(CODES)))
    for z, own in zip(points, owner, strict=True):
        density = np.exp(-(((z - MEAN) / deviation) ** 2) / 2) / (deviation * math.sqrt(2 * math.pi))
        for s, chosen in enumerate(sets):
            joint = density[:, chosen].prod(axis=1)
            for k, code in enumerate(CODES):
                total[s, k] += math.log(joint[code == code[own]].mean() / joint.mean())
    total /= samples
    return total[:3], total[3:6], total[6]


def test_is_the_mean_of_log_ratios_of_mixtures_written_out():
    for ours, theirs in zip(parts(found(150)), by_hand(150), strict=True):
        assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


def test_single_latents_agree_with_the_quadrature():
    exact = posterior_information(MEAN, LOGVAR, CODES, [3, 4]).mutual_information
    # A ratio's logarithm has a deviation of about 0.7: over sqrt(20,000), 0.005.
    assert_allclose(found(20_000).single, exact, atol=0.02)


def test_two_latents_agree_with_a_grid():
    # Two means at (0, 0) and (1, 1) with deviation 1 lie sqrt(2) apart along one line.
    code = np.tile([0, 1], 30)
    mean, d = np.repeat(code[:, None].astype(float), 2, axis=1), math.sqrt(2)
    x, w = np.polynomial.hermite_e.hermegauss(80)
    exact = math.log(2) - w @ np.log1p(np.exp(d * x - d**2 / 2)) / w.sum()
    assert found(20_000, mean, 0 * mean, [code]).together == pytest.approx(exact, abs=0.015)


def test_narrow_posteriors_at_separate_places_are_exact():
    a, b = (grid.reshape(-1) for grid in np.meshgrid(np.arange(4), np.arange(3), indexing="ij"))
    for logvar in (-14.0, -80.0, -500.0):
        mean = np.column_stack([a, b, a >= 2]).astype(float)
        exact = found(24, mean, np.full(mean.shape, logvar), [a, b])
        log4, log3, log2 = math.log(4), math.log(3), math.log(2)
        assert_allclose(exact.single, [[log4, 0], [0, log3], [log2, 0]], atol=1e-12)
        assert_allclose(exact.others, [[log2, log3], [log4, 0], [log4, log3]], atol=1e-12)
        assert_allclose(exact.together, [log4, log3], atol=1e-12)


def test_widths_of_many_orders_of_magnitude_stay_finite():
    # A wide row's points lie far from narrow rows, and a narrow row's are dense beyond a double's range.
    logvar = np.where(np.arange(60)[:, None] % 2, 40.0, -250.0) * np.ones((60, 8))
    mean = np.zeros((60, 8))
    code = np.arange(60) % 2
    widths = found(120, mean, logvar, [code])
    for values in (widths.single, widths.others, widths.together):
        assert_allclose(values, math.log(2), atol=1e-9)


def test_the_other_latents_survive_one_that_is_far_off():
    # One latent's log-density is 1e20 times the other's, and would leave no digit of it in a difference.
    code = np.tile([0, 1, 2], 20)
    mean = np.column_stack([1e6 * np.arange(60), code])
    logvar = np.column_stack([np.full(60, -30.0), np.zeros(60)])
    both, alone = found(600, mean, logvar, [code]), found(600, mean[:, 1:], logvar[:, 1:], [code])
    assert both.others[0] == pytest.approx(alone.single[0], abs=0.1)
    assert both.others[0] == pytest.approx(both.single[1], abs=1e-12)
    assert both.others[1] == pytest.approx(math.log(3))


def test_one_latent_has_no_others():
    one = found(100, MEAN[:, :1], LOGVAR[:, :1])
    assert_allclose(one.others, 0, atol=1e-12)
    assert_array_equal(one.single[0], one.together)


def test_blocks_of_rows_and_points_change_nothing_but_rounding(monkeypatch):
    first = found()
    assert_array_equal(first.others, found().others)
    assert (first.others != found(seed=1).others).any()
    for rows, elements in ((7, 1), (64, 10_000)):
        monkeypatch.setattr(module, "ROWS", rows)
        monkeypatch.setattr(module, "ELEMENTS", elements)
        for ours, theirs in zip(parts(found()), parts(first), strict=True):
            assert_allclose(ours, theirs, rtol=0, atol=1e-12)


def test_rows_are_drawn_alike():
    # 120 points of 60 rows are two of each, so that every value weighs as it occurs, to the last digit.
    mean = np.column_stack([CODES[0]]).astype(float)
    exact = found(120, mean, np.full(mean.shape, -20.0), CODES[:1]).single[0, 0]
    counts = np.bincount(CODES[0]) / 60
    assert exact == pytest.approx(-(counts @ np.log(counts)), abs=1e-12)


def test_a_row_that_nobody_shares_its_place_with_is_alone():
    a, b = (grid.reshape(-1).astype(float) for grid in np.meshgrid(np.arange(4), np.arange(2), indexing="ij"))
    narrow = np.full((8, 3), -20.0)
    # Without the third latent a and b still tell all rows apart; without b two rows share each place.
    assert found(8, np.column_stack([a, b, 0 * a]), narrow, [a.astype(int)]).alone.tolist() == [0, 0, 1]


def test_points_that_round_to_their_mean_stay_finite():
    # The wide rows' points are no more than their mean, where the narrow rows are exp(750) times denser.
    logvar = np.where(np.arange(60)[:, None] % 2, -100.0, -150.0) * np.ones((60, 30))
    rounded = found(60, np.full((60, 30), 1e6), logvar, [np.arange(60) % 2])
    assert all(np.isfinite(values).all() for values in parts(rounded))
