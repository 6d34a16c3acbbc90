"""Sufficiency, minimality, MED, DMIG, XMIG and DLIG by hand, and their edge decisions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

import disentangle_metrics as dm
from disentangle_metrics.testing import check_metric, order_of_factors, order_of_latents
from tests.grids import code, full_grid, reason

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

LOG2, LOG3 = math.log(2), math.log(3)

V = full_grid(4, 3, times=20)
A, B = V.T.astype(float)
DEAD = np.zeros(len(V))

# Two factors of four values each that share one bit: P is (bit, p) and Q is (bit, q).
BITS = np.tile(np.array(np.meshgrid([0, 1], [0, 1], [0, 1])).reshape(3, -1).T, (10, 1))
SHARED, P, Q = BITS[:, 0], 2 * BITS[:, 0] + BITS[:, 1], 2 * BITS[:, 0] + BITS[:, 2]
W = np.column_stack([P, Q])


class TestSufficiency:
    def test_by_hand(self):
        assert_allclose(dm.sufficiency(code(A, B), V).per_factor, [1, 1])
        assert_allclose(dm.sufficiency(code(A >= 2, A >= 2), V).per_factor, [0.5, 0], atol=1e-12)

    def test_copies_and_merged_factors_cost_nothing(self):
        assert dm.sufficiency(code(A, A, B), V).value == pytest.approx(1)
        assert dm.sufficiency(code(A * 3 + B), V).value == pytest.approx(1)

    def test_a_small_table(self):
        # Counts 3, 1, 1, 3 of eight rows.
        z, v = np.array([0, 0, 0, 0, 1, 1, 1, 1]), np.array([0, 0, 0, 1, 0, 1, 1, 1])
        joint = -(2 * 3 / 8 * math.log(3 / 8) + 2 * 1 / 8 * math.log(1 / 8))
        assert dm.sufficiency(code(z), v[:, None]).value == pytest.approx((2 * LOG2 - joint) / LOG2)
        assert dm.minimality(code(z), v[:, None]).value == pytest.approx((2 * LOG2 - joint) / LOG2)

    def test_nothing_varies(self):
        assert "a factor with more than one value" in reason("sufficiency", code(A), V[:, :1] * 0)


class TestMinimality:
    def test_by_hand(self):
        assert_allclose(dm.minimality(code(A, B), V).per_latent, [1, 1])
        assert dm.minimality(code(A * 3 + B), V).value == pytest.approx(2 * LOG2 / math.log(12))

    def test_a_nuisance_in_the_latent_lowers_it(self):
        # A latent of P's four values that is asked about the shared bit alone: one bit of two.
        assert dm.minimality(code(P), SHARED[:, None]).value == pytest.approx(0.5)

    def test_dependent_factors_cost_nothing(self):
        assert dm.minimality(code(P, Q), W).value == pytest.approx(1)
        assert dm.mig_sup(code(P, Q), W).value == pytest.approx(0.5)

    def test_a_dead_latent_is_left_out_or_counts_zero(self):
        assert dm.minimality(code(DEAD, A, B), V).value == pytest.approx(1)
        assert dm.minimality(code(DEAD, A, B), V, active=None).value == pytest.approx(2 / 3)
        assert reason("minimality", code(DEAD), V) == "no latent is active"

    def test_it_needs_counts(self):
        assert "estimator='histogram'" in reason("minimality", code(A, B), V, estimator="nearest_neighbours")


class TestMed:
    # I = [[log 4, log 3], [log 4, 0]], and in columns that sum to 1: [[1/2, 1], [1/2, 0]].
    MERGED, PURE = A * 3 + B, A
    SPREAD = -(1 / 3 * math.log(1 / 3) + 2 / 3 * math.log(2 / 3)) / LOG2

    def test_by_hand(self):
        score = dm.med(code(self.MERGED, self.PURE), V)
        assert_allclose(score.details["importances"], [[0.5, 1], [0.5, 0]], atol=1e-12)
        assert_allclose(score.per_latent, [1 - self.SPREAD, 1])
        assert score.value == pytest.approx((1.5 * (1 - self.SPREAD) + 0.5) / 2)

    def test_top_takes_the_purest_of_each_factor(self):
        # A third latent with half of A: its column becomes [2/5, 2/5, 1/5].
        latents = code(self.MERGED, self.PURE, A >= 2)
        share = 0.4 / 1.4
        spread = -(share * math.log(share) + (1 - share) * math.log(1 - share)) / LOG2
        everything = (1.4 * (1 - spread) + 0.4 + 0.2) / 2
        assert dm.med(latents, V).value == pytest.approx(everything)
        assert dm.med(latents, V, top=2).value == pytest.approx(everything)
        score = dm.med(latents, V, top=1)
        # Both pure latents are alike in purity; the one with more of A is taken.
        assert score.value == pytest.approx((1.4 * (1 - spread) + 0.4) / 1.8)
        assert math.isnan(score.per_latent.iloc[2])

    def test_a_latent_tied_for_two_factors_is_a_candidate_for_both(self):
        # With P and Q alike in size, their merged code tells of both alike: shares 1/2 each beside P, Q.
        latents = code(4 * P + Q, P, Q)
        kept = dm.med(latents, W, top=1).per_latent.notna().tolist()
        assert kept == [False, True, True]
        assert dm.med(latents[:, :1], W, top=1).value == pytest.approx(0, abs=1e-9)

    def test_a_factor_that_no_latent_tells_of_weighs_nothing(self):
        assert dm.med(code(A), V).value == pytest.approx(1)
        assert dm.med(code(DEAD), V).value == 0

    def test_one_factor(self):
        assert "two factors" in reason("med", code(A), V[:, :1])

    @pytest.mark.parametrize("law", [order_of_latents, order_of_factors], ids=lambda law: law.__name__)
    def test_no_order_decides_what_top_takes(self, law):
        check_metric("med", laws=(law,), examples=10, top=1)


class TestDmig:
    def test_a_perfect_code_of_dependent_factors_scores_one(self):
        # I(P; its latent) = 2 bits, I(P; Q's latent) = 1 bit, H(P | Q) = 1 bit.
        score = dm.dmig(code(P, Q), W)
        assert_allclose(score.per_factor, [1, 1])
        assert_allclose(score.details["denominator"], [LOG2, LOG2])
        assert dm.mig(code(P, Q), W).value == pytest.approx(0.5)

    def test_a_spare_latent_as_second_leaves_the_entropy_whole(self):
        # Without Q the second best latent stands for no factor: (2 - 1) bits of 2.
        assert dm.dmig(code(P, SHARED), W[:, :1]).value == pytest.approx(0.5)

    def test_with_independent_factors_it_is_mig(self):
        latents = code(A, B) + 0.8 * np.random.default_rng(0).normal(size=(len(V), 2))
        assert dm.dmig(latents, V).value == pytest.approx(dm.mig(latents, V).value)

    def test_tied_latents_give_zero(self):
        assert_allclose(dm.dmig(code(A, A, B), V).per_factor, [0, 1])

    def test_of_several_factors_of_the_second_latent_the_one_that_tells_most_counts(self):
        # Four bits: v is (a, b), and the second latent holds (a, c) and d, a factor each.
        a, b, c, d = full_grid(2, 2, 2, 2).T
        score = dm.dmig(code(2 * a + b, 4 * a + 2 * c + d), np.column_stack([2 * a + b, 2 * a + c, d]))
        # The gap is one bit: H(v | d) is two bits, and H(v | (a, c)) is one.
        assert_allclose(score.details["denominator"], [LOG2, LOG2, LOG2])
        assert_allclose(score.per_factor, [1, 1, 1])

    def test_factors_of_latents_behind_the_second_do_not_count(self):
        # The third latent tells nothing of v = (a, b), but stands for a factor that determines it.
        a, b, c, d, e, f = full_grid(2, 2, 2, 2, 2, 2).T
        v, second, third = 2 * a + b, 2 * a + f, 4 * c + 2 * d + e
        score = dm.dmig(code(v, second, third), np.column_stack([v, second, 8 * v + third]))
        assert score.details["denominator"].iloc[0] == pytest.approx(LOG2)
        assert score.per_factor.iloc[0] == pytest.approx(1)

    def test_of_several_second_latents_each_has_its_factors_looked_at(self):
        # Two latents tell one bit of (a, b) each, and stand for (a, c) and (b, d).
        a, b, c, d = full_grid(2, 2, 2, 2).T
        factors = np.column_stack([2 * a + b, 2 * a + c, 2 * b + d])
        score = dm.dmig(code(*factors.T), factors)
        assert_allclose(score.details["denominator"], [LOG2, LOG2, LOG2])
        assert_allclose(score.per_factor, [1, 1, 1])

    def test_an_assignment(self):
        assert_allclose(dm.dmig(code(Q, P), W, assignment=(1, 0)).per_factor, [1, 1])
        # P is assigned the latent of Q: (1 - 2) bits over the one bit that is left of P given Q.
        assert_allclose(dm.dmig(code(P, Q), W, assignment=(1, 0)).per_factor, [-1, -1])

    def test_a_factor_determined_by_another_is_left_out(self):
        # One latent merges P's middle values: 1.5 bits of P, half a bit of the shared bit.
        latents = code(np.array([0, 1, 1, 2])[P], SHARED)
        score = dm.dmig(latents, np.column_stack([P, SHARED]))
        assert_allclose(score.per_factor, [0.5, np.nan])
        assert any("factor_1: determined by another factor" in text for text in score.warnings)

    @pytest.mark.parametrize(
        ("assignment", "message"), [((0,), "for each of 2 factors"), ((0, 2), "names latent 2, but")]
    )
    def test_the_assignment_is_checked(self, assignment, message):
        with pytest.raises(dm.InputError, match=message):
            dm.dmig(code(P, Q), W, assignment=assignment)


class TestXmig:
    def test_latents_of_other_factors_are_not_looked_at(self):
        score = dm.xmig(code(P, Q, DEAD[: len(W)]), W)
        assert_allclose(score.per_factor, [1, 1])
        assert score.details["spare"].tolist() == [False, False, True]

    def test_a_leak_into_a_spare_latent(self):
        assert_allclose(dm.xmig(code(P, Q, SHARED), W).per_factor, [0.5, 0.5])

    def test_of_two_copies_one_is_spare(self):
        assert_allclose(dm.xmig(code(A, A, B), V).per_factor, [0, 1])

    def test_an_assignment(self):
        # Assigned the shared bit, P's latent is spare and tells one bit of two more.
        assert_allclose(dm.xmig(code(P, Q, SHARED), W, assignment=(2, 1)).per_factor, [-0.5, 0.5])

    def test_without_a_spare_latent(self):
        assert "a latent that stands for no factor" in reason("xmig", code(A, B), V)

    def test_a_factor_that_no_latent_tells_of(self):
        assert_allclose(dm.xmig(code(A, DEAD), V).per_factor, [1, 0], atol=1e-12)


class TestDlig:
    def test_a_perfect_code_of_dependent_factors_scores_one(self):
        assert_allclose(dm.dlig(code(P, Q), W).per_latent, [1, 1])

    def test_a_merged_latent(self):
        # log 4 of A, log 3 of B, and A is independent of B.
        expected = (2 * LOG2 - LOG3) / (2 * LOG2)
        assert dm.dlig(code(A * 3 + B), V).value == pytest.approx(expected)

    def test_latents_that_stand_for_no_factor_are_left_out(self):
        score = dm.dlig(code(P, Q, SHARED), W)
        assert_allclose(score.per_latent, [1, 1, np.nan])

    def test_two_factors_told_alike(self):
        assert dm.dlig(code(4 * P + Q), W).value == 0

    def test_an_assignment(self):
        assert_allclose(dm.dlig(code(P, Q), W, assignment=(1, 0)).per_latent, [-1, -1])
        # The first latent tells all of A, and nothing of B, for which it stands too: leads 1 and -H(A) / H(B).
        factors = full_grid(3, 2, 4, times=10)
        thrice = dm.dlig(code(factors[:, 0], factors[:, 2]), factors, assignment=(0, 0, 1))
        assert thrice.value == pytest.approx((1 - LOG3 / LOG2 + 1) / 3)
        assert_allclose(thrice.per_latent, [(1 - LOG3 / LOG2) / 2, 1])
        # One latent for both factors: ahead for the one by as much as behind for the other.
        both = dm.dlig(code(A), V, assignment=(0, 0))
        assert both.value == pytest.approx((1 - 2 * LOG2 / LOG3) / 2)

    def test_a_latent_assigned_a_factor_that_another_determines_is_left_out(self):
        score = dm.dlig(code(P, SHARED), np.column_stack([SHARED, P]), assignment=(0, 1))
        # The shared bit tells of itself and of P alike; P's latent is behind P by a bit, over nothing.
        assert_allclose(score.per_latent, [np.nan, 0])
        assert any("latent z_0: its factor is determined by another" in text for text in score.warnings)

    def test_nothing_told(self):
        assert reason("dlig", code(DEAD), V) == "no latent tells of any factor"
        assert "two factors" in reason("dlig", code(A), V[:, :1])
