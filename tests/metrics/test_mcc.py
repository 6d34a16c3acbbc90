"""MCC by hand: RDC, weak MCC, the matching with its signs."""

from __future__ import annotations

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics.estimators.randomised_dependence import dependence, drawn_waves

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

RNG = np.random.default_rng(0)
V = RNG.normal(size=(1_000, 3))
MIXING = RNG.normal(size=(3, 3))
WAVES = drawn_waves(np.random.default_rng(0))


def rdc(one, other):
    return dependence(WAVES)(one[:, None], other[:, None], one[:, None], other[:, None])[0][0, 0]


@pytest.mark.parametrize(("truth", "columns"), [(0.3, 1), (0.4, 10)], ids=["affine", "groups"])
def test_held_out_correlations_are_corrected_upward(truth, columns):
    # A fit to four fifths of 200 rows tells less than the population's. Rows that are in the fit and in the
    # fold, as a bootstrap has them, told more, and took the bias off the wrong way.
    found = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        factors = rng.normal(size=(200, 6 if columns == 1 else 2))
        latents = rng.normal(size=(*factors.shape, columns))
        latents[..., 0] = truth * factors + np.sqrt(1 - truth**2) * latents[..., 0]
        groups = {str(k): range(k * columns, (k + 1) * columns) for k in range(factors.shape[1])}
        one_by_one = columns == 1
        score = dm.score(
            latents.reshape(200, -1),
            factors,
            metrics=dm.Metric("mcc", affine=one_by_one, cross_fitted=one_by_one),
            groups=None if one_by_one else groups,
            confidence=0.95,
            replicates=40,
            anchors=False,
        )["mcc"]
        assert "|interval:subsample|" in score.signature
        found.append((score.value, score.corrected))
    value, corrected = np.mean(found, axis=0)
    assert value < corrected
    assert corrected == pytest.approx(truth, abs=0.05)


def test_rdc_sees_any_smooth_function_and_no_direction():
    assert dm.mcc(V**2, V).value < 0.1
    assert dm.mcc(V**2, V, correlation="spearman").value < 0.1
    assert dm.mcc(V**2, V, correlation="rdc").value > 0.99
    assert dm.mcc(V**2, V, correlation="rdc", cross_fitted=True).value > 0.98


def test_rdc_of_two_binary_columns_is_their_correlation():
    # Any function of a binary column is a line of it.
    one, other = np.repeat([0, 0, 1, 1], [40, 10, 20, 30]), np.repeat([0, 1, 0, 1], [40, 10, 20, 30])
    expected = (100 * 30 - 50 * 40) / np.sqrt(50 * 50 * 40 * 60)
    assert rdc(one, other) == pytest.approx(expected, abs=1e-9)


def test_rdc_of_ties_does_not_depend_on_the_order_of_rows():
    other = np.random.default_rng(3).normal(size=1_000)
    one = np.random.default_rng(4).permutation(np.repeat([0.0, 1.0], 500))  # tells nothing of the other
    order = np.argsort(other)
    as_given, in_order = rdc(one, other), rdc(one[order], other[order])
    assert as_given == pytest.approx(in_order, abs=1e-6)
    assert as_given < 0.15


def test_rdc_of_ranks_sees_no_monotone_map_and_no_constant_column():
    assert rdc(np.exp(V[:, 0]), V[:, 1]) == pytest.approx(rdc(V[:, 0], V[:, 1]), abs=1e-12)
    assert rdc(V[:, 0], V[:, 0]) == pytest.approx(1)
    assert rdc(np.ones(1_000), V[:, 0]) == 0
    both = np.column_stack([V, np.full(1_000, 0.1) + 1e-17])
    assert dm.mcc(both, V, correlation="rdc").details["correlation"].to_numpy()[3].tolist() == [0, 0, 0]


def test_the_seed_is_in_the_signature_where_it_can_change_the_number():
    assert "seed" not in dm.mcc(V, V).signature
    assert "seed:7" in dm.mcc(V, V, correlation="rdc", seed=7).signature
    assert "seed:7" in dm.mcc(V, V, cross_fitted=True, seed=7).signature
    noise = np.random.default_rng(5).normal(size=V.shape)
    first, again, other = (dm.mcc(noise, V, correlation="rdc", seed=s).value for s in (0, 0, 1))
    assert first == again != other


def test_weak_mcc_is_the_mean_canonical_correlation():
    mixed = V @ MIXING + 3
    assert dm.mcc(mixed, V).value < 0.95
    assert dm.mcc(mixed, V, affine=True).value == pytest.approx(1, abs=1e-6)
    noisy = mixed + RNG.normal(size=V.shape)
    # The eigenvalues of Czz^-1 Czv Cvv^-1 Cvz are the squared canonical correlations.
    both = np.cov(np.hstack([noisy, V]).T)
    zz, zv, vv = both[:3, :3], both[:3, 3:], both[3:, 3:]
    squares = np.linalg.eigvals(np.linalg.solve(zz, zv) @ np.linalg.solve(vv, zv.T)).real
    assert dm.mcc(noisy, V, affine=True).value == pytest.approx(np.sqrt(squares).mean(), abs=1e-6)
    two = dm.mcc(mixed[:, :2], V, affine=True)
    assert two.value == pytest.approx(2 / 3, abs=1e-6)
    assert two.per_factor is None
    assert dm.mcc(mixed[:, :2], V, affine=True, normalisation="matched").value == pytest.approx(1, abs=1e-6)


def test_weak_mcc_of_noise_is_about_nothing_held_out():
    noise = np.random.default_rng(6).normal(size=(200, 3))
    assert dm.mcc(noise, V[:200], affine=True).value > 0.09
    assert dm.mcc(noise, V[:200], affine=True, cross_fitted=True).value < 0.05


def test_the_matching_and_its_signs():
    latents = np.column_stack([np.zeros(1_000), -V[:, 1], V[:, 0]])
    matching = dm.mcc(latents, V[:, :2]).details["matching"]
    np.testing.assert_array_equal(matching, [[0, 0], [0, -1], [1, 0]])
    held_out = dm.mcc(latents, V[:, :2], cross_fitted=True).details["matching"]
    np.testing.assert_allclose(held_out, [[0, 0], [0, -1], [1, 0]])
    with_constant = np.column_stack([V[:, 0], np.ones(1_000), V[:, 1]])
    matching = dm.mcc(latents, with_constant, correlation="spearman").details["matching"].to_numpy()
    np.testing.assert_array_equal(matching, [[0, np.nan, 0], [0, np.nan, -1], [1, np.nan, 0]])


def test_the_signs_of_factors_that_lack_values():
    factors = V.copy()
    factors[::3, 0] = np.nan
    matching = dm.score(-V, factors, metrics="mcc", missing="drop", anchors=False)["mcc"].details["matching"]
    np.testing.assert_array_equal(matching, -np.eye(3))


def test_circles_and_groups_have_no_such_score():
    angle = RNG.uniform(0, 360, size=(300, 1))
    around = dm.score(
        angle, angle, metrics=[dm.Metric("mcc", affine=True)], factor_types=["circular:360"], anchors=False
    )
    assert "circles" in around["mcc"].reason
    group = dm.score(V, V, metrics=[dm.Metric("mcc", correlation="rdc")], groups={"a": [0, 1]}, anchors=False)
    assert "groups" in group["mcc"].reason


@pytest.mark.parametrize("correlation", ["pearson", "spearman", "rdc"])
def test_a_matched_pair_without_correlation_counts_0_held_out_too(correlation):
    # Two latents and two factors are two pairs, one of them with a latent that never varies.
    latents = np.column_stack([V[:, 0], np.ones(1_000)])
    for cross_fitted in (False, True):
        score = dm.mcc(
            latents, V[:, :2], correlation=correlation, normalisation="matched", cross_fitted=cross_fitted
        )
        assert score.value == pytest.approx(0.5, abs=1e-9)
        assert score.per_factor.to_numpy() == pytest.approx([1, 0], abs=1e-9)


def test_held_out_pairs_are_as_many_as_latents_although_folds_differ():
    # One latent follows both factors alike, so that folds differ in which they match: still one pair each.
    latent = V[:, :2].sum(axis=1, keepdims=True)
    score = dm.mcc(latent, V[:, :2], normalisation="matched", cross_fitted=True, seed=0)
    assert (np.abs(score.details["matching"].to_numpy()) % 1 > 0).all()  # neither always nor never
    assert score.value == pytest.approx(np.sqrt(0.5), abs=0.05)
    everything = dm.mcc(latent, V[:, :2], cross_fitted=True, seed=0)
    assert everything.value == pytest.approx(score.value / 2, abs=1e-12)


def test_folds_of_one_row_have_no_correlation():
    assert "needs 10 rows, got 9" in dm.mcc(V[:9], V[:9], cross_fitted=True).reason
    assert dm.mcc(V[:10], V[:10], cross_fitted=True).value == pytest.approx(1)


def test_weak_mcc_is_never_above_1():
    assert max(dm.mcc(np.hstack([V, V]) * scale, V, affine=True).value for scale in (1, 3, 7, 0.1)) <= 1
