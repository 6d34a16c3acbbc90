"""Values that can be computed by hand, for each metric, and the edge decisions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

import disentangle_metrics as dm
from tests.grids import code, full_grid

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

V = full_grid(4, 3, times=20)
A, B = V.T.astype(float)
NOISE = np.random.default_rng(0).normal(size=len(V))


class TestMig:
    def test_a_perfect_code_scores_one(self):
        assert dm.mig(code(A, B), V).value == pytest.approx(1, abs=1e-12)

    def test_a_duplicated_latent_costs_its_factor(self):
        score = dm.mig(code(A, A, B), V)
        assert_allclose(score.per_factor, [0, 1], atol=1e-12)

    def test_half_a_factor_told_by_one_latent(self):
        # One bit of the two bits of A in one latent, nothing else anywhere.
        score = dm.mig(code(A >= 2, np.zeros(len(V))), V)
        assert_allclose(score.per_factor, [0.5, 0], atol=1e-12)

    def test_it_does_not_see_merged_factors(self):
        assert dm.mig(code(A * 3 + B), V).value == pytest.approx(1, abs=1e-12)

    def test_with_one_latent_the_second_largest_is_zero(self):
        assert_allclose(dm.mig(code(A), V).per_factor, [1, 0], atol=1e-12)

    def test_fewer_bins_than_values_lower_it(self):
        # Two bins of A's four values keep one bit of two.
        assert dm.mig(code(A), V[:, :1], bins=2).value == pytest.approx(0.5, abs=1e-12)

    def test_a_continuous_factor_is_binned_like_the_latents(self):
        continuous = np.linspace(0, 1, 400)[:, None]
        score = dm.mig(continuous, continuous, bins=10)
        assert score.details["factor_entropy"].iloc[0] == pytest.approx(math.log(10), abs=1e-12)
        assert score.value == pytest.approx(1, abs=1e-12)


class TestMigSup:
    def test_a_perfect_code_scores_one(self):
        assert dm.mig_sup(code(A, B), V).value == pytest.approx(1, abs=1e-12)

    def test_it_sees_merged_factors(self):
        assert dm.mig_sup(code(A * 3 + B), V).value == pytest.approx(0, abs=1e-12)

    def test_it_does_not_see_a_split_factor(self):
        assert dm.mig_sup(code(A >= 2, A % 2, B), V).per_latent.tolist() == pytest.approx([0.5, 0.5, 1])

    def test_dead_latents_are_left_out_or_count_zero(self):
        dead = np.zeros(len(V))
        assert dm.mig_sup(code(dead, A, B), V).value == pytest.approx(1)
        assert dm.mig_sup(code(dead, A, B), V, active=None).value == pytest.approx(2 / 3)

    def test_a_threshold_decides_by_variance(self):
        score = dm.mig_sup(code(A * 0.01, B), V, active=0.01)
        assert score.details["active"].tolist() == [False, True]

    def test_no_active_latent(self):
        score = dm.score(np.zeros((len(V), 2)), V, metrics=["mig_sup", "mig"], anchors=False)
        assert score["mig_sup"].reason == "no latent is active"
        assert score["mig"].value == 0


class TestModularity:
    def test_a_perfect_code_scores_one(self):
        assert dm.modularity(code(A, B), V).value == pytest.approx(1, abs=1e-12)

    def test_by_hand_for_a_merged_latent(self):
        # I with A is log 4, with B log 3; so 1 - (log 3 / log 4)^2.
        expected = 1 - (math.log(3) / math.log(4)) ** 2
        assert dm.modularity(code(A * 3 + B), V).value == pytest.approx(expected, abs=1e-12)

    def test_a_latent_that_tells_nothing_counts_zero(self):
        useless = np.tile([0.0, 1.0], len(V) // 2)  # varies, but alike for every value of both factors
        rows = np.repeat(V, 2, axis=0)
        both = np.tile([0.0, 1.0], len(V))
        assert useless.std() > 0
        score = dm.modularity(np.column_stack([np.repeat(A, 2), both]), rows)
        assert score.per_latent.tolist() == pytest.approx([1, 0])


class TestIrs:
    def test_a_perfect_code_is_robust(self):
        assert dm.irs(code(A, B), V).value == pytest.approx(1)

    def test_by_hand_for_a_sum_of_factors(self):
        # z = A + B: with A fixed, |z - E| is 1 at most; the largest deviation of z is 2.5.
        score = dm.irs(code(A + B), V, quantile=1)
        robustness = score.details["robustness"]
        assert robustness.iloc[0].tolist() == pytest.approx([1 - 1 / 2.5, 1 - 1.5 / 2.5])
        assert score.value == pytest.approx(0.6)

    def test_latents_weigh_by_their_largest_deviation(self):
        score = dm.irs(code(A + B, 10 * A), V, quantile=1)
        assert score.value == pytest.approx((0.6 * 2.5 + 1 * 15) / 17.5)

    def test_one_factor_is_enough(self):
        assert dm.irs(code(A), V[:, :1]).value == pytest.approx(1)

    def test_constant_latents_are_left_out(self):
        with_dead = dm.irs(code(np.zeros(len(V)), A + B), V, quantile=1)
        assert with_dead.value == pytest.approx(0.6)
        assert math.isnan(with_dead.per_latent.iloc[0])


class TestFactorVae:
    def test_a_perfect_code_is_always_named_right(self):
        score = dm.factor_vae(code(A, B), V, votes=(500, 500))
        assert score.value == 1
        votes = score.details["votes"].to_numpy()
        assert votes.sum() == 500
        assert score.details["train_accuracy"] == 1
        assert votes[0, 1] == votes[1, 0] == 0

    def test_noise_is_right_by_chance(self):
        score = dm.factor_vae(np.random.default_rng(1).normal(size=(len(V), 4)), V)
        assert abs(score.value - 0.5) < 0.1

    def test_the_accuracy_in_fitting_is_the_majoritys_share(self):
        score = dm.factor_vae(code(A + 3 * NOISE, B + 3 * NOISE), V, votes=(400, 300))
        votes = score.details["votes"].to_numpy()
        assert score.details["train_accuracy"] == votes.max(axis=1).sum() / 400
        assert score.details["train_accuracy"] < 1

    def test_rescaled_it_is_zero_by_chance_and_one_at_best(self):
        plain = dm.factor_vae(code(A + NOISE, B + NOISE), V)
        rescaled = dm.factor_vae(code(A + NOISE, B + NOISE), V, rescale=True)
        assert rescaled.value == pytest.approx(2 * plain.value - 1)
        assert dm.factor_vae(code(A, B), V, rescale=True).value == 1

    def test_a_dead_latent_is_never_named(self):
        score = dm.factor_vae(code(np.zeros(len(V)), A, B), V, active=None, votes=(500, 500))
        assert score.value == 1
        assert score.details["votes"].iloc[0].sum() == 0

    def test_values_of_one_row_only_cannot_be_fixed(self):
        unique = np.column_stack([np.arange(len(V)), np.arange(len(V))])
        score = dm.score(
            code(A, B), unique, metrics="factor_vae", anchors=False, factor_types=["categorical"] * 2
        )["factor_vae"]
        assert "a value that two rows share" in score.reason


class TestDci:
    def test_a_perfect_code(self):
        report = dm.dci(code(A, B), V)
        assert [s.value for s in report.values()] == pytest.approx([1, 1, 1])

    def test_by_hand_from_importances(self):
        from disentangle_metrics.metrics.shared.concentration import concentration

        table = np.array([[3.0, 1.0], [0.0, 0.0], [0.0, 4.0]])
        per_row, value = concentration(table)
        entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25)) / math.log(2)
        assert per_row.tolist() == pytest.approx([1 - entropy, 0, 1])
        assert value == pytest.approx(((1 - entropy) * 4 + 1 * 4) / 8)

    def test_a_duplicated_latent_costs_completeness_not_disentanglement(self):
        report = dm.dci(code(A, A, B), V)
        assert report["dci_disentanglement"].value == pytest.approx(1)
        assert report["dci_completeness"].per_factor.iloc[0] < 1

    def test_a_dead_latent_first_or_last(self):
        dead = np.zeros(len(V))
        first, last = dm.dci(code(dead, A, B), V), dm.dci(code(A, B, dead), V)
        assert first["dci_disentanglement"].value == last["dci_disentanglement"].value == 1
        assert first["dci_disentanglement"].per_latent.iloc[0] == 0

    def test_a_continuous_factor_is_regressed(self):
        angle = np.random.default_rng(2).random(len(V))
        report = dm.dci(code(angle, A), np.column_stack([angle, A]))
        assert report["dci_informativeness"].per_factor.iloc[0] > 0.95

    @pytest.mark.parametrize("probe", ["random_forest", "lasso", "gradient_boosting", "boosted_trees"])
    def test_every_named_probe_finds_a_perfect_code(self, probe):
        report = dm.dci(code(A, B), V, probe=probe)
        # A forest draws candidate latents at each split, so it must use the wrong one at times.
        assert report["dci_disentanglement"].value > (0.85 if probe == "random_forest" else 0.99)
        assert report["dci_informativeness"].value > 0.99

    def test_any_estimator_with_importances(self):
        from sklearn.linear_model import LogisticRegression

        assert dm.dci(code(A, B), V, probe=LogisticRegression())["dci_disentanglement"].value > 0.9

    def test_an_estimator_without_importances_is_refused(self):
        from sklearn.neighbors import KNeighborsClassifier

        with pytest.raises(dm.InputError, match="neither feature_importances_ nor coef_"):
            dm.dci(code(A, B), V, probe=KNeighborsClassifier())

    def test_no_importance_at_all_is_zero_with_a_warning(self):
        report = dm.dci(np.zeros((len(V), 2)), V)
        assert report["dci_disentanglement"].value == report["dci_completeness"].value == 0
        assert "no latent has any importance" in report["dci_completeness"].warnings[-1]

    def test_one_factor_and_one_latent(self):
        assert math.isnan(dm.dci(code(A, B), V[:, :1])["dci_disentanglement"].value)
        assert dm.dci(code(A), V)["dci_completeness"].value == 1

    def test_classes_that_only_the_test_rows_have_count_as_misses(self):
        rare = np.where(np.arange(len(V)) < 30, 9, B)[:, None].astype(int)
        train, test = np.arange(30, len(V)), np.arange(60)
        assert dm.dci(code(A, B), rare, split=(train, test))["dci_informativeness"].value == pytest.approx(
            0.5
        )


class TestSap:
    def test_by_hand_from_correlations(self):
        noisy = A + NOISE
        score = dm.sap(code(A, noisy), V[:, :1], kind="regression")
        r = np.corrcoef(A, noisy)[0, 1]
        assert score.value == pytest.approx(1 - r**2)

    def test_the_kind_follows_the_factor(self):
        ordinal = dm.sap(code(A, B), V, factor_types=["ordinal", "ordinal"])
        assert ordinal.value == pytest.approx(1)
        table = dm.sap(code(A, B), V, factor_types=["categorical", "ordinal"]).details["predictability"]
        assert table.iloc[1, 1] == pytest.approx(1)
        assert table.iloc[0, 0] < 1  # a linear SVM cannot tell the middle values

    def test_classification_of_a_continuous_factor_has_no_value(self):
        score = dm.sap(code(A, B), NOISE[:, None], kind="classification")
        assert np.isnan(score.value)
        assert "needs categories, and factor 'factor_0' is continuous" in score.reason

    def test_a_single_class_in_training_predicts_that_class(self):
        train, test = np.flatnonzero(B == 0), np.arange(len(V))
        score = dm.sap(code(A, B), V[:, 1:], kind="classification", split=(train, test))
        assert_allclose(score.details["predictability"], 1 / 3)


def test_probes_use_at_most_max_rows():
    table = dm.sap(code(A, B), V, kind="classification", max_rows=30, split=None).details["predictability"]
    assert_allclose(table * 30, np.round(table * 30), atol=1e-9)


@pytest.mark.parametrize("share", [0.25, 1 / 3, 0.5])
def test_a_split_takes_each_row_once(share):
    from disentangle_metrics.inputs.inputs import check
    from disentangle_metrics.relations.relations import Relations

    train, test = Relations(check(code(A, B), V), seed=5).split(share, 120)
    assert len(test) == round(120 * share)
    assert len(set(train) | set(test)) == len(train) + len(test) == 120
