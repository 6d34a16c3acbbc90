"""JEMMIG, DCIMIG, MCC and the review's normaliser, by hand."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose

import disentangle_metrics as dm
from tests.grids import code, full_grid

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

V = full_grid(4, 3, times=20)
A, B = V.T.astype(float)
DEAD = np.zeros(len(V))


class TestJemmig:
    def test_a_perfect_code_scores_one(self):
        assert dm.jemmig(code(A, B), V).value == pytest.approx(1, abs=1e-12)

    def test_by_hand_for_a_merged_latent(self):
        # z = 3 A + B: H(z, A) = log 12, I_(1) = log 4, no second latent.
        score = dm.jemmig(code(A * 3 + B), V, bins=12)
        expected = [
            1 - (math.log(12) - math.log(4)) / (math.log(4) + math.log(12)),
            1 - (math.log(12) - math.log(3)) / (math.log(3) + math.log(12)),
        ]
        assert_allclose(score.per_factor, expected, atol=1e-12)
        assert score.value == pytest.approx(np.mean(expected))

    def test_a_copy_adds_the_second_information(self):
        # H(z, A) - I_(1) + I_(2) = H(A) with an exact copy.
        score = dm.jemmig(code(A, A, B), V, bins=5)
        assert_allclose(score.per_factor, [1 - math.log(4) / (math.log(4) + math.log(5)), 1], atol=1e-12)

    @pytest.mark.parametrize("order", [(0, 1), (1, 0)])
    def test_of_tied_latents_the_one_that_holds_less_counts(self, order):
        # Both tell A entirely; the first tells B as well.
        latents = code(A * 3 + B, A)[:, list(order)]
        score = dm.jemmig(latents, V, bins=12)
        excess = math.log(4) - math.log(4) + math.log(4)
        assert score.per_factor.iloc[0] == pytest.approx(1 - excess / (math.log(4) + math.log(12)))

    def test_a_dead_code_scores_above_zero(self):
        score = dm.jemmig(code(DEAD), V[:, :1], bins=20)
        assert score.value == pytest.approx(1 - math.log(4) / (math.log(4) + math.log(20)))

    def test_a_latent_of_codes_has_a_cell_for_each_value(self):
        # 48 codes of 4 values of the factor: H(z, v) = log 48, I = log 4, and no second latent.
        codes = np.tile(np.arange(48.0), 5)
        score = dm.jemmig(code(codes), (codes[:, None] // 12).astype(int), latent_types="categorical")
        assert score.value == pytest.approx(1 - math.log(12) / (math.log(4) + math.log(48)))

    def test_a_group_has_the_joint_cells_of_its_columns(self):
        # The group holds A and B: H(z, A) = log 12, I = log 4; 4 bins of each column are 16 cells.
        latents, factors = np.tile(code(A, B), (2, 1)), np.tile(V[:, :1], (2, 1))
        score = dm.score(latents, factors, groups={"g": [0, 1]}, metrics=dm.Metric("jemmig", bins=4))[
            "jemmig"
        ]
        assert "|estimator:histogram|" in score.signature
        assert score.value == pytest.approx(1 - math.log(3) / (math.log(4) + math.log(16)))

    def test_codes_are_those_of_the_rows_that_have_the_factor(self):
        codes = np.tile(np.arange(48.0), 5)
        factors = np.column_stack([codes // 12, codes % 2])
        there = codes < 30
        holes = np.where(there[:, None] | [False, True], factors, np.nan)
        some = dm.jemmig(code(codes), holes, latent_types="categorical", missing="drop").per_factor.iloc[0]
        alone = dm.jemmig(code(codes)[there], factors[there, :1].astype(int), latent_types="categorical")
        assert some == alone.value > 0.3

    def test_of_tied_latents_with_one_joint_entropy_that_of_fewer_cells_counts(self):
        for order in ([0, 1], [1, 0]):  # the codes have 4 values, the measurement 20 bins; no gap is left
            types = np.array(["categorical", "continuous"])[order]
            score = dm.jemmig(code(A, 2 * A)[:, order], V[:, :1], latent_types=types)
            assert score.value == pytest.approx(1 - math.log(4) / (math.log(4) + math.log(4)))

    def test_a_constant_factor_is_left_out(self):
        score = dm.jemmig(code(A), np.column_stack([V[:, 0], np.ones(len(V), dtype=int)]))
        assert math.isnan(score.per_factor.iloc[1])
        assert score.value == pytest.approx(1)


class TestDcimig:
    def test_a_perfect_code_scores_one(self):
        assert dm.dcimig(code(A, B), V).value == pytest.approx(1, abs=1e-12)

    def test_by_hand_for_a_merged_latent(self):
        # The latent credits log 4 - log 3 to A; nothing is credited to B.
        score = dm.dcimig(code(A * 3 + B), V)
        assert score.value == pytest.approx((math.log(4) - math.log(3)) / math.log(12))
        assert_allclose(score.per_factor, [(math.log(4) - math.log(3)) / math.log(4), 0], atol=1e-12)
        assert_allclose(score.per_latent, [math.log(4) - math.log(3)], atol=1e-12)

    def test_of_several_latents_of_one_factor_the_best_counts(self):
        # Half of A's two bits in each of two latents, all of B in a third.
        score = dm.dcimig(code(A >= 2, A % 2, B), V)
        assert score.value == pytest.approx((math.log(2) + math.log(3)) / math.log(12))

    def test_a_dead_latent_credits_nothing(self):
        score = dm.dcimig(code(DEAD, A, B), V)
        assert score.value == pytest.approx(1)
        assert score.per_latent.iloc[0] == 0

    def test_a_constant_factor_adds_no_entropy(self):
        assert dm.dcimig(code(A, B), np.column_stack([V, np.ones(len(V), dtype=int)])).value == pytest.approx(
            1
        )

    def test_factors_count_by_their_entropy_or_alike(self):
        latents = code(A >= 2, B)  # a half of A, and all of B
        assert dm.dcimig(latents, V).value == pytest.approx((math.log(2) + math.log(3)) / math.log(12))
        assert dm.dcimig(latents, V, weights="equal").value == pytest.approx((0.5 + 1) / 2)

    def test_one_factor_has_no_second_best(self):
        score = dm.score(code(A, B), V[:, :1], metrics="dcimig", anchors=False)["dcimig"]
        assert score.reason == "DCIMIG needs two factors with more than one value, got 1"


class TestReviewSettings:
    def test_the_latents_entropy_as_normaliser(self):
        # z = 3 A + B has entropy log 12, of which log 4 and log 3 are shared.
        latents = code(A * 3 + B)
        assert_allclose(
            dm.mig(latents, V, normaliser="latent").per_factor,
            [math.log(4) / math.log(12), math.log(3) / math.log(12)],
        )
        assert dm.mig_sup(latents, V, normaliser="latent").value == pytest.approx(
            (math.log(4) - math.log(3)) / math.log(12)
        )

    def test_factors_chosen_by_information_and_divided_afterwards(self):
        # The latent tells half of A (log 2 of log 4) and which B is 0 (log 3 - 2/3 log 2 of log 3).
        # In nats A comes first, in shares B: the gap changes its sign.
        latents = code((A >= 2) + 2.0 * (B == 0))
        of_b = math.log(3) - 2 / 3 * math.log(2)
        assert of_b < math.log(2)
        gap = 0.5 - of_b / math.log(3)
        assert dm.mig_sup(latents, V, order="information").value == pytest.approx(gap)
        assert dm.mig_sup(latents, V).value == pytest.approx(-gap)
        assert gap < 0

    @pytest.mark.parametrize("columns", [[0, 1], [1, 0]])
    def test_of_factors_with_the_same_information_the_larger_share_is_first(self, columns):
        factors = np.column_stack([A, A >= 2])[:, columns]  # the latent tells log 2 of each: a half, and all
        score = dm.mig_sup(code(A >= 2), factors, order="information")
        assert score.value == pytest.approx(0.5)

    def test_a_gap_below_nothing_is_within_its_range_and_its_interval(self):
        rng = np.random.default_rng(0)
        factors = np.column_stack([np.arange(1200) % 24, np.arange(1200) % 24 < 2])
        latents = code(np.where(rng.random(1200) < 0.95, (factors[:, 0] < 2) + (factors[:, 0] < 7), 0))
        score = dm.mig_sup(latents, factors, order="information", confidence=0.95)
        low, high = score.interval
        assert score.range == (-1.0, 1.0)
        assert -1 < low < score.value < high < 0
        plain = dm.mig_sup(latents, factors, confidence=0.95)
        assert (plain.range, plain.value) == ((0.0, 1.0), pytest.approx(-score.value))

    def test_a_dead_latent_has_no_entropy_to_divide_by(self):
        assert dm.mig(code(DEAD, A, B), V, normaliser="latent").value == pytest.approx(1)
        score = dm.mig_sup(code(DEAD, A, B), V, normaliser="latent", active=None)
        assert_allclose(score.per_latent, [0, 1, 1], atol=1e-12)

    def test_factors_of_many_values_are_merged_by_their_numbers(self):
        # 0, 1, 2, 9: of two bins from 0 to 9, the lower holds three of the four.
        values = np.array([0, 1, 2, 9])[A.astype(int)]
        merged = dm.mig(code(A), values[:, None], factor_bins=2)
        quarter = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
        assert merged.details["factor_entropy"].iloc[0] == pytest.approx(quarter)
        assert dm.mig(code(A), values[:, None], factor_bins=4).details["factor_entropy"].iloc[
            0
        ] == pytest.approx(math.log(4))


class TestMcc:
    def test_a_perfect_code_scores_one_whatever_its_sign_and_order(self):
        assert dm.mcc(code(-B, 3 * A + 1), V).value == pytest.approx(1)

    def test_the_best_matching_is_not_the_greedy_one(self):
        rng = np.random.default_rng(0)
        u, w = rng.normal(size=(2, 4000))
        factors = np.column_stack([u, w])
        # The first latent is closest to u, but the second can stand for u only.
        latents = code(u + 0.5 * w, u)
        table = np.abs(np.corrcoef(latents.T, factors.T)[:2, 2:])
        assert table[0, 0] > table[0, 1]
        score = dm.mcc(latents, factors)
        assert score.value == pytest.approx((table[0, 1] + table[1, 0]) / 2)
        assert_allclose(score.per_factor, [table[1, 0], table[0, 1]])
        assert_allclose(score.per_latent, [table[0, 1], table[1, 0]])

    def test_ranks_forgive_a_monotone_bend(self):
        u = np.random.default_rng(1).normal(size=500)
        bent = np.exp(3 * u)[:, None]
        assert dm.mcc(bent, u[:, None], correlation="spearman").value == pytest.approx(1)
        assert dm.mcc(bent, u[:, None]).value < 0.9

    def test_a_factor_without_a_latent_of_its_own_counts_zero(self):
        score = dm.mcc(code(A), V)
        assert_allclose(score.per_factor, [1, 0], atol=1e-12)
        assert score.value == pytest.approx(0.5)

    def test_latents_left_over_have_no_part(self):
        score = dm.mcc(code(DEAD, A, B), V)
        assert score.value == pytest.approx(1)
        assert math.isnan(score.per_latent.iloc[0])

    def test_a_constant_factor_is_left_out(self):
        score = dm.mcc(code(A, B), np.column_stack([V, np.ones(len(V), dtype=int)]))
        assert score.value == pytest.approx(1)
        assert math.isnan(score.per_factor.iloc[2])

    def test_names_without_an_order_are_warned_of(self):
        shapes = np.array(["ellipse", "heart", "square"])[V[:, 1]][:, None]
        with pytest.warns(dm.ScoreWarning, match="mcc reads the labels of factor_0 as numbers"):
            dm.mcc(code(A, B), shapes)


class TestCorrection:
    def test_takes_off_a_mig_what_chance_gives_it(self):
        rng = np.random.default_rng(0)
        z, v = rng.normal(size=(300, 1)), rng.integers(4, size=(300, 1))
        plain, corrected = dm.mig(z, v), dm.mig(z, v, correction="miller_madow")
        table = plain.details["mutual_information"].to_numpy()
        counts = np.histogram2d(z[:, 0], v[:, 0], bins=(20, 4))[0]
        cells = [np.count_nonzero(counts.sum(axis=1)), 4, np.count_nonzero(counts)]
        information = table[0, 0] + (cells[0] + cells[1] - cells[2] - 1) / 600
        entropy = plain.details["factor_entropy"].iloc[0] + 3 / 600
        assert corrected.value == pytest.approx(max(information, 0) / entropy)
        assert corrected.value < plain.value / 2

    @pytest.mark.parametrize("metric", [dm.mig, dm.mig_sup, dm.jemmig, dm.dcimig, dm.modularity])
    def test_leaves_a_perfect_code_at_one_and_is_named_in_the_signature(self, metric):
        score = metric(code(A, B), V, correction="miller_madow")
        assert score.value == pytest.approx(1, abs=0.03)
        assert score.value <= 1
        assert "|correction:miller_madow|" in score.signature
        assert "correction" not in metric(code(A, B), V).signature


@pytest.mark.parametrize(("turn", "told"), [(0, 0.75), (math.pi / 4, 0.5)])
def test_a_factor_drawn_as_a_circle_has_no_gap_but_its_latents_have(turn, told):
    # Its four values lie on the axes, or in the corners: each latent tells 1.5 bits of 2, or 1.
    angle = 2 * math.pi * A / 4 + turn
    latents = code(np.cos(angle), np.sin(angle), B)
    assert_allclose(dm.mig(latents, V, bins=21).per_factor, [0, 1], atol=1e-12)
    assert_allclose(dm.mig_sup(latents, V, bins=21).per_latent, [told, told, 1], atol=1e-12)


@pytest.mark.parametrize("turn", [0, 0.2, 0.4, 0.6])
def test_hues_drawn_as_circles_score_as_the_documentation_says(turn):
    """docs/reproduction.md, "A hue is a circle": whichever way the circles are turned."""
    rng = np.random.default_rng(0)
    hues = rng.integers(10, size=(10_000, 2))
    angles = 2 * math.pi * hues / 10 + turn
    latents = np.hstack([np.cos(angles), np.sin(angles)]) + 0.05 * rng.normal(size=(10_000, 4))
    assert 0.005 < dm.mig(latents, hues).value < 0.035
    assert 0.7 < dm.mig_sup(latents, hues).value < 0.9


@pytest.mark.parametrize("alone", [True, False])
def test_resamples_that_lack_a_rare_value_pass_in_silence(alone):
    # About a third of the resamples lack the one row.
    rng = np.random.default_rng(0)
    rare, other = (np.arange(300) == 3)[:, None], rng.integers(4, size=(300, 1))
    posterior = dm.GaussianPosterior(other + rng.normal(size=(300, 2)), np.full((300, 2), -3.0))
    metrics = ["mig", "xmig", "rmig", "sufficiency", *([] if alone else ["mig_sup", "dcimig", "infomec"])]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        report = dm.score(
            posterior,
            rare if alone else np.hstack([rare, other]),
            metrics=metrics,
            anchors=False,
            confidence=0.9,
            replicates=10,
        )
    assert [str(one.message) for one in caught if issubclass(one.category, RuntimeWarning)] == []
    assert np.isfinite(report["mig"].value)
    if alone:
        assert any("resamples of the rows gave no value" in text for text in report["mig"].warnings)
