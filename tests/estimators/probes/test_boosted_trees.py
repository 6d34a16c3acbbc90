"""Boosted trees: the published learner's numbers, and what must not change them."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor

from disentangle_metrics.errors import InputError
from disentangle_metrics.estimators.probes.boosted_trees import fit_boosted_trees
from disentangle_metrics.estimators.probes.histogram_trees import bin_latents


def problem(classes, rows=1200, seed=0):
    """Latents with 51 values each, so that bins lose nothing; two of three matter."""
    generator = np.random.default_rng(seed)
    latents = np.clip(np.rint(generator.standard_normal((rows, 3)) * 10), -25, 25)
    value = latents[:, 0] + 0.6 * latents[:, 1] + 3 * generator.standard_normal(rows)
    return latents, value if classes is None else np.digitize(value, np.linspace(-12, 12, classes + 1)[1:-1])


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_same_trees_as_the_published_classifier(classes):
    """Depth 2, where this problem has no ties (the published importances do not depend on the seed)."""
    latents, codes = problem(classes)
    theirs, *reseeded = (
        GradientBoostingClassifier(n_estimators=25, max_depth=2, random_state=seed).fit(latents, codes)
        for seed in range(3)
    )
    for other in reseeded:
        assert_allclose(theirs.feature_importances_, other.feature_importances_, rtol=0, atol=1e-12)
    ours = fit_boosted_trees(latents, codes, classes=classes, stages=25, depth=2)
    assert_allclose(ours.importances, theirs.feature_importances_, rtol=0, atol=1e-8)
    fresh = np.random.default_rng(1).uniform(-25, 25, (500, 3)).round(3)
    decision = theirs.decision_function(fresh)
    assert_allclose(ours.raw(fresh), decision[:, None] if classes == 2 else decision, rtol=0, atol=1e-6)
    assert_array_equal(ours.predict(fresh), theirs.predict(fresh))


@pytest.mark.parametrize("classes", [2, 4])
def test_default_settings_differ_by_ties_alone(classes):
    """Two cuts that tie can part the rows differently: ours must be one of the published learner's outcomes."""
    latents, codes = problem(classes, rows=400)
    published = [GradientBoostingClassifier(random_state=s).fit(latents, codes) for s in (0, 3)]
    ours = fit_boosted_trees(latents, codes, classes=classes)
    raw = ours.raw(latents) if classes > 2 else ours.raw(latents)[:, 0]
    assert min(np.abs(raw - learner.decision_function(latents)).max() for learner in published) < 1e-6
    theirs = np.mean([learner.feature_importances_ for learner in published], axis=0)
    assert_allclose(ours.importances, theirs, rtol=0, atol=0.005)


def test_same_trees_as_the_published_regressor():
    latents, values = problem(None)
    theirs = GradientBoostingRegressor(n_estimators=30, max_depth=2, random_state=0).fit(latents, values)
    ours = fit_boosted_trees(latents, values, classes=None, stages=30, depth=2)
    assert_allclose(ours.importances, theirs.feature_importances_, rtol=0, atol=1e-8)
    fresh = np.random.default_rng(1).uniform(-25, 25, (500, 3)).round(3)
    assert_allclose(ours.predict(fresh), theirs.predict(fresh), rtol=0, atol=1e-6)


@pytest.mark.parametrize("classes", [None, 4])
def test_fewer_bins_than_values_stay_close(classes):
    generator = np.random.default_rng(0)
    latents = generator.standard_normal((1200, 4))
    target = latents[:, 0] + 0.5 * latents[:, 1] ** 2 + 0.3 * generator.standard_normal(1200)
    learner = GradientBoostingRegressor
    if classes:
        target, learner = np.digitize(target, [-0.5, 0.5, 1.5]), GradientBoostingClassifier
    theirs = learner(random_state=0).fit(latents[:800], target[:800])
    ours = fit_boosted_trees(latents[:800], target[:800], classes=classes)
    assert_allclose(ours.importances, theirs.feature_importances_, rtol=0, atol=0.03)
    found, published = ours.predict(latents[800:]), theirs.predict(latents[800:])
    if classes:
        assert np.mean(found == target[800:]) == pytest.approx(np.mean(published == target[800:]), abs=0.02)
    else:
        assert np.corrcoef(found, published)[0, 1] > 0.99


@pytest.mark.parametrize("classes", [None, 2, 5])
def test_order_of_rows_and_latents_changes_no_bit(classes):
    """200 rows make ties between latents frequent; one latent is a copy, one a mirror image."""
    latents, target = problem(classes, rows=200)
    latents = np.column_stack([latents, latents[:, 0], -latents[:, 1]])
    expected = fit_boosted_trees(latents, target, classes=classes, stages=20)
    generator = np.random.default_rng(3)
    rows, columns = generator.permutation(200), generator.permutation(5)
    shuffled = fit_boosted_trees(latents[rows][:, columns], target[rows], classes=classes, stages=20)
    assert_array_equal(shuffled.importances, expected.importances[columns])
    assert_array_equal(shuffled.leaves, expected.leaves)
    assert_array_equal(shuffled.predict(latents[:, columns]), expected.predict(latents))


def test_equal_latents_share_importance_equally():
    latents, codes = problem(5)
    alone = fit_boosted_trees(latents, codes, classes=5, stages=20).importances
    both = fit_boosted_trees(latents[:, [0, 1, 2, 0]], codes, classes=5, stages=20).importances
    assert both[0] == both[3]
    assert both[0] + both[3] == pytest.approx(alone[0], abs=0.002)
    mirrored = np.column_stack([latents, -latents[:, 1]])
    importances = fit_boosted_trees(mirrored, codes, classes=5, stages=20).importances
    assert importances[1] == pytest.approx(importances[3], abs=1e-12)


@pytest.mark.parametrize("rows", [60, 600])
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), scale=st.floats(1e-3, 1e3), shift=st.floats(-10, 10))
def test_increasing_maps_change_nothing(rows, seed, scale, shift):
    generator = np.random.default_rng(seed)
    latents = generator.standard_normal((rows, 3)).round(4)
    codes = np.digitize(latents[:, 0] + 0.3 * generator.standard_normal(rows), [-0.5, 0.5])
    mapped = np.column_stack([latents[:, 0] * scale + shift, np.exp(latents[:, 1]), latents[:, 2] ** 3])
    expected = fit_boosted_trees(latents, codes, classes=3, stages=5)
    result = fit_boosted_trees(mapped, codes, classes=3, stages=5)
    assert_array_equal(result.importances, expected.importances)
    assert_array_equal(result.predict(mapped), expected.predict(latents))


def test_repeats_and_thread_counts_give_the_same_bits():
    script = (
        "import numpy as np; from disentangle_metrics.estimators.probes.boosted_trees import fit_boosted_trees\n"
        "g = np.random.default_rng(0); z = g.standard_normal((3000, 6)); y = g.integers(0, 12, 3000)\n"
        "f = fit_boosted_trees(z, y, classes=12, stages=5); r = f.importances.tobytes() + f.leaves.tobytes()\n"
        "print(r.hex())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads),
            capture_output=True,
            check=True,
        ).stdout
        for threads in ("1", "1", "2")
    }
    assert len(outputs) == 1


def test_trees_in_blocks_are_the_same_trees(monkeypatch):
    latents, codes = problem(5)
    expected = fit_boosted_trees(latents, codes, classes=5, stages=5)
    monkeypatch.setattr("disentangle_metrics.estimators.probes.boosted_trees._BLOCK_CELLS", 1600)
    blocks = fit_boosted_trees(latents, codes, classes=5, stages=5)
    assert_array_equal(blocks.leaves, expected.leaves)
    assert_array_equal(blocks.raw(latents), expected.raw(latents))
    assert_allclose(blocks.importances, expected.importances, rtol=1e-14)


def test_constant_latents_have_no_importance():
    latents, codes = problem(3)
    padded = np.column_stack([np.full(len(latents), 3.5), latents, np.zeros(len(latents))])
    importances = fit_boosted_trees(padded, codes, classes=3, stages=10).importances
    assert importances[0] == importances[4] == 0
    assert_array_equal(importances[1:4], fit_boosted_trees(latents, codes, classes=3, stages=10).importances)


@pytest.mark.parametrize("classes", [None, 3])
def test_one_value_of_the_target_is_predicted_without_trees(classes):
    latents, _ = problem(3)
    trees = fit_boosted_trees(latents, np.full(len(latents), 2), classes=classes, stages=3)
    assert_array_equal(trees.importances, np.zeros(3))
    assert_array_equal(trees.predict(latents), np.full(len(latents), 2))


def test_only_constant_latents_predict_the_prior():
    trees = fit_boosted_trees(np.ones((9, 2)), np.repeat([0, 1, 2], [2, 4, 3]), classes=3, stages=3)
    assert_array_equal(trees.importances, np.zeros(2))
    assert_array_equal(trees.predict(np.zeros((4, 2))), np.ones(4))


def test_a_class_with_one_row_and_codes_without_rows():
    latents = np.arange(12.0)[:, None]
    codes = np.repeat([1, 4, 6], [5, 6, 1])
    trees = fit_boosted_trees(latents, codes, classes=8)
    assert_array_equal(trees.classes, [1, 4, 6])
    assert_array_equal(trees.importances, [1])
    assert_array_equal(trees.predict(latents), codes)


def test_two_latents_that_only_help_together():
    """Exclusive or on a balanced grid: the first cut removes nothing, the two below it everything."""
    first, second = (part.ravel() for part in np.indices((2, 2)).repeat(10, axis=1))
    latents = np.column_stack([np.zeros_like(first), first, second])
    trees = fit_boosted_trees(latents, first ^ second, classes=2)
    assert_array_equal(trees.predict(latents), first ^ second)
    assert trees.importances[0] == 0
    assert trees.importances.sum() == pytest.approx(1)


def test_cuts_do_not_straddle_the_values_of_a_clean_code():
    """Far more distinct values than bins, in clusters that quantiles would cut across: no mistake is made."""
    generator = np.random.default_rng(0)
    codes = generator.integers(0, 40, 4000)
    latents = np.column_stack([codes + generator.uniform(-0.4, 0.4, 4000), generator.standard_normal(4000)])
    trees = fit_boosted_trees(latents[:3000], codes[:3000], classes=40, stages=10)
    assert_array_equal(trees.predict(latents[3000:]), codes[3000:])
    assert trees.importances[0] > 0.999


def test_values_beyond_the_training_rows_fall_into_the_nearest_leaf():
    """The nodes below the only cut have none; a row must not end in their empty right halves."""
    trees = fit_boosted_trees(np.repeat([[0.0], [1.0]], 5, axis=0), np.repeat([0, 1], 5), classes=2, stages=3)
    assert_array_equal(trees.raw([[-9.0], [9.0]]), trees.raw([[0.0], [1.0]]))


def test_steps_that_overshoot_are_taken_back():
    """A rate of 20 drives probabilities to 0, where a Newton step would have no curvature to divide by."""
    latents, codes = np.repeat(np.arange(6.0), 4)[:, None], np.repeat([0, 1, 0, 2, 1, 0], 4)
    trees = fit_boosted_trees(latents, codes, classes=3, stages=40, depth=1, rate=20)
    assert np.isfinite(trees.leaves).all()
    assert_array_equal(trees.predict(latents), codes)


def test_scores_grow_without_overflow():
    """Two classes that nothing separates: leaf steps become huge and must stay finite."""
    generator = np.random.default_rng(0)
    trees = fit_boosted_trees(
        generator.integers(0, 2, (60, 2)), generator.integers(0, 3, 60), classes=3, rate=1
    )
    assert np.isfinite(trees.leaves).all()
    assert np.isfinite(trees.importances).all()


@pytest.mark.parametrize(
    ("latents", "target", "settings", "message"),
    [
        (np.zeros(4), np.zeros(4, int), {}, r"`latents` has shape \(4,\)"),
        (np.zeros((4, 2)), np.zeros(3, int), {}, r"`target` \(3,\)"),
        (np.zeros((0, 2)), np.zeros(0, int), {}, "neither empty"),
        (np.zeros((4, 2)), np.array([0, 1, 2, 3]), {}, r"integer codes from 0 to classes - 1 = 2"),
        (np.zeros((4, 2)), np.array([0, 1, -1, 0]), {}, "values from -1 to 1"),
        (np.zeros((4, 2)), np.zeros(4), {}, "dtype float64"),
        (np.zeros((4, 2)), np.zeros(4, int), {"bins": 1}, "`bins` is 1"),
        (
            np.zeros((2**20, 1)),
            np.zeros(2**20, int),
            {},
            "has 1,048,576 rows; at most 1,048,575 are accepted",
        ),
        (np.zeros((4, 2)), np.zeros(4, int), {"depth": 8}, "`depth` is 8"),
    ],
)
def test_input_that_cannot_be_used(latents, target, settings, message):
    with pytest.raises(InputError, match=message):
        fit_boosted_trees(latents, target, classes=3, **settings)


def test_runs_of_one_response_share_bins_by_their_number_and_their_rows():
    # Four runs of 6, 6, 1 and 2 rows. In units of 1 / (2 runs rows) they weigh 39, 39, 19 and 23 of 120, and
    # their middles lie at 19.5, 58.5, 87.5 and 108.5: two on each side of the half.
    binned = bin_latents(np.arange(15.0)[:, None], np.repeat([0, 1, 0, 1], [6, 6, 1, 2]), 2)
    assert binned.codes.tolist() == [[0] * 12 + [1] * 3]
    assert (binned.lowest.ravel().tolist(), binned.highest.ravel().tolist()) == ([0, 12], [11, 14])


def test_a_node_that_cannot_be_split_sends_all_rows_one_way():
    # Where the second latent is 0, the first is 2 in every row: nothing is learnt of 0 and 1 there.
    latents = np.array([[0, 1], [1, 1], [2, 1], [2, 0]] * 5, dtype=float)
    trees = fit_boosted_trees(latents, 10 * latents[:, 1] + latents[:, 0], classes=None, stages=1)
    assert len(set(trees.predict(np.array([[0.0, 0], [1, 0], [2, 0]])))) == 1
