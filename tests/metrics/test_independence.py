"""Total correlation, Wasserstein correlation and pairwise information, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

import disentangle_metrics as dm

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

# Two uncorrelated columns of variance exactly 1 (ddof 1), and a third independent of both.
SIGNS = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]] * 25, dtype=float)
U, W, X = (SIGNS * math.sqrt(99 / 100)).T
FOUR = np.arange(100) % 4


def correlated(r):
    return np.column_stack([U, r * U + math.sqrt(1 - r * r) * W])


class TestTotalCorrelation:
    @pytest.mark.parametrize("r", [0, 0.3, -0.9, 0.999999])
    def test_two_latents(self, r):
        expected = -0.5 * math.log(1 - r * r)
        assert dm.total_correlation(correlated(r)).value == pytest.approx(expected, rel=1e-9, abs=1e-12)

    def test_three_latents_by_their_determinant(self):
        latents = np.column_stack([U, U + W, U + W + X])
        _, logdet = np.linalg.slogdet(np.corrcoef(latents.T))
        assert dm.total_correlation(latents).value == pytest.approx(-logdet / 2)

    def test_it_does_not_see_dependence_that_is_not_linear(self):
        z = np.linspace(-1, 1, 201)
        assert dm.total_correlation(np.column_stack([z, z**2])).value == pytest.approx(0, abs=1e-12)

    def test_a_constant_latent_is_left_out(self):
        latents = np.column_stack([np.full(100, 3.5), correlated(0.6)])
        assert dm.total_correlation(latents).value == pytest.approx(-0.5 * math.log(1 - 0.36))

    def test_one_latent_has_none(self):
        assert dm.total_correlation(U[:, None]).value == 0

    def test_a_linear_function_of_others_is_named(self):
        score = dm.total_correlation(np.column_stack([U, W, U - 2 * W]), latent_names=["u", "w", "mix"])
        assert math.isnan(score.value)
        assert score.reason.startswith("the total correlation is infinite: latent mix is a linear function")

    @pytest.mark.parametrize("rows", [3, 5])
    def test_no_more_rows_than_latents_blame_no_latent(self, rows):
        noise = np.random.default_rng(0).normal(size=(rows, 5))
        score = dm.total_correlation(np.column_stack([noise, np.ones(rows)]))
        assert score.reason == (
            f"the total correlation is infinite: {rows} rows cannot tell 5 latents apart; "
            "score more rows than latents"
        )
        assert "z_1 is a linear function" in dm.total_correlation(np.tile(U[:, None], 2)).reason

    def test_no_more_rows_than_latents_need_no_decomposition(self, monkeypatch):
        monkeypatch.setattr("disentangle_metrics.relations.relations.correlation.scatter_root", None)
        noise = np.random.default_rng(0).normal(size=(10, 40))
        assert "10 rows cannot tell 40 latents apart" in dm.total_correlation(noise).reason

    def test_only_constant_latents(self):
        assert dm.total_correlation(np.ones((10, 2))).reason == "every latent is constant"

    def test_rows_beyond_one_pass(self):
        rng = np.random.default_rng(0)
        latents = rng.normal(size=(140_000, 2)) @ [[1, 0.5], [0, 1]]
        r = np.corrcoef(latents.T)[0, 1]
        assert dm.total_correlation(latents).value == pytest.approx(-0.5 * math.log(1 - r * r), rel=1e-9)


class TestWassersteinCorrelation:
    @pytest.mark.parametrize("r", [0, 0.5, 1])
    def test_two_latents_of_variance_one(self, r):
        # The eigenvalues of S are 1 + r and 1 - r.
        expected = 4 - 2 * (math.sqrt(1 + r) + math.sqrt(1 - r))
        assert dm.wasserstein_correlation(correlated(r)).value == pytest.approx(expected, abs=1e-12)
        assert dm.wasserstein_correlation(correlated(r), normalised=True).value == pytest.approx(
            expected / 2, abs=1e-12
        )

    def test_it_grows_with_the_square_of_the_scale(self):
        one, three = (dm.wasserstein_correlation(scale * correlated(0.5)).value for scale in (1, 3))
        assert three == pytest.approx(9 * one)

    def test_latents_of_unlike_scale_against_the_definition(self):
        from scipy.linalg import sqrtm

        latents = correlated(0.7) * [1, 5]
        covariance = np.cov(latents.T)
        root = np.diag(np.sqrt(np.diag(covariance)))
        expected = 2 * np.trace(covariance) - 2 * np.trace(sqrtm(root @ covariance @ root)).real
        assert dm.wasserstein_correlation(latents).value == pytest.approx(expected, rel=1e-9)

    def test_only_constant_latents(self):
        assert dm.wasserstein_correlation(np.ones((10, 2))).reason == "every latent is constant"


class TestMeanPairwiseMi:
    def test_a_copy_shares_all_of_its_entropy(self):
        # Of three pairs one shares log 4.
        other = np.repeat(np.arange(5), 20)
        score = dm.mean_pairwise_mi(np.column_stack([FOUR, 10 - FOUR, other]))
        assert score.value == pytest.approx(math.log(4) / 3)
        assert score.per_latent.tolist() == pytest.approx([math.log(4) / 2, math.log(4) / 2, 0])

    def test_it_sees_dependence_that_is_not_linear(self):
        z = np.linspace(-1, 1, 200)
        assert dm.mean_pairwise_mi(np.column_stack([z, z**2]), bins=10).value > 1

    def test_a_constant_latent_counts_in_its_pairs(self):
        score = dm.mean_pairwise_mi(np.column_stack([FOUR, FOUR, np.zeros(100)]))
        assert score.value == pytest.approx(math.log(4) / 3)

    def test_one_latent_has_no_pair(self):
        assert dm.mean_pairwise_mi(U[:, None]).reason == "the mean over pairs of latents needs two latents"

    def test_bins_beyond_a_bytes_range(self):
        # 257 values, the last in a bin of its own: numbered 256.
        values = np.tile(np.arange(257), 3)
        score = dm.mean_pairwise_mi(np.column_stack([values, values]), bins=257)
        assert score.value == pytest.approx(math.log(257))
