"""UDR by hand: what models that agree, and models that do not, score."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

import disentangle_metrics as dm

# A full grid, so that the two latents are exactly uncorrelated.
A, B = (grid.reshape(-1) for grid in np.meshgrid(np.arange(4.0), np.arange(5.0), indexing="ij"))
A, B = (A - A.mean()) / A.std(), (B - B.mean()) / B.std()
Z = np.column_stack([A, B])
ROTATED = np.column_stack([A + B, A - B]) / math.sqrt(2)


def test_models_equal_up_to_order_sign_and_scale_agree():
    models = [Z, -3 * Z[:, ::-1] + 1, Z * [0.1, 10]]
    # Of uncorrelated standardised latents the Lasso shrinks the weight 1 to 1 - alpha.
    assert_allclose(dm.udr(models, alpha=0.1).scores, 0.9)
    assert_allclose(dm.udr(models, alpha=0.0).scores, 1.0)
    assert_allclose(dm.udr(models, similarity="spearman").scores, 1.0)


def test_a_rotated_model_by_hand():
    found = dm.udr([Z, ROTATED])
    # Four weights of 1 / sqrt(2) - alpha: max^2 / sum is half of one of them, in rows and in columns.
    assert_allclose(found.scores, (1 / math.sqrt(2) - 0.1) / 2)
    assert np.isnan(np.diag(found.pairwise)).all()


def test_correlated_latents_may_agree_by_more_than_one_as_the_docstring_says():
    found = dm.udr([Z, np.column_stack([A, A + 0.1 * B])], alpha=0)
    # B is 10 sqrt(1.01) of the second latent less 10 A: weights |R| = [[1, 10], [0, 10.05]].
    root = 10 * math.sqrt(1.01)
    columns, rows = (1 + root**2 / (10 + root)) / 2, (100 / 11 + root) / 2
    assert_allclose(found.scores[1], (columns + rows) / 2)
    assert found.scores[1] == pytest.approx(6.3, abs=0.05)
    assert "scores may be above 1 too: 6.3 was" in " ".join(dm.describe("udr").split())


def test_the_score_is_the_median_over_the_other_models():
    entangled = (1 / math.sqrt(2) - 0.1) / 2
    found = dm.udr([Z, Z, Z, ROTATED])
    assert_allclose(found.scores, [0.9, 0.9, 0.9, entangled])
    assert_allclose(dm.udr([Z, Z, ROTATED]).scores, [(0.9 + entangled) / 2] * 2 + [entangled])


def test_models_of_different_sizes_and_split_latents():
    # Both copies of A share the other model's A by rank: its column holds 1 / 2, theirs hold 1 each.
    found = dm.udr([Z, np.column_stack([A, A, B])], similarity="spearman")
    rows, columns = (1 / 2 + 1) / 2, 1.0
    assert_allclose(found.scores, (rows + columns) / 2)


def test_dead_latents_take_no_part():
    dead = np.column_stack([Z, np.full(len(Z), 0.3)])
    found = dm.udr([dead, Z])
    assert found.informative[0].tolist() == [True, True, False]
    assert_allclose(found.scores, 0.9)


def test_with_posteriors_latents_near_the_prior_take_no_part():
    # Divergence (m^2 + s^2 - 1 - log s^2) / 2: 0 for the prior's own width around 0.
    mean = np.column_stack([Z, 0.05 * A])
    logvar = np.column_stack([np.full((len(Z), 2), -4.0), np.zeros(len(Z))])
    found = dm.udr([dm.GaussianPosterior(mean, logvar), Z])
    assert found.informative[0].tolist() == [True, True, False]
    assert dm.udr([dm.GaussianPosterior(mean, logvar), Z], threshold=0.001).informative[0].all()


def test_a_model_that_knows_nothing_agrees_with_none():
    found = dm.udr([np.zeros((len(Z), 2)), Z, Z])
    assert found.scores[0] == 0
    assert_allclose(found.scores[1:], 0.45)  # half way between 0 and 0.9


@pytest.mark.parametrize(
    ("models", "options", "message"),
    [
        ([Z], {}, "at least two models, such as .*got list of 1"),
        (Z, {}, "at least two models, such as .*got ndarray"),
        ([Z, Z[:5]], {}, "the same rows, but they have 20, 5"),
        ([Z, Z], {"similarity": "pearson"}, "`similarity` must be one of 'lasso', 'spearman'"),
        ([Z, Z], {"alpha": -1}, "`alpha` must be at least 0"),
    ],
)
def test_what_cannot_be_used_is_refused(models, options, message):
    with pytest.raises(dm.InputError, match=message):
        dm.udr(models, **options)


def test_agreement_has_a_direction_where_latents_of_a_model_correlate():
    # The Lasso by its stationarity. With A and S = (A + B) r, Z tells A by 0.9 and S by w each; A and S
    # tell A by A alone, and B by both.
    r, alpha = 1 / math.sqrt(2), 0.1
    w = r - alpha
    a = 2 * (alpha * (1 + r) - 0.5)
    s = r - alpha - r * a
    forward = ((0.9 + w / 2) / 2 + (0.81 / (0.9 + w) + w) / 2) / 2
    backward = ((0.9 + s**2 / (s - a)) / 2 + (0.81 / (0.9 - a) + s) / 2) / 2
    found = dm.udr([Z, np.column_stack([A, (A + B) * r])])
    assert_allclose(found.scores, [forward, backward], atol=1e-3)


def test_a_mapping_of_models_stands_for_its_values():
    latents = np.random.default_rng(0).normal(size=(2, 100, 3))
    by_name = dm.udr({"a": latents[0], "b": latents[1]})
    np.testing.assert_array_equal(by_name.pairwise, dm.udr(list(latents)).pairwise)
