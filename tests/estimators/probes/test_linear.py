"""Scaling, areas under the curve, logistic classifiers and the regressions of the review."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from disentangle_metrics.estimators.probes.linear import areas_under_roc, class_ranking, named_classes
from disentangle_metrics.estimators.probes.probes import Target
from disentangle_metrics.estimators.probes.unit_regression import unit_data, unit_forest, unit_lasso
from disentangle_metrics.estimators.scaling import scaled

RNG = np.random.default_rng(0)


def test_scaling_is_that_of_the_train_rows():
    train, test = np.array([[0.0, 7], [4, 7]]), np.array([[8.0, 9]])
    standard = scaled(train, test, "standard")
    assert standard[0].tolist() == [[-1, 0], [1, 0]]
    assert standard[1].tolist() == [[3, 2]]  # a constant column is only moved
    unit = scaled(train, test, "minmax")
    assert (unit[0].tolist(), unit[1].tolist()) == ([[0, 0], [1, 0]], [[2, 2]])
    assert scaled(train, test, "none")[1].tolist() == [[8, 9]]


def test_rounding_errors_of_a_constant_column_are_not_blown_up():
    column = np.full((5, 1), 0.1) + np.array([[0, 1, 0, -1, 0]]).T * 1e-17
    assert np.abs(scaled(column, column, "standard")[0]).max() < 1e-15


def test_areas_equal_the_share_of_ordered_pairs():
    scores = RNG.integers(5, size=(40, 3)).astype(float)
    positive = RNG.random((40, 3)) < 0.4
    positive[:, 2] = False
    areas = areas_under_roc(scores, positive)
    for column in range(2):
        ones, zeros = scores[positive[:, column], column], scores[~positive[:, column], column]
        pairs = np.sign(ones[:, None] - zeros) / 2 + 0.5
        assert areas[column] == pytest.approx(pairs.mean())
    assert np.isnan(areas[2])


def test_areas_equal_scikit_learns():
    from sklearn.metrics import roc_auc_score

    scores, positive = RNG.normal(size=(50, 1)), RNG.random((50, 1)) < 0.3
    assert areas_under_roc(scores, positive)[0] == pytest.approx(roc_auc_score(positive, scores))


@pytest.mark.parametrize("decision", ["multinomial", "one_vs_rest", "separate"])
def test_the_classifier_is_the_optimum_of_its_loss(decision):
    """Compared with the same loss minimised far beyond the tolerance of scikit-learn's default."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    latents = RNG.normal(size=(300, 2)) * [1, 20]
    classes = np.digitize(latents[:, 0] + RNG.normal(size=300), [-0.7, 0.7])
    target = Target(classes, classes, categories=True)
    found = class_ranking(
        latents, latents, target, decision=decision, scaling="none", class_weight=None, C=10.0
    )
    model = LogisticRegression(C=10.0, tol=1e-10, max_iter=10_000)
    if decision == "multinomial":
        scores = model.fit(latents, classes).predict_proba(latents)
    else:
        wrapped = OneVsRestClassifier(model).fit(latents, classes)
        scores = wrapped.predict_proba(latents)
        if decision == "separate":
            scores = np.column_stack([e.predict_proba(latents)[:, 1] for e in wrapped.estimators_])
    expected = areas_under_roc(scores, classes[:, None] == np.arange(3)).mean()
    assert_allclose(found.auc, expected, atol=1e-4)
    assert found.unseen == 0


def test_named_classes_of_train_and_test_rows():
    classes = np.repeat([0, 1, 2], 30)
    latents = classes[:, None] * 5.0 + RNG.normal(size=(90, 1))
    fitted, named = named_classes(latents, classes, latents[::-1], "standard")
    assert (fitted == classes).mean() > 0.95
    assert fitted[::-1].tolist() == named.tolist()


def unit(weights, noise=0.0):
    latents = RNG.random((400, len(weights)))
    factor = latents @ weights + noise * RNG.normal(size=400)
    return unit_data(latents * 7 - 3, latents * 7 - 3, Target(factor * 2 + 9, factor * 2 + 9, False))


def test_units_are_those_of_the_rows_trained_on():
    train, test = np.array([[0.0], [10], [5]]), np.array([[20.0], [5]])
    parts = unit_data(train, test, Target(np.array([2, 4, 3]), np.array([5, 3]), False))
    assert [part.ravel().tolist() for part in parts] == [[0, 1, 0.5], [0, 1, 0.5], [2, 0.5], [1.5, 0.5]]


def test_the_lasso_finds_the_weights_and_the_quality_by_hand():
    data = unit(np.array([1.0, 0.0]))
    weights, quality = unit_lasso(data)
    assert_allclose(weights, [1, 0], atol=5e-3)
    assert quality == pytest.approx(1, abs=1e-3)


def test_quality_is_one_minus_twelve_times_the_squared_error():
    data = unit(np.array([0.0, 0.0]), noise=1.0)
    weights, quality = unit_lasso(data)
    assert not weights.any()  # so that the prediction is the mean
    residual = data[3] - data[3].mean()
    assert quality == pytest.approx(max(1 - 12 * np.mean(residual**2), 0))


def test_the_forest_finds_the_latent_that_matters():
    weights, quality = unit_forest(unit(np.array([1.0, 0.0, 0.0])), seed=0)
    assert weights[0] > 0.95
    assert quality > 0.95
