"""Information of posteriors by sampling, as MIG was published, against the quadrature."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import disentangle_metrics as dm
from disentangle_metrics.estimators.posteriors import sampling as posterior_sampling
from disentangle_metrics.estimators.posteriors.quadrature import posterior_information
from disentangle_metrics.estimators.posteriors.sampling import sampled_information

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

RNG = np.random.default_rng(0)
CODES = [RNG.choice(3, size=120, p=[0.8, 0.1, 0.1]), RNG.integers(4, size=120)]
SIZES = [3, 4]
MEAN = np.column_stack([CODES[0] + 0.2 * RNG.normal(size=120), CODES[0] + CODES[1], RNG.normal(size=120)])
# Wider in the frequent value, so that its entropy has to weigh more.
WIDTH = np.where(CODES[0] == 0, 1.0, 0.2)[:, None] * RNG.uniform(0.5, 1.0, size=MEAN.shape)
LOGVAR = np.log(WIDTH**2)
Q = dm.GaussianPosterior(MEAN, LOGVAR)
V = np.column_stack(CODES)


def sampled(samples, seed=0):
    return sampled_information(MEAN, LOGVAR, CODES, SIZES, samples, np.random.default_rng(seed))


def test_is_the_quadrature_within_the_error_of_sampling():
    exact = posterior_information(MEAN, LOGVAR, CODES, SIZES)
    found = sampled(20_000)
    # A standard deviation of -log q of about 0.7, over sqrt(20,000), for two entropies: 0.007.
    assert_allclose(found.latent_entropy, exact.latent_entropy, atol=0.02)
    assert_allclose(found.joint_entropy, exact.joint_entropy, atol=0.02)
    assert_allclose(found.mutual_information, exact.mutual_information, atol=0.03)
    assert_array_equal(found.factor_entropy, exact.factor_entropy)
    assert not found.counted


def test_the_error_falls_with_the_root_of_the_samples():
    exact = posterior_information(MEAN, LOGVAR, CODES, SIZES).latent_entropy
    few, many = (
        np.std([sampled(n, seed).latent_entropy - exact for seed in range(12)]) for n in (100, 2_500)
    )
    assert 2.5 < few / many < 10  # 5 is expected


def test_same_seed_same_bits_and_chunks_change_nothing_but_rounding(monkeypatch):
    first = sampled(300)
    assert_array_equal(first.mutual_information, sampled(300).mutual_information)
    assert (first.mutual_information != sampled(300, seed=1).mutual_information).any()
    monkeypatch.setattr(posterior_sampling, "ELEMENTS", 1_000)
    assert_allclose(sampled(300).mutual_information, first.mutual_information, rtol=0, atol=1e-12)


def test_posteriors_almost_without_noise_stay_finite():
    logvar = np.full(MEAN.shape, -80.0)
    found = sampled_information(V.astype(float), logvar[:, :2], CODES, SIZES, 500, np.random.default_rng(0))
    assert_allclose(np.diag(found.mutual_information), found.factor_entropy, atol=0.1)


def test_no_posterior_at_all_has_no_value():
    report = dm.score(MEAN, V, metrics=dm.Metric("mig", estimator="posterior_monte_carlo"))
    assert math.isnan(report["mig"].value)
    assert "GaussianPosterior" in report["mig"].reason


def test_scores_name_samples_and_seed_and_agree_with_the_default():
    score = dm.mig(Q, V, estimator="posterior_monte_carlo", samples=4_000, seed=3)
    assert score.value == pytest.approx(dm.mig(Q, V, estimator="posterior").value, abs=0.05)
    assert "|estimator:posterior_monte_carlo|samples:4000|" in score.signature
    assert "|seed:3|" in score.signature
    assert score.value == dm.mig(Q, V, estimator="posterior_monte_carlo", samples=4_000, seed=3).value
    assert "samples" not in dm.mig(Q, V, estimator="posterior").signature


def test_a_number_of_samples_that_is_none_is_refused():
    with pytest.raises(dm.InputError, match="`samples` must be a whole number of at least 2, got 1.5"):
        dm.mig(Q, V, estimator="posterior_monte_carlo", samples=1.5)
