"""WSEPIN, WINDIN, dHSIC and OMES by hand, and their edge decisions."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

import disentangle_metrics as dm
from tests.grids import code, full_grid, posterior, reason

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

LOG3, LOG4 = math.log(3), math.log(4)
V = full_grid(4, 3, times=5)
A, B = V.T.astype(float)
DEAD = np.zeros(len(V))


def two_values(distance):
    """Nats that a normal of deviation 1 tells of which of two means, so far apart, it has."""
    x, w = np.polynomial.hermite_e.hermegauss(80)
    return math.log(2) - w @ np.log1p(np.exp(distance * x - distance**2 / 2)) / w.sum()


def all_at_once(kernel):
    """dHSIC of a table (N, N, D) of kernel values."""
    joint, marginals = kernel.prod(axis=2).mean(), kernel.mean(axis=(0, 1)).prod()
    return joint + marginals - 2 * kernel.mean(axis=1).prod(axis=1).mean()


class TestWsepin:
    def test_independent_latents_keep_their_informativeness(self):
        report = dm.wsepin(posterior(A, B), samples=200)
        for score in report.values():
            assert_allclose(score.per_latent, [LOG4, LOG3], atol=1e-5)
            assert score.value == pytest.approx((LOG4**2 + LOG3**2) / (LOG4 + LOG3), abs=1e-5)

    def test_copies_have_nothing_of_their_own(self):
        for score in dm.wsepin(posterior(A, A, B), samples=200).values():
            assert_allclose(score.per_latent, [0, 0, LOG3], atol=1e-5)
            assert score.value == pytest.approx(LOG3**2 / (2 * LOG4 + LOG3), abs=1e-5)

    def test_two_noisy_latents_of_one_bit(self):
        # Together they are one latent with means sqrt(2) times as far apart.
        v, distance = np.tile([0.0, 1.0], 20), 1.5
        report = dm.wsepin(posterior(distance * v, distance * v, deviation=1.0), samples=20_000)
        alone, both = two_values(distance), two_values(distance * math.sqrt(2))
        for score in report.values():
            assert score.details["informativeness"].iloc[0] == pytest.approx(alone, abs=1e-4)
            assert 0 < score.details["standard_error"] < 0.01
            assert abs(score.value - (both - alone)) < 4 * score.details["standard_error"]

    def test_one_latent(self):
        for score in dm.wsepin(posterior(A), samples=200).values():
            assert score.value == pytest.approx(LOG4, abs=1e-5)

    def test_a_code_that_knows_nothing(self):
        report = dm.wsepin(posterior(DEAD, DEAD, deviation=1.0), samples=200)
        assert [score.value for score in report.values()] == [0, 0]

    def test_dead_latents_weigh_nothing(self):
        mean, logvar = code(A, B, DEAD), np.tile([-14.0, -14.0, 0.0], (len(A), 1))
        report = dm.wsepin(dm.GaussianPosterior(mean, logvar), samples=200)
        assert report["wsepin"].value == pytest.approx((LOG4**2 + LOG3**2) / (LOG4 + LOG3), abs=1e-5)

    def test_plain_arrays_have_none(self):
        assert "needs posteriors" in reason("wsepin", code(A, B), None)

    def test_max_rows_limits_what_can_be_known(self):
        many = posterior(np.arange(400.0))
        assert dm.wsepin(many, samples=50, max_rows=100)["wsepin"].value == pytest.approx(
            math.log(100), abs=1e-4
        )

    def test_two_samples_are_the_fewest(self):
        assert dm.wsepin(posterior(A, B), samples=2)["wsepin"].value > 0

    @pytest.mark.parametrize("samples", [1, 2.5, True, "9"])
    def test_samples_are_checked(self, samples):
        with pytest.raises(dm.InputError, match="`samples` must be a whole number of at least 2"):
            dm.wsepin(posterior(A, B), samples=samples)


class TestDhsic:
    # All pairs of two bits, twice. Their median distance is 1, so that the kernel is 1 or q = 1/e.
    ONE, TWO = np.tile([[0, 0, 1, 1], [0, 1, 0, 1]], 2)
    Q = math.exp(-1)

    def test_independent_latents_have_none(self):
        assert dm.dhsic(code(self.ONE, self.TWO)).value == pytest.approx(0, abs=1e-15)

    def test_copies(self):
        # (1 + q^2) / 2 + m^2 - 2 m^2 with m = (1 + q) / 2.
        assert dm.dhsic(code(self.ONE, self.ONE)).value == pytest.approx((1 - self.Q) ** 2 / 4)

    def test_it_sees_what_no_pair_shows(self):
        # The third is the parity of the others. With signs s the kernel is m + c s s', c = (1 - q) / 2, and
        # of the three factors' product only c^3 is left beside m^3.
        latents = code(self.ONE, self.TWO, self.ONE ^ self.TWO)
        assert dm.dhsic(latents).value == pytest.approx(((1 - self.Q) / 2) ** 3)
        assert dm.mean_pairwise_mi(latents, bins=2).value == 0

    def test_the_exponential_kernel(self):
        # Half of all 64 distances are 0, half are 1, so m = 1/2 and the kernel of 1 is exp(-4).
        assert dm.dhsic(code(self.ONE, self.ONE), kernel="exponential").value == pytest.approx(
            (1 - math.exp(-4)) ** 2 / 4
        )

    @pytest.mark.parametrize("kernel", ["gaussian", "exponential"])
    def test_against_all_pairs_at_once(self, kernel):
        rng = np.random.default_rng(0)
        first = rng.normal(size=51)
        latents = np.column_stack([first, first**2 + rng.normal(size=51), rng.exponential(size=51)])
        distance = np.abs(latents[:, None] - latents[None])
        if kernel == "gaussian":
            middle = np.median(distance[np.triu_indices(51, 1)], axis=0)
            table = np.exp(-((distance / middle) ** 2))
        else:
            table = np.exp(-distance / np.median(distance, axis=(0, 1)) ** 2)
        assert dm.dhsic(latents, kernel=kernel).value == pytest.approx(all_at_once(table), abs=1e-12)

    def test_of_two_middle_distances_the_smaller_scales(self):
        # Distances 1, 2, 3, 4, 6 and 7 of four rows.
        places = np.array([0.0, 1, 3, 7])
        table = np.exp(-(((places[:, None] - places) / 3) ** 2))
        copies = np.stack([table, table], axis=2)
        assert dm.dhsic(code(places, places)).value == pytest.approx(all_at_once(copies), abs=1e-12)

    def test_a_latent_of_which_most_values_are_equal(self):
        # One row of eight stands out: its median distance is 0, so that the others' median scales it.
        rare = np.arange(8) == 3
        table = np.stack(
            [np.where(bit[:, None] == bit, 1, self.Q) for bit in (rare, self.ONE.astype(bool))], axis=2
        )
        assert dm.dhsic(code(100 * rare, self.ONE)).value == pytest.approx(all_at_once(table), abs=1e-12)

    def test_a_latent_of_which_half_of_the_distances_are_0(self):
        # Three of six: the median is taken of the other three, which are 5.
        once, grid = np.array([0.0, 0, 0, 5]), np.array([0.0, 1, 0, 1])
        table = np.stack([np.where(column[:, None] == column, 1, self.Q) for column in (once, grid)], axis=2)
        assert dm.dhsic(code(once, grid)).value == pytest.approx(all_at_once(table), abs=1e-12)

    def test_constant_latents_change_nothing(self):
        assert dm.dhsic(code(self.ONE, np.ones(8), self.ONE)).value == pytest.approx((1 - self.Q) ** 2 / 4)
        assert "two latents that are not constant, got 1" in reason("dhsic", code(self.ONE, np.ones(8)), None)

    def test_too_few_rows(self):
        assert "twice as many rows as latents" in reason("dhsic", np.eye(5), None)

    def test_the_seed_chooses_the_rows(self):
        latents = np.random.default_rng(0).normal(size=(300, 2))
        values = [dm.dhsic(latents, max_rows=100, seed=seed).value for seed in (0, 0, 1)]
        assert values[0] == values[1] != values[2]
        assert "seed:1" in dm.dhsic(latents, seed=1).signature


class TestOmes:
    def test_a_perfect_code(self):
        # Two different values of n correlate by -1 / (n - 1): S is 2/3 for A's four and 1/2 for B's three.
        score = dm.omes(code(A, B), V)
        assert_allclose(score.details["response"], [[2 / 3, 0], [0, 1 / 2]], atol=1e-12)
        a, b = 2 / 3 * (1 - 1 / 3 / 2), 1 / 2 * (1 - 1 / 2 / 2)
        assert_allclose(score.details["overlap"], [a, b])
        assert_allclose(score.details["multiple_encoding"], [a, b])
        assert score.value == pytest.approx((a + b) / 2)

    def test_a_copy_lowers_multiple_encoding_only(self):
        score = dm.omes(code(A, A, B), V)
        a, b = 2 / 3 * (1 - 1 / 3 / 2), 1 / 2 * (1 - 1 / 2 / 2)
        assert_allclose(score.details["overlap"], [a, b])
        copied, alone = 2 / 3 * (1 - (1 / 3 + 2 / 3) / 3), 1 / 2 * (1 - 1 / 2 / 3)
        assert_allclose(score.details["multiple_encoding"], [copied, alone])

    def test_two_values_cannot_be_seen(self):
        assert dm.omes(code(A >= 2, B), np.column_stack([A >= 2, B])).per_factor.iloc[0] == pytest.approx(0)

    def test_dead_latents_are_left_out(self):
        assert dm.omes(code(DEAD, A, B), V).value == pytest.approx(dm.omes(code(A, B), V).value)

    @pytest.mark.parametrize("pooling", ["max", "mean"])
    @pytest.mark.parametrize("alpha", [0.5, 0.9])
    def test_against_every_pair(self, pooling, alpha):
        rng = np.random.default_rng(3)
        grid = np.array(list(itertools.product(range(2), range(3), range(4))))
        factors = np.repeat(grid, rng.integers(1, 4, size=len(grid)), axis=0)
        latents = factors @ rng.normal(size=(3, 4)) + rng.normal(size=(len(factors), 4))
        response = np.empty((4, 3))
        for k in range(3):
            first, second, weight = [], [], []
            for i, j in itertools.permutations(range(len(factors)), 2):
                if np.flatnonzero(factors[i] != factors[j]).tolist() == [k]:
                    first.append(latents[i])
                    second.append(latents[j])
                    sizes = [(factors == factors[row]).all(axis=1).sum() for row in (i, j)]
                    weight.append(1 / (sizes[0] * sizes[1]))
            for latent in range(4):
                pair = np.array([np.array(first)[:, latent], np.array(second)[:, latent]])
                covariance = np.cov(pair, aweights=weight)
                response[latent, k] = 1 - abs(covariance[0, 1]) / math.sqrt(
                    covariance[0, 0] * covariance[1, 1]
                )
        per_factor = []
        for k in range(3):
            overlap = [1 - np.abs(np.eye(3)[k] - response[j]).mean() for j in range(4)]
            multiple = [1 - np.abs(np.eye(4)[j] - response[:, k]).mean() for j in range(4)]
            parts = [np.array(part) * response[:, k] for part in (overlap, multiple)]
            weights = response[:, k]
            best = [p.max() if pooling == "max" else np.average(p, weights=weights) for p in parts]
            per_factor.append(alpha * best[0] + (1 - alpha) * best[1])
        score = dm.omes(latents, factors, alpha=alpha, pooling=pooling)
        assert_allclose(score.per_factor, per_factor, atol=1e-12)

    def test_factors_that_never_change_alone_are_left_out(self):
        score = dm.omes(code(A, B), np.column_stack([V, V[:, 0]]))
        assert np.isnan(score.per_factor).tolist() == [True, False, True]
        assert sum("no two rows differ in it alone" in text for text in score.warnings) == 2
        assert "no two rows differ in one factor alone" in reason("omes", code(A, B), V[:, [0, 0]])

    def test_one_factor(self):
        assert "two factors" in reason("omes", code(A), V[:, :1])
