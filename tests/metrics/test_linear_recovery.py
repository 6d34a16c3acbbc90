"""Linear recovery, by hand and against scikit-learn; MCC of matched pairs and held out."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold

import disentangle_metrics as dm
from disentangle_metrics.estimators import linear
from disentangle_metrics.estimators.matching import held_out_matches, one_to_one

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

RNG = np.random.default_rng(0)
V = RNG.normal(size=(1_000, 4))
ROTATION = np.linalg.qr(RNG.normal(size=(4, 4)))[0]
WHITE = np.linalg.solve(np.linalg.cholesky(np.cov(V.T)), (V - V.mean(0)).T).T  # exactly uncorrelated


def scores(latents, factors=V, **settings):
    report = dm.score(latents, factors, metrics=[dm.Metric("linear_recovery", **settings)], anchors=False)
    return {key: score.value for key, score in report.items()}


def test_a_code_that_is_a_rotation_of_the_factors():
    perfect = scores(WHITE @ ROTATION * 2 + 1, WHITE)
    assert perfect["r2_from_latents"] == pytest.approx(1, abs=1e-9)
    assert perfect["r2_from_factors"] == pytest.approx(1, abs=1e-9)
    assert perfect["cca"] == pytest.approx(1, abs=1e-5)
    assert perfect["orthogonality"] == pytest.approx(0, abs=1e-5)
    assert perfect["procrustes"] == pytest.approx(0, abs=1e-5)


def test_a_shear_is_linear_and_no_rotation():
    found = scores(WHITE @ np.array([[1, 0, 0, 0], [2, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]), WHITE)
    assert found["r2_from_latents"] == pytest.approx(1, abs=1e-6)
    assert found["cca"] == pytest.approx(1, abs=1e-4)
    # z1 = (v1 + 2 v2) / sqrt(5), z2 = v2: A'A - I has -0.8, 0.8 on the diagonal and 0.4 twice beside it.
    assert found["orthogonality"] == pytest.approx(np.sqrt(2 * 0.8**2 + 2 * 0.4**2) / 2, abs=1e-3)
    assert found["procrustes"] > 0.05


def test_noise_tells_nothing_and_a_missing_factor_is_missed():
    noise = scores(np.random.default_rng(1).normal(size=V.shape))
    assert noise["r2_from_latents"] < 0.02
    assert noise["cca"] < 0.1
    assert noise["procrustes"] > 0.9
    part = scores(WHITE[:, :3], WHITE)
    assert part["r2_from_latents"] == pytest.approx(0.75, abs=0.01)
    assert part["r2_from_factors"] == pytest.approx(1, abs=1e-6)
    assert scores(np.exp(V))["r2_from_latents"] < 0.8
    assert scores(np.exp(V), ranks=True)["r2_from_latents"] > 0.99


def test_a_pair_that_a_dead_latent_cannot_make_counts_zero():
    dead = np.column_stack([WHITE[:, 0], np.full(len(WHITE), 3.0)])
    assert scores(dead, WHITE[:, :2])["cca"] == pytest.approx(0.5, abs=1e-5)
    assert scores(dead, WHITE[:, :2], cross_fitted=False)["cca"] == pytest.approx(0.5, abs=1e-5)
    wide = np.column_stack([WHITE[:, :2], np.zeros(len(WHITE))])  # two latents make both pairs
    assert scores(wide, WHITE[:, :2])["cca"] == pytest.approx(1, abs=1e-5)
    assert scores(np.zeros((1_000, 2)), WHITE[:, :2])["cca"] == 0


def test_r2_is_that_of_least_squares_held_out():
    latents = V @ RNG.normal(size=(4, 3)) + RNG.normal(size=(1_000, 3))
    folds = np.repeat(np.arange(5), 200)
    ours = linear.linear_r2(linear.standardised(latents), linear.standardised(V), folds)
    predicted = np.empty_like(V)
    for train, test in KFold(5).split(latents):
        predicted[test] = LinearRegression().fit(latents[train], V[train]).predict(latents[test])
    theirs = 1 - np.square(V - predicted).sum(0) / np.square(V - V.mean(0)).sum(0)
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_canonical_correlations_are_those_of_the_population():
    both = RNG.normal(size=(20_000, 2))
    one = np.column_stack([both[:, 0], RNG.normal(size=20_000)])
    other = np.column_stack([0.6 * both[:, 0] + 0.8 * RNG.normal(size=20_000), both[:, 1]])
    found = linear.canonical_correlations(one, other, np.arange(20_000) % 5)
    np.testing.assert_allclose(found, [0.6, 0.0], atol=0.02)


def test_a_constant_latent_and_collinear_ones():
    found = scores(np.column_stack([V, np.ones(1_000), V[:, 0]]))
    assert found["r2_from_latents"] == pytest.approx(1, abs=1e-6)
    assert found["r2_from_factors"] == pytest.approx(5 / 6, abs=1e-6)
    assert found["cca"] == pytest.approx(1, abs=1e-4)
    assert np.isnan(scores(V[:19], V[:19])["cca"])


def test_a_circle_is_its_sine_and_cosine():
    angle = RNG.uniform(0, 360, size=2_000)
    code = np.column_stack([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    report = dm.score(
        code, angle[:, None], metrics=["linear_recovery"], factor_types=["circular:360"], anchors=False
    )
    assert report["r2_from_latents"].value == pytest.approx(1, abs=1e-6)
    assert (
        dm.score(code, angle[:, None], metrics=["r2_from_latents"], anchors=False)["r2_from_latents"].value
        < 0.8
    )


def test_mcc_of_matched_pairs_leaves_out_factors_without_a_latent():
    latents = V[:, :2] + 0.1 * RNG.normal(size=(1_000, 2))
    over_factors = dm.mcc(latents, V)
    matched = dm.mcc(latents, V, normalisation="matched")
    assert matched.value == pytest.approx(2 * over_factors.value)
    assert matched.per_factor.isna().sum() == 2
    assert "normalisation:matched" in matched.signature
    assert "normalisation" not in over_factors.signature


def test_cross_fitted_mcc_of_noise_is_about_nothing():
    noise = np.random.default_rng(2).normal(size=(300, 4))
    assert dm.mcc(noise, V[:300]).value > 0.05
    assert abs(dm.mcc(noise, V[:300], cross_fitted=True).value) < 0.05
    assert dm.mcc(-V[:, ::-1], V, cross_fitted=True).value == pytest.approx(1.0)
    assert dm.mcc(V[:, :2], V, cross_fitted=True).value == pytest.approx(0.5)


def test_held_out_matches_by_hand():
    strengths = np.array([[0.9, 0.8], [0.7, 0.1]])
    np.testing.assert_array_equal(one_to_one(strengths), [[np.nan, 0.8], [0.7, np.nan]])
    folds = np.arange(1_000) % 5
    found = held_out_matches(-V[:, :1], V[:, :1], folds)
    assert found.strengths[0, 0] == pytest.approx(1.0)
    assert found.signs[0, 0] == pytest.approx(-1.0)


def test_cross_fitted_mcc_says_nothing_of_circles():
    angle = RNG.uniform(0, 360, size=(300, 1))
    report = dm.score(
        np.cos(np.radians(angle)),
        angle,
        metrics=[dm.Metric("mcc", cross_fitted=True)],
        factor_types=["circular:360"],
        anchors=False,
    )
    assert np.isnan(report["mcc"].value)
    assert "circles" in report["mcc"].reason


def test_a_circular_latent_is_a_plane():
    both = np.column_stack(
        [np.arange(500) * 0.72, RNG.normal(size=500)]
    )  # an even circle stays one when it turns
    kinds = ["circular:360", "continuous"]
    turned = np.column_stack([(both[:, 0] + 70) % 360, -both[:, 1]])
    found = dm.linear_recovery(turned, both, factor_types=kinds, latent_types=kinds)
    perfect = {"r2_from_latents": 1, "r2_from_factors": 1, "cca": 1, "orthogonality": 0, "procrustes": 0}
    assert {key: score.value for key, score in found.items()} == pytest.approx(perfect, abs=1e-6)
    assert found["r2_from_factors"].per_latent.to_numpy() == pytest.approx([1, 1], abs=1e-6)


def test_the_ceiling_of_a_circular_factor_is_perfect():
    angle = RNG.uniform(0, 360, size=500)
    factors = np.column_stack([angle, RNG.normal(size=500)])
    report = dm.score(
        RNG.normal(size=(500, 2)),
        factors,
        metrics=["linear_recovery"],
        factor_types=["circular:360", "continuous"],
    )
    ceilings = {key: score.ceiling for key, score in report.items()}
    perfect = {"r2_from_latents": 1, "r2_from_factors": 1, "cca": 1, "orthogonality": 0, "procrustes": 0}
    assert ceilings == pytest.approx(perfect, abs=1e-5)


def test_the_mean_by_variance_of_noise_and_signal_by_hand():
    # Ten times the deviation is a hundred times the weight: (100 * 1 + 1 * 0) / 101.
    latents = np.column_stack([10 * V[:, 0] / V[:, 0].std(), RNG.normal(size=1_000)])
    latents[:, 1] /= latents[:, 1].std()
    found = dm.linear_recovery(latents, V[:, :1], weights="variance")
    assert found["r2_from_factors"].value == pytest.approx(100 / 101, abs=2e-3)


def test_groups_of_latents_change_no_linear_map():
    found = dm.linear_recovery(V, V, groups={"pair": [0, 1]})
    assert {score.reason for score in found.values()} == {
        "maps all latents at once, so that groups of them change nothing: leave `groups` out"
    }
