"""The quality of a probe on the test rows, and what it says of the latents."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import randint
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LassoCV, LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, RandomizedSearchCV
from sklearn.pipeline import Pipeline

from disentangle_metrics.errors import InputError
from disentangle_metrics.estimators.probes.probes import Target, fit, svm_accuracies
from disentangle_metrics.settings import Seeded, parts_that_draw

LINE = np.arange(4.0)[:, None]  # a regression on it predicts each value by itself


def quality(tested, at=(0.0, 1.0, 2.0)):
    """R2 of the prediction y = x at these places, where the factor is `tested`."""
    target = Target(LINE[:, 0], np.asarray(tested, dtype=float), categories=False)
    return fit(LinearRegression(), LINE, np.asarray(at)[:, None], target).quality


def test_r2_of_an_imperfect_prediction_by_hand():
    # Residuals 0, 0, 2; deviations from the mean of 5/3: (25 + 4 + 49) / 9.
    assert quality([0, 1, 4]) == pytest.approx(1 - 4 / (78 / 9))
    # Worse than the mean: residuals 2, 0, -2 beside deviations of 1, 0, -1.
    assert quality([2, 1, 0]) == pytest.approx(1 - 8 / 2)


def test_r2_where_all_test_rows_are_alike():
    assert quality([1, 1], at=(1.0, 1.0)) == pytest.approx(1, abs=1e-12)
    assert quality([1, 1], at=(0.0, 2.0)) == 0


def test_boosted_trees_and_the_lasso_have_the_r2_of_their_predictions():
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(400, 2))
    target = latents[:, 0] + rng.normal(size=400)
    rows = Target(target[:300], target[300:], categories=False)
    # With a penalty that leaves no weight the prediction is the mean of the training rows.
    flat = fit("lasso", latents[:300], latents[300:], rows, alpha=1e3)
    miss = np.mean((rows.test - rows.train.mean()) ** 2) / rows.test.var()
    assert flat.quality == pytest.approx(1 - miss)
    assert not flat.importances.any()
    # The latent explains half of the factor's variance.
    for probe in ("lasso", "boosted_trees", "gradient_boosting", "random_forest"):
        found = fit(probe, latents[:300], latents[300:], rows)
        assert 0.2 < found.quality < 0.7
        assert found.importances[0] > 3 * found.importances[1]


def test_the_lasso_chooses_its_penalty_over_ten_folds():
    rng = np.random.default_rng(3)
    latents = rng.normal(size=(60, 4))
    factor = latents[:, 0] + 2 * rng.normal(size=60)
    found = fit("lasso", latents, latents, Target(factor, factor, categories=False))
    standard = (latents - latents.mean(axis=0)) / latents.std(axis=0)
    published = {
        folds: LassoCV(cv=folds).fit(standard, (factor - factor.mean()) / factor.std())
        for folds in (9, 10, 11)
    }
    assert_allclose(found.importances, np.abs(published[10].coef_))
    assert len({model.alpha_ for model in published.values()}) == 3


def test_accuracy_rounds_what_a_regression_predicts():
    target = Target(np.arange(4), np.array([0, 1, 3, 3]), categories=True)
    tested = np.array([[0.4], [0.6], [2.6], [2.4]])  # rounded 0, 1, 3, 2
    assert fit(LinearRegression(), LINE, tested, target).quality == 0.75


def test_importances_are_the_sizes_of_the_weights_over_all_classes():
    latents = np.column_stack([np.repeat([-1.0, 1.0], 50), np.tile([0.0, 1.0], 50)])
    codes = np.repeat([0, 1], 50)
    found = fit(LogisticRegression(), latents, latents, Target(codes, codes, categories=True))
    assert found.importances[0] > 1
    assert abs(found.importances[1]) < 1e-3
    falling = fit(LinearRegression(), LINE, LINE, Target(-3 * LINE[:, 0], LINE[:, 0], categories=False))
    assert_allclose(falling.importances, [3])


class NoWeights(BaseEstimator):
    """A regression that does not say what it used."""

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.zeros(len(X))


def test_estimators_that_cannot_be_used_are_refused():
    rows = Target(LINE[:, 0], LINE[:, 0], categories=False)
    with pytest.raises(InputError, match="classifies, but a factor is continuous"):
        fit(LogisticRegression(), LINE, LINE, rows)
    with pytest.raises(InputError, match="neither feature_importances_ nor coef_ after fitting"):
        fit(NoWeights(), LINE, LINE, rows)


@pytest.mark.parametrize(
    "probe",
    [
        RandomForestClassifier(3, max_depth=2),
        LassoCV(alphas=30, cv=KFold(2, shuffle=True)),  # of which the folds alone are drawn
    ],
)
def test_an_estimator_without_random_state_draws_by_the_seed(probe):
    rng = np.random.default_rng(0)
    latents, codes = rng.normal(size=(90, 4)), rng.integers(0, 3, 90)
    rows = Target(codes, codes, categories=True)
    runs = [fit(probe, latents, latents, rows, seed=seed).importances.tolist() for seed in (0, 0, 1, 2)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2] or runs[0] != runs[3]
    assert getattr(probe, "cv", probe).random_state is None  # the caller's own stays as it was


class Search(GridSearchCV):
    """A search that says what the best step used."""

    @property
    def feature_importances_(self):
        return self.best_estimator_[-1].feature_importances_


def test_candidates_of_a_search_draw_by_the_seed():
    rng = np.random.default_rng(0)
    latents, codes = rng.normal(size=(90, 4)), rng.integers(0, 3, 90)
    rows = Target(codes, codes, categories=True)
    forest, candidate = (RandomForestClassifier(3, max_depth=2) for _ in "ab")
    probe = Search(Pipeline([("forest", forest)]), [{"forest": [candidate]}], cv=2)
    runs = [fit(probe, latents, latents, rows, seed=seed).importances.tolist() for seed in (0, 0, 1)]
    assert runs[0] == runs[1] != runs[2]
    assert candidate.random_state is None
    assert not Seeded().hold(Search(forest, {"c": (clone(forest).set_params(random_state=rng),)}))


def test_a_distribution_of_candidates_is_no_generator():
    search = RandomizedSearchCV(RandomForestClassifier(), {"max_depth": randint(2, 5)})
    assert Seeded().hold(search)
    assert len(parts_that_draw(search)) == 2  # the search and the forest


@pytest.mark.parametrize("probe", ["random_forest", LogisticRegression()])
def test_seeds_beyond_those_of_sklearn_draw(probe):
    rng = np.random.default_rng(0)
    latents, codes = rng.normal(size=(30, 2)), rng.integers(0, 2, 30)
    rows = Target(codes, codes, categories=True)
    assert np.isfinite(fit(probe, latents, latents, rows, seed=2**33 + 1).importances).all()


def test_an_estimator_keeps_the_whole_number_it_has():
    rng = np.random.default_rng(0)
    latents, codes = rng.normal(size=(90, 4)), rng.integers(0, 3, 90)
    rows = Target(codes, codes, categories=True)
    own = RandomForestClassifier(3, max_depth=2, random_state=5)
    expected = clone(own).fit(latents, codes).feature_importances_
    assert_allclose(fit(own, latents, latents, rows, seed=1).importances, expected, rtol=0)


def test_a_linear_machine_on_each_latent_alone():
    codes = np.repeat([0, 1], 50)
    latents = np.column_stack([codes, np.zeros(100), 1 - codes]).astype(float)
    accuracies = svm_accuracies(latents, latents[40:], Target(codes, codes[40:], categories=True))
    assert accuracies[[0, 2]].tolist() == [1, 1]
    assert accuracies[1] in (10 / 60, 50 / 60)  # one class always
    alone = Target(np.ones(100, dtype=int), codes[40:], categories=True)
    assert_allclose(svm_accuracies(latents, latents[40:], alone), 50 / 60)
