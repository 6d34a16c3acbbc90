"""InfoMEC, the metrics of posteriors, and the estimators of mutual information, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

import disentangle_metrics as dm
from disentangle_metrics.metrics.infomec import devotion
from tests.grids import code, full_grid, posterior

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

V = full_grid(4, 3, times=40)
A, B = V.T.astype(float)
NOISE = np.random.default_rng(0).normal(size=(len(V), 3))


class TestEstimators:
    def test_a_perfect_code_scores_one_by_each(self):
        z = code(A + 1e-3 * NOISE[:, 0], B + 1e-3 * NOISE[:, 1])
        assert dm.mig(z, V, estimator="nearest_neighbours").value == pytest.approx(1, abs=0.02)
        assert dm.mig(posterior(A, B), V, estimator="posterior").value == pytest.approx(1, abs=1e-5)
        assert dm.mig_sup(posterior(A, B), V, estimator="posterior").value == pytest.approx(1, abs=1e-5)

    def test_half_a_factor_told_by_a_posterior(self):
        # One bit of the two bits of A.
        score = dm.mig(posterior(A >= 2, B), V, estimator="posterior")
        assert_allclose(score.per_factor, [0.5, 1], atol=1e-5)

    def test_wide_posteriors_tell_less_than_their_means(self):
        wide = posterior(A, B, deviation=1.0)
        assert dm.mig(wide, V).value == pytest.approx(1)
        assert dm.mig(wide, V, estimator="posterior").value < 0.5

    def test_by_hand_for_two_values(self):
        # Means 0 and d apart with deviation 1: I = H(mixture) - H(normal), here by Gauss-Hermite nodes.
        d, (x, w) = 1.5, np.polynomial.hermite_e.hermegauss(80)
        w = w / w.sum()
        information = math.log(2) - w @ np.log1p(np.exp(d * x - d**2 / 2)) / 2
        information -= w @ np.log1p(np.exp(-d * x - d**2 / 2)) / 2
        v = np.tile([0, 1], 30)[:, None]
        score = dm.mig(posterior(d * v[:, 0], deviation=1.0), v, estimator="posterior")
        assert score.value == pytest.approx(information / math.log(2), abs=1e-4)

    def test_the_logarithm_of_the_values_is_the_entropy_of_a_balanced_factor_only(self):
        q = posterior(A, B)
        settings = {"estimator": "posterior", "normaliser": "values"}
        assert dm.mig(q, V, **settings).value == pytest.approx(1, abs=1e-5)
        rare = (A == 0).astype(int)[:, None]  # entropy of 1/4, 3/4
        entropy = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
        assert dm.mig(q, rare, **settings).value == pytest.approx(entropy / math.log(2), abs=1e-5)

    def test_a_continuous_factor_by_neighbours(self):
        angle = np.random.default_rng(1).random(600)
        score = dm.mig(code(angle, np.random.default_rng(2).random(600)), angle[:, None],
                       estimator="nearest_neighbours")  # fmt: skip
        assert score.value > 0.9
        assert any("exceed its entropy" in warning for warning in score.warnings)

    def test_estimates_do_not_leave_the_factors_entropy(self):
        score = dm.mig(code(A, B), V, estimator="nearest_neighbours")
        table = score.details["mutual_information"].to_numpy()
        assert (table <= score.details["factor_entropy"].to_numpy() + 1e-15).all()

    def test_a_signature_names_neighbours_and_seed_only_where_they_matter(self):
        def middle(score):
            return score.signature.split("|n:")[0]

        assert middle(dm.mig(NOISE, V)) == "mig|bins:20|estimator:histogram|strategy:uniform"
        by_neighbours = dm.mig(NOISE, V, estimator="nearest_neighbours", seed=5)
        assert "|estimator:nearest_neighbours|k:3|" in by_neighbours.signature
        assert "|seed:5|" in by_neighbours.signature
        assert "seed" not in dm.mig(NOISE, V).signature

    def test_the_seed_breaks_ties(self):
        one, same, other = (
            dm.modularity(code(A, B, A >= 2), V, estimator="nearest_neighbours", seed=seed).value
            for seed in (1, 1, 2)
        )
        assert one == same != other

    def test_without_posteriors_there_is_a_reason(self):
        score = dm.score(code(A, B), V, metrics=dm.Metric("mig", estimator="posterior"), anchors=False)
        assert "pass `dm.GaussianPosterior" in score["mig"].reason

    @pytest.mark.parametrize("estimator", ["posterior", "nearest_neighbours"])
    def test_what_needs_binned_entropies_has_none(self, estimator):
        metrics = [
            dm.Metric("jemmig", estimator=estimator),
            dm.Metric("mig", estimator=estimator, normaliser="latent"),
        ]
        report = dm.score(posterior(A, B), V, metrics=metrics, anchors=False)
        assert all("estimator='histogram'" in score.reason for score in report.values())

    def test_the_ceiling_of_posteriors_is_a_posterior_without_noise(self):
        wide = posterior(A, B, deviation=1.0)
        metrics = [dm.Metric(name, estimator="posterior") for name in ("mig", "mig_sup")]
        report = dm.score(wide, V, metrics=[*metrics, "rmig"])
        for key in ("mig", "mig_sup", "rmig"):
            assert report[key].ceiling == pytest.approx(1, abs=1e-4)
            assert report[key].chance < 0.1 < report[key].value


class TestInfoMec:
    def test_by_hand_from_shares(self):
        table = np.array([[1.0, 1.0, 2.0], [0.0, 0.0, 0.0], [0.0, 5.0, 0.0]])
        assert devotion(table).tolist() == pytest.approx([(0.5 - 1 / 3) / (2 / 3), 0, 1])
        assert devotion(np.array([[0.3], [0.0]])).tolist() == [1, 0]

    def test_a_perfect_code(self):
        report = dm.infomec(code(A + 0.01 * NOISE[:, 0], B + 0.01 * NOISE[:, 1]), V)
        assert list(report) == ["info_modularity", "info_compactness", "info_explicitness"]
        assert [score.value for score in report.values()] == pytest.approx([1, 1, 1], abs=0.03)

    def test_merged_factors_cost_modularity_and_split_ones_compactness(self):
        merged = dm.infomec(code(3 * A + B + 0.01 * NOISE[:, 0]), V)
        assert merged["info_modularity"].value < 0.1
        assert merged["info_compactness"].value == 1
        split = dm.infomec(code(A + 0.01 * NOISE[:, 0], A + 0.01 * NOISE[:, 1], B + 0.01 * NOISE[:, 2]), V)
        assert split["info_modularity"].value > 0.95
        # Equal in two of three latents: (1/2 - 1/3) / (2/3) = 1/4.
        assert split["info_compactness"].per_factor.iloc[0] == pytest.approx(0.25, abs=0.03)

    def test_a_factor_of_one_value_in_a_resample_is_left_out_there(self):
        rare = np.arange(len(V))[:, None] == 0
        report = dm.score(
            code(A + 0.01 * NOISE[:, 0], B + 0.01 * NOISE[:, 1]),
            np.hstack([V, rare]),
            metrics="info_compactness",
            anchors=False,
            confidence=0.9,
            replicates=10,
        )
        # 2/3 with the rare row, which no latent tells of; 1 where it is not drawn.
        assert max(report.evidence.resampled["info_compactness"].scores) == pytest.approx(1, abs=0.01)

    def test_explicitness_is_the_share_of_the_uniform_cross_entropy(self):
        # The classifier can do nothing with a code that is constant, and all with a separable one.
        blind = dm.infomec(code(np.zeros(len(V)), np.ones(len(V))), V)
        assert blind["info_explicitness"].value == pytest.approx(0, abs=1e-6)
        assert math.isnan(blind["info_modularity"].value)
        assert blind["info_compactness"].reason == "no latent is active"

    def test_explicitness_by_hand_of_two_overlapping_values(self):
        # The optimum of a logistic classifier of one binary column is its conditional frequencies.
        z = np.repeat([0, 0, 1, 1], [30, 10, 10, 30])
        v = np.repeat([0, 1, 0, 1], [30, 10, 10, 30])[:, None]
        score = dm.infomec(code(z), v)["info_explicitness"]
        cross_entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
        assert score.value == pytest.approx(1 - cross_entropy / math.log(2), abs=1e-5)

    def test_a_continuous_factor_is_regressed(self):
        noisy = A + NOISE[:, 0]
        report = dm.infomec(code(A, B), noisy[:, None])
        r = np.linalg.lstsq(code(A, B, np.ones(len(V))), noisy, rcond=None)[1][0]
        assert report["info_explicitness"].value == pytest.approx(1 - r / ((noisy - noisy.mean()) ** 2).sum())

    def test_a_class_without_train_rows_counts_as_chance(self):
        train, test = np.flatnonzero(B < 2), np.flatnonzero(B == 2)
        score = dm.infomec(code(A, B), V[:, 1:], split=(train, test))["info_explicitness"]
        assert score.value == pytest.approx(0)

    def test_one_factor_has_compactness_and_no_modularity(self):
        report = dm.infomec(code(A + 0.01 * NOISE[:, 0], NOISE[:, 1]), V[:, :1])
        assert "two factors" in report["info_modularity"].reason
        assert report["info_compactness"].value > 0.9

    def test_the_published_rule_of_activity_depends_on_the_range(self):
        z = code(A, 0.01 * B)
        report = dm.infomec(z, V, protocol="hsu2023")
        assert report["info_modularity"].details["active"].tolist() == [True, False]
        assert dm.infomec(z, V)["info_modularity"].details["active"].tolist() == [True, True]

    def test_an_optimiser_that_is_stopped_says_so(self):
        report = dm.infomec(code(A, B), V, max_iter=2)
        assert any("still improving after 2 steps" in w for w in report["info_explicitness"].warnings)
        assert "info_explicitness" in dm.infomec(code(A, B), V, max_iter=1)

    @pytest.mark.parametrize("steps", [0, 2.5, True, "9"])
    def test_a_number_of_steps_that_is_none_is_refused(self, steps):
        with pytest.raises(dm.InputError, match="`max_iter` must be a whole number of at least 1"):
            dm.infomec(code(A, B), V, max_iter=steps)


class TestRmig:
    def test_a_perfect_code_scores_one_and_its_noise_costs(self):
        assert dm.rmig(posterior(A - 2, B - 1), V).value == pytest.approx(1, abs=1e-9)
        assert dm.rmig(posterior(A - 2, B - 1, deviation=0.5), V).value < 0.9

    def test_by_hand_with_two_bins(self):
        # Means at -1 and 1 with deviation 1, cut at 0: a binary channel that errs with ndtr(-1).
        v = np.tile([0, 1], 10)[:, None]
        score = dm.rmig(posterior(2.0 * v[:, 0] - 1, deviation=1.0), v, bins=2)
        errs = 0.5 * math.erfc(1 / math.sqrt(2))
        noise = -(errs * math.log(errs) + (1 - errs) * math.log(1 - errs))
        assert score.value == pytest.approx(1 - noise / math.log(2), abs=1e-9)

    def test_mass_beyond_the_limits_lands_in_the_outer_bins_with_a_warning(self):
        score = dm.rmig(posterior(20.0 * A, B), V)
        assert any("z_0 lies outside of -4 .. 4" in warning for warning in score.warnings)
        # The values 1, 2, 3 share the last bin: 0 alone is told apart.
        entropy = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
        assert score.per_factor.iloc[0] == pytest.approx(entropy / math.log(4), abs=1e-9)
        assert dm.rmig(posterior(20.0 * A, B), V, limits=(-1, 61)).per_factor.iloc[0] == pytest.approx(1)


class TestRobustJemmig:
    def test_by_hand_with_two_bins(self):
        # The binary channel of TestRmig: H(z, v) = log 2 + noise and I = log 2 - noise.
        v = np.tile([0, 1], 10)[:, None]
        score = dm.rjemmig(posterior(2.0 * v[:, 0] - 1, deviation=1.0), v, bins=2)
        errs = 0.5 * math.erfc(1 / math.sqrt(2))
        noise = -(errs * math.log(errs) + (1 - errs) * math.log(1 - errs))
        assert score.value == pytest.approx(1 - 2 * noise / (2 * math.log(2)), abs=1e-9)
        assert score.details["joint_entropy"].to_numpy() == pytest.approx(math.log(2) + noise, abs=1e-9)

    def test_of_posteriors_without_width_it_is_jemmig(self):
        narrow = posterior(A - 2, B - 1, 0.5 * A + B - 1)  # halves, each in the middle of a bin
        robust = dm.rjemmig(narrow, V, bins=51, limits=(-2.55, 2.55))
        assert robust.value == pytest.approx(dm.jemmig(narrow.mean, V, bins=51).value, abs=1e-9)

    def test_mass_beyond_the_limits_is_said(self):
        score = dm.rjemmig(posterior(20.0 * A, B), V)
        assert any("z_0 lies outside of -4 .. 4" in warning for warning in score.warnings)


class TestSizes:
    def test_informativeness_of_separate_posteriors_counts_the_places(self):
        score = dm.informativeness(posterior(A, B))
        assert_allclose(score.per_latent, [math.log(4), math.log(3)], atol=1e-4)
        assert score.value == pytest.approx(math.log(12), abs=1e-4)
        assert dm.informativeness(posterior(0 * A)).value == pytest.approx(0, abs=1e-5)

    def test_active_units(self):
        mean = code(A, 0.05 * B, 0 * A)
        assert dm.active_units(dm.GaussianPosterior(mean, np.zeros_like(mean))).value == 1
        assert dm.active_units(mean).value == 2
        assert dm.active_units(mean, active=None).value == 3
        assert dm.active_units(0 * mean).value == 0
        assert dm.active_units(mean).per_latent.tolist() == [1, 1, 0]
