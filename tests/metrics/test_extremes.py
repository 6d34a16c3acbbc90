"""Numbers at the ends of their range: a score without a scale is the same at every scale, in silence."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics.estimators.counts.binning import column_ranges
from disentangle_metrics.estimators.scaling import comparable
from disentangle_metrics.metrics.lookup import find_metric
from tests.metrics.test_laws import QUICK

ROWS = 90
RNG = np.random.default_rng(7)
LABELS = RNG.integers(0, 3, (ROWS, 2))
# On a grid of 2**-20, so that neither scaling by a power of two nor moving by 2**30 rounds.
LATENTS = np.rint((LABELS @ [[1.0, 0.3, 0.0], [0.2, 1.0, 0.0]] + RNG.normal(size=(ROWS, 3))) * 2**20) / 2**20
MEASURED = np.rint((LATENTS[:, :2] + RNG.normal(size=(ROWS, 2))) * 2**20) / 2**20
SCALES = {
    "tiny": (-1000, -1000, -1000),
    "small": (-400, -400, -400),
    "large": (490, 490, 490),
    "mixed": (-1000, 0, 490),
}
SCALE_FREE = [
    name
    for name in dm.list_metrics()
    if find_metric(name).scale_free and not find_metric(name).needs_posterior
]


def scores(name: str, latents: np.ndarray, factors: np.ndarray, **settings: object) -> dict[str, float]:
    """The scores of one metric by key; a warning from NumPy or another library is an error."""
    metric = dm.Metric(name, **{**QUICK.get(name, {}), **settings})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", dm.ScoreWarning)
        report = dm.score(latents, factors, metrics=metric, anchors=False)
    for score in report.values():
        assert np.isfinite(score.value) or score.reason
        assert "failed" not in score.reason
    return {key: score.value for key, score in report.items()}


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", SCALE_FREE)
def test_the_scale_of_latents_means_nothing(name, scale):
    for factors in (LABELS, MEASURED):
        scaled = np.ldexp(LATENTS, SCALES[scale])
        assert scores(name, scaled, factors) == pytest.approx(
            scores(name, LATENTS, factors), rel=1e-9, abs=1e-12, nan_ok=True
        )


FAINT = [(-30, -30, -30), (-43, -43, -43), (-83, -83, -83), (0, -43, -83)]
LINEAR = [("linear_recovery", {}), ("mcc", {"cross_fitted": True}), ("t_mex", {"halves": 2}),
          ("dci_es", {"features": 8})]  # fmt: skip


@pytest.mark.parametrize("exponents", FAINT)
@pytest.mark.parametrize(("name", "settings"), LINEAR)
def test_numbers_of_small_size_are_not_constant(name, settings, exponents):
    want = scores(name, LATENTS, MEASURED, **settings)
    assert scores(name, np.ldexp(LATENTS, exponents), MEASURED, **settings) == pytest.approx(want, rel=1e-9)
    faint = np.ldexp(MEASURED, exponents[:2])
    assert scores(name, LATENTS, faint, **settings) == pytest.approx(want, rel=1e-9)


@pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
@pytest.mark.parametrize("exponents", FAINT)
def test_groups_of_numbers_of_small_size_are_not_constant(exponents):
    want, got = (
        dm.score(latents, MEASURED, groups={"g": [0, 1]}, metrics=["mcc", "sap"], anchors=False)
        for latents in (LATENTS, np.ldexp(LATENTS, exponents))
    )
    assert got.scalars() == pytest.approx(want.scalars(), rel=1e-9)
    assert want["mcc"].value > 0.1


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_small_numbers_are_scaled_in_their_own_precision(precision):
    small = np.ldexp(LATENTS.astype(precision), (0, -43, -83))
    low, high = column_ranges(small)
    scaled, exponents = comparable(small, low, high)
    assert scaled.dtype == precision
    assert exponents[0] == 0
    np.testing.assert_array_equal(scaled[:, 0], small[:, 0])
    np.testing.assert_array_equal(np.ldexp(scaled, exponents), small)
    assert (np.abs(scaled).max(axis=0) >= 0.5).all()


@pytest.mark.parametrize("name", SCALE_FREE)
def test_latents_far_from_zero_score_as_those_near_it(name):
    moved = LATENTS + np.array([2.0**30, -(2.0**28), 2.0**31])
    assert scores(name, moved, LABELS) == pytest.approx(
        scores(name, LATENTS, LABELS), rel=1e-9, abs=1e-12, nan_ok=True
    )


@pytest.mark.parametrize("exponents", [(-1000, -1000), (480, 1000), (0, 1000), (0, -1000)])
@pytest.mark.parametrize("name", ["mig", "mcc", "sap", "dci", "infomec", "irs", "omes", "jemmig", "med"])
def test_the_unit_of_a_factor_means_nothing(name, exponents):
    scaled = np.ldexp(MEASURED, exponents)
    assert scores(name, LATENTS, scaled) == pytest.approx(
        scores(name, LATENTS, MEASURED), rel=1e-9, abs=1e-12, nan_ok=True
    )


@pytest.mark.parametrize("name", ["mig", "mcc", "sap", "dci", "infomec"])
def test_factors_far_from_zero_score_as_those_near_it(name):
    moved = MEASURED + np.array([2.0**30, -(2.0**28)])
    assert scores(name, LATENTS, moved) == pytest.approx(
        scores(name, LATENTS, MEASURED), rel=1e-9, abs=1e-12, nan_ok=True
    )


@pytest.mark.parametrize("probe", ["gradient_boosting", "random_forest", "lasso", "review_lasso"])
def test_published_probes_do_not_lose_latents_in_single_precision(probe):
    want = scores("dci", LATENTS, LABELS, probe=probe)
    for latents in (np.ldexp(LATENTS, 400), np.ldexp(LATENTS, -400), LATENTS + 2.0**30):
        assert scores("dci", latents, LABELS, probe=probe) == pytest.approx(want, rel=1e-9, abs=1e-12)


def test_scores_of_neighbours_and_quantiles_have_no_scale():
    for settings in ({"estimator": "nearest_neighbours"}, {"strategy": "quantile"}):
        want = scores("mig", LATENTS, MEASURED, **settings)
        for exponent in (-1000, 490):
            got = scores("mig", np.ldexp(LATENTS, exponent), np.ldexp(MEASURED, 1000), **settings)
            assert got == pytest.approx(want, rel=1e-9)


def test_weights_by_scale_are_those_of_the_given_scale():
    """IRS weighs latents by their largest deviation: a latent 2**400 times as large decides it alone."""
    alone = scores("irs", LATENTS[:, :1], LABELS)
    beside = scores("irs", np.ldexp(LATENTS, (400, 0, -400)), LABELS)
    assert beside == pytest.approx(alone, rel=1e-12)
    details = dm.irs(np.ldexp(LATENTS, 400), LABELS).details["max_deviation"]
    assert details.max() == pytest.approx(np.ldexp(np.abs(LATENTS - LATENTS.mean(0)).max(0), 400).max())


def test_a_distance_in_units_grows_with_the_square_of_the_scale():
    near = scores("wasserstein_correlation", LATENTS, LABELS)["wasserstein_correlation"]
    far = scores("wasserstein_correlation", np.ldexp(LATENTS, 400), LABELS)["wasserstein_correlation"]
    assert far == pytest.approx(np.ldexp(near, 800), rel=1e-9)
    share = scores("wasserstein_correlation", LATENTS, LABELS, normalised=True)
    tiny = np.ldexp(LATENTS, -1000)
    assert scores("wasserstein_correlation", tiny, LABELS, normalised=True) == pytest.approx(share, rel=1e-9)


@pytest.mark.parametrize(("exponent", "active"), [(-400, 0), (0, 3), (400, 3)])
def test_a_threshold_on_the_variance_is_in_the_given_unit(exponent, active):
    got = scores("active_units", np.ldexp(LATENTS, exponent), LABELS, active=0.01)
    assert got == {"active_units": active}


def test_a_support_vector_machine_comes_back_at_every_scale():
    """Its penalty has lost all weight long before 2**100, and at 2**-100 it has all of it."""
    large = scores("sap", np.ldexp(LATENTS, 60), LABELS)
    assert scores("sap", np.ldexp(LATENTS, 490), LABELS) == pytest.approx(large, rel=1e-9)
    assert scores("sap", np.ldexp(LATENTS, -1000), LABELS) == {"sap": 0.0}
    outlier = RNG.normal(size=(12, 2))
    outlier[0, 0] = 1e100
    assert np.isfinite(scores("sap", outlier, RNG.integers(0, 3, (12, 2)))["sap"])


@pytest.mark.parametrize("similarity", ["lasso", "spearman"])
def test_models_agree_whatever_the_scale_of_their_latents(similarity):
    models = [LATENTS, LATENTS @ np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 0.0], [0.25, 0.0, 1.0]])]
    want = dm.udr(models, similarity=similarity).pairwise
    with np.errstate(all="raise"):
        for exponent in (-1000, 490):
            scaled = [np.ldexp(model, exponent) for model in models]
            got = dm.udr(scaled, similarity=similarity).pairwise
            np.testing.assert_allclose(got, want, rtol=1e-9)


@pytest.mark.parametrize("logvar", [-1500.0, -745.0, 745.0, 1500.0])
def test_posteriors_of_any_width_have_a_value(logvar):
    spread = np.full(LATENTS.shape, -2.0)
    spread[:, 0] = logvar
    for scale in (1.0, 1e-200, 1e100):
        posterior = dm.GaussianPosterior(LATENTS * scale, spread)
        for name in ("wsepin", "unibound", "rmig", "informativeness"):
            assert all(map(np.isfinite, scores(name, posterior, LABELS).values()))
        assert np.isfinite(scores("mig", posterior, LABELS, estimator="posterior")["mig"])
