"""T-MEX by hand: which cells depend, and how the best assignment is counted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

import disentangle_metrics as dm
from disentangle_metrics.estimators.conditional_dependence import dependence_statistics

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

RNG = np.random.default_rng(0)
V = RNG.normal(size=(1_000, 4))
NOISE = RNG.normal(size=(1_000, 6))


def dependent(latents, factors=V, **settings):
    return dm.t_mex(latents, factors, **settings).details["dependent"].to_numpy()


def test_a_perfect_code_in_any_order_scores_1():
    order = [2, 0, 3, 1]
    code = np.tanh(V[:, order]) * [1, -2, 3, -4] + 5
    expected = np.zeros((4, 4))
    expected[range(4), order] = 1
    assert dependent(V).tolist() == np.eye(4).tolist()
    assert dependent(code).tolist() == expected.tolist()
    assert dm.t_mex(V, V).value == dm.t_mex(code, V).value == 1.0


def test_a_dense_mix_scores_1_over_k():
    mix = V @ (np.ones((4, 4)) + np.diag([1, 2, 3, 4])) + 0.1 * NOISE[:, :4]
    assert dependent(mix).sum() == 16
    assert dm.t_mex(mix, V).value == 4 / (16 + 4 - 4)


def test_noise_has_few_cells_and_a_low_score():
    """At most alpha of 8 x 20 cells are expected, so 8; 17 would be three deviations more."""
    scores = [dm.t_mex(np.random.default_rng(s).normal(size=(500, 5)), V[:500]) for s in range(8)]
    assert sum(score.details["dependent"].to_numpy().sum() for score in scores) < 17
    assert np.mean([score.value for score in scores]) < 0.3
    assert min(score.value for score in scores) == 0.0


def test_every_further_cell_and_every_missing_factor_costs():
    merged = np.column_stack([V[:, 0] + V[:, 1], V[:, 2]])
    assert dependent(merged, V).tolist() == [[1, 1, 0, 0], [0, 0, 1, 0]]
    assert dm.t_mex(merged, V).value == 2 / (3 + 4 - 2)
    doubled = np.column_stack([V, V[:, :2] + 0.1 * NOISE[:, :2]])
    assert dm.t_mex(doubled, V).value == 4 / (6 + 4 - 4)


def test_dependence_is_given_the_other_factors():
    """v_1 follows v_0, and z tells v_0 alone: correlated with v_1, and independent of it given v_0."""
    follows = np.column_stack([V[:, 0], 2 * V[:, 0] + V[:, 1]])
    code = V[:, [0]] + 0.1 * NOISE[:, [0]]
    assert abs(np.corrcoef(code[:, 0], follows[:, 1])[0, 1]) > 0.8
    assert dependent(code, follows).tolist() == [[1, 0]]


def test_a_factor_that_another_determines_and_a_constant_latent_have_no_cell():
    latents = np.column_stack([V[:, 0], np.ones(1_000)])
    assert dependent(latents, np.column_stack([V[:, 0], 2 * V[:, 0]])).tolist() == [[0, 0], [0, 0]]
    assert dm.t_mex(latents, np.column_stack([V[:, 0], np.ones(1_000)])).value == 1.0


def test_the_statistic_is_the_studentised_mean_product_of_the_residuals():
    """One half, one factor and no other: the direction is the factor itself, with the sign of its slope."""
    z, v = V[:, [0]] + NOISE[:, [0]], -V[:, [0]]
    order = np.random.default_rng(3).permutation(1_000)
    rest = order[500:]
    products = (z[rest] - z[rest].mean()) * -(v[rest] - v[rest].mean())
    expected = np.sqrt(500) * products.mean() / products.std()
    found = dependence_statistics(z, [v], 1, np.random.default_rng(3))
    assert found[0, 0] == pytest.approx(expected, rel=1e-10)
    score = dm.t_mex(z, v)
    statistic = score.details["statistic"].to_numpy()
    assert score.details["p"].to_numpy() == pytest.approx(norm.sf(statistic))


def test_a_circle_is_seen_whole():
    angle = RNG.uniform(0, 360, size=1_000)
    code = np.column_stack([np.sin(np.deg2rad(angle)), np.cos(np.deg2rad(angle))]) + 0.1 * NOISE[:, :2]
    report = dm.score(code, angle[:, None], metrics=["t_mex"], factor_types=["circular:360"], anchors=False)
    assert report["t_mex"].details["dependent"].to_numpy().tolist() == [[1], [1]]
    assert report["t_mex"].value == 1 / 2


def test_few_rows_and_groups_have_no_score():
    few = dm.t_mex(V[:20], V[:20])
    assert np.isnan(few.value)
    assert "needs 30 rows" in few.reason
    groups = dm.score(V, V, metrics=["t_mex"], groups={"all": [0, 1, 2, 3]}, anchors=False)["t_mex"]
    assert np.isnan(groups.value)


def test_the_seed_decides_whatever_the_processes():
    noisy = V + 3 * NOISE[:, :4]
    first, second = (
        dm.score(noisy, V, metrics=["t_mex"], seed=5, n_jobs=jobs, anchors=False)["t_mex"] for jobs in (1, 2)
    )
    statistic = first.details["statistic"].to_numpy()
    assert (statistic == second.details["statistic"].to_numpy()).all()
    other = dm.score(noisy, V, metrics=["t_mex"], seed=6, anchors=False)["t_mex"]
    assert (statistic != other.details["statistic"].to_numpy()).any()


def test_p_is_of_one_side_so_that_a_negative_statistic_is_no_dependence():
    code = V + 3 * NOISE[:, :4]
    details = dm.t_mex(code, V, halves=1).details
    statistic, p = details["statistic"].to_numpy(), details["p"].to_numpy()
    assert (statistic < -1).any()
    np.testing.assert_allclose(p, norm.sf(statistic), rtol=1e-12)
    np.testing.assert_array_equal(details["dependent"], statistic > norm.isf(0.05))
