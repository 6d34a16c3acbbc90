"""UniBound by hand: unique, redundant and synergistic information of exact codes, and its edge decisions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

import disentangle_metrics as dm
from tests.grids import full_grid, posterior

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

V = full_grid(4, 3, times=5)
A, B = V.T.astype(float)
QUICK = {"samples": 60}  # as many as rows, each once


def bounds(latents, factors=V, **settings):
    report = dm.unibound(latents, factors, **{**QUICK, **settings})
    return report["unibound"], report["unibound_upper"]


def per_factor(latents, factors=V, **settings):
    return [score.per_factor.tolist() for score in bounds(latents, factors, **settings)]


class TestExactCodes:
    def test_a_perfect_code_has_both_bounds_at_one(self):
        lower, upper = bounds(posterior(A, B))
        assert (lower.value, upper.value) == (pytest.approx(1), pytest.approx(1))
        assert lower.range == upper.range == (0.0, 1.0)

    def test_a_copy_leaves_nothing_unique_where_each_alone_tells_all(self):
        lower, upper = per_factor(posterior(A, A, B))
        assert_allclose([lower, upper], [[0, 1], [0, 1]], atol=1e-12)
        table = bounds(posterior(A, A, B))[0].details["mutual_information"].to_numpy()
        assert_allclose(table, [[math.log(4), 0], [math.log(4), 0], [0, math.log(3)]], atol=1e-12)

    def test_redundancy_that_no_single_other_latent_shows(self):
        # A's two bits repeated in a latent each: MIG sees a gap of one bit, and nothing is unique.
        q = posterior(A, A // 2, A % 2, B)
        assert_allclose(per_factor(q), [[0, 1], [0, 1]], atol=1e-12)
        assert dm.mig(q, V).per_factor.iloc[0] == pytest.approx(0.5)

    def test_half_of_a_factor_repeated(self):
        # Unique to the first latent is A's lower bit, one of two; the upper bit is in the second too.
        assert_allclose(per_factor(posterior(A, A // 2, B)), [[0.5, 1], [0.5, 1]], atol=1e-12)

    def test_what_only_two_latents_together_tell_is_unique_to_neither(self):
        x, y = np.tile(np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), (5, 1)).T
        lower, upper = bounds(posterior(x, y), (x ^ y)[:, None], samples=20)
        assert lower.details["joint_information"].iloc[0] == pytest.approx(math.log(2))
        assert_allclose([lower.value, upper.value], 0, atol=1e-12)

    def test_synergy_parts_the_bounds(self):
        # A factor of two bits p, q. The first latent holds q, and p exclusive-or r; the second r; the third q.
        p, q, r = np.tile(np.indices((2, 2, 2)).reshape(3, 8), 2)
        lower, upper = bounds(posterior(2 * (p ^ r) + q, r, q), (2 * p + q)[:, None], samples=16)
        nats = {name: lower.details[name].iloc[:, 0] for name in ("mutual_information", "others_information")}
        n, m, a = [0.5, 0, 0.5], [0.5, 0.5, 1], 1
        assert_allclose(nats["mutual_information"] / math.log(4), n, atol=1e-12)
        assert_allclose(nats["others_information"] / math.log(4), m, atol=1e-12)
        assert lower.value == pytest.approx(0, abs=1e-12)
        assert upper.value == pytest.approx(min(a - m[0], n[0]))

    def test_a_factor_in_two_halves_is_bounded_by_what_each_holds(self):
        # Each latent has one bit of two, and the other one has the other: 1/2 is unique, less 1/2 of the other.
        assert_allclose(per_factor(posterior(A // 2, A % 2, B)), [[0, 1], [0.5, 1]], atol=1e-12)

    def test_less_than_the_others_tell_counts_as_nothing(self):
        # Any two of the three tell A, and each alone half of it.
        q = posterior(A // 2, A % 2, (A // 2 + A) % 2)
        assert_allclose(per_factor(q, V[:, :1]), [[0], [0]], atol=1e-12)

    def test_values_weigh_as_often_as_they_occur(self):
        rare = (A == 0).astype(int)[:, None]
        lower, upper = bounds(posterior(rare[:, 0], B), rare)
        assert (lower.value, upper.value) == (pytest.approx(1), pytest.approx(1))
        entropy = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
        assert lower.details["factor_entropy"].iloc[0] == pytest.approx(entropy)
        assert lower.details["mutual_information"].iloc[0, 0] == pytest.approx(entropy)

    def test_noise_costs(self):
        noisy = bounds(posterior(A, B, deviation=0.6), samples=2_000)
        assert 0.3 < noisy[0].value <= noisy[1].value < 0.8
        exact = dm.mig(posterior(A, B, deviation=0.6), V, estimator="posterior")
        assert noisy[0].value == pytest.approx(exact.value, abs=0.05)


class TestInvariance:
    MEAN = np.column_stack([A + 0.3 * B, B, np.sin(7 * A + B)])
    LOGVAR = np.cos(3 * MEAN) - 2.0

    def test_scale_and_origin_of_each_latent(self):
        scale, origin = np.array([1e-3, 7.0, 1e5]), np.array([5.0, -2.0, 0.1])
        moved = dm.GaussianPosterior(self.MEAN * scale + origin, self.LOGVAR + 2 * np.log(scale))
        here = dm.GaussianPosterior(self.MEAN, self.LOGVAR)
        assert_allclose(per_factor(moved), per_factor(here), rtol=0, atol=1e-9)

    def test_order_of_the_latents(self):
        order = [2, 0, 1]
        turned = dm.GaussianPosterior(self.MEAN[:, order], self.LOGVAR[:, order])
        here = dm.GaussianPosterior(self.MEAN, self.LOGVAR)
        assert_allclose(per_factor(turned, samples=6_000), per_factor(here, samples=6_000), rtol=0, atol=0.05)

    def test_a_constant_latent(self):
        assert_allclose(per_factor(posterior(A, B, 0 * A)), [[1, 1], [1, 1]], atol=1e-12)

    def test_more_samples_scatter_less(self):
        q = dm.GaussianPosterior(self.MEAN, self.LOGVAR)
        few, many = (
            np.std([bounds(q, samples=n, seed=seed)[0].value for seed in range(8)]) for n in (60, 2_400)
        )
        assert few / many > 2  # 6 is expected


class TestEdges:
    def test_one_latent_has_no_others_to_share_with(self):
        lower, upper = per_factor(posterior(A // 2))
        assert_allclose([lower, upper], [[0.5, 0], [0.5, 0]], atol=1e-12)

    def test_a_constant_factor_is_left_out(self):
        lower, upper = bounds(posterior(A, B), np.column_stack([V, 0 * V[:, 0]]))
        for score in (lower, upper):
            assert score.value == pytest.approx(1)
            assert math.isnan(score.per_factor.iloc[2])
        assert lower.details["mutual_information"].iloc[:, 2].isna().all()

    def test_no_factor_that_varies(self):
        report = dm.score(posterior(A, B), 0 * V, metrics="unibound", anchors=False)
        assert all("needs a factor with more than one value" in score.reason for score in report.values())

    def test_plain_arrays_have_no_value(self):
        report = dm.score(np.column_stack([A, B]), V, metrics="unibound", anchors=False)
        assert list(report) == ["unibound", "unibound_upper"]
        assert all("pass `dm.GaussianPosterior" in score.reason for score in report.values())

    def test_a_continuous_factor_is_cut_into_bins(self):
        angle = A / 4 + 0.01
        lower, _ = bounds(posterior(A, B), angle[:, None], bins=4, factor_types="continuous")
        assert lower.value == pytest.approx(1)
        # Two bins: A's upper bit, which the one latent holds whole.
        assert bounds(posterior(A // 2, B), angle[:, None], bins=2, factor_types="continuous")[
            0
        ].value == pytest.approx(1)

    def test_rows_that_are_told_apart_bring_a_warning(self):
        noise = np.random.default_rng(0).normal(size=(3, len(V)))
        lower, upper = bounds(posterior(A, B, *noise))
        # A perfect code, and yet the noise tells each row, and so every factor.
        assert_allclose([lower.value, upper.value], 0, atol=1e-12)
        for score in (lower, upper):
            assert any("tell most rows from all others" in text for text in score.warnings)
        assert not any("tell most rows" in text for text in bounds(posterior(A, B))[0].warnings)

    def test_only_factors_whose_rows_the_other_latents_tell_apart_are_named(self):
        # The second latent tells B and each row: beside A's latent it leaves nothing, but not beside its own.
        lower, _ = bounds(posterior(A, 100 * B + np.arange(len(B))))
        (warning,) = [text for text in lower.warnings if "tell most rows" in text]
        assert warning.startswith("factor_0: ")

    def test_few_rows_that_are_told_apart_bring_none(self):
        few = np.where(np.arange(len(B)) < len(B) // 5, 100.0 + np.arange(len(B)), B)
        assert not any("tell most rows" in text for text in bounds(posterior(A, few))[0].warnings)

    def test_bad_numbers_of_samples_are_refused(self):
        with pytest.raises(dm.InputError, match="`samples` must be a whole number of at least 2, got 1"):
            dm.unibound(posterior(A, B), V, samples=1)
        assert bounds(posterior(A, B), samples=2)[0].value >= 0

    def test_the_signature_names_samples_and_seed(self):
        lower, _ = bounds(posterior(A, B), seed=4)
        assert lower.signature.startswith("unibound|bins:20|samples:60|strategy:uniform|")
        assert "|seed:4|" in lower.signature

    def test_chance_and_ceiling(self):
        wide = posterior(A, B, deviation=0.5)
        report = dm.score(wide, V, metrics=dm.Metric("unibound", samples=240), anchors="all")
        for score in report.values():
            assert score.chance < 0.15 < score.value
            assert score.ceiling == pytest.approx(1, abs=1e-6)
