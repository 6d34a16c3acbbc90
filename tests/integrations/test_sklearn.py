"""The scorer inside scikit-learn's own model selection."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import disentangle_metrics as dm
from disentangle_metrics.integrations.sklearn import make_scorer
from disentangle_metrics.metrics import METRICS

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    """Inputs in which factors of unlike spread lie along axes that a matrix has turned."""
    rng = np.random.default_rng(0)
    factors = rng.integers(0, [4, 3], (400, 2))
    turned = np.linalg.qr(rng.normal(size=(5, 5)))[0][:2]
    return (factors * [3.0, 1.0]) @ turned + 0.05 * rng.normal(size=(400, 5)), factors


def test_a_score_is_that_of_the_latents(data) -> None:
    X, factors = data
    pca = PCA(2).fit(X)
    assert make_scorer("mig")(pca, X, factors) == dm.mig(pca.transform(X), factors).value
    assert (
        make_scorer(dm.Metric("mig", bins=7))(pca, X, factors)
        == dm.mig(pca.transform(X), factors, bins=7).value
    )
    assert make_scorer("mig", seed=3).report(pca, X, pd.DataFrame(factors, columns=["a", "b"])).seed == 3


@pytest.mark.parametrize("kind", [int, str])
def test_one_factor_as_a_list(data, kind) -> None:
    X, factors = data
    labels = [kind(value) for value in factors[:, 0]]
    pca, expected = PCA(2).fit(X), dm.mig(PCA(2).fit_transform(X), factors[:, :1]).value
    assert make_scorer("mig")(pca, X, labels) == make_scorer("mig")(pca, X, tuple(labels)) == expected
    assert make_scorer("mig")(pca, X, factors.tolist()) == make_scorer("mig")(pca, X, factors)


def test_grid_search_chooses_by_it(data) -> None:
    X, factors = data
    search = GridSearchCV(
        make_pipeline(StandardScaler(with_std=False), PCA()), {"pca__n_components": [1, 2]},
        scoring={"mig": make_scorer("mig"), "total": make_scorer("total_correlation")}, refit="mig", cv=2,
    ).fit(X, factors)  # fmt: skip
    assert search.best_params_ == {"pca__n_components": 2}
    halves = [
        dm.mig(PCA(2).fit(X[train]).transform(X[test]), factors[test]).value
        for train, test in KFold(2).split(X)
    ]
    assert search.best_score_ == pytest.approx(np.mean(halves), abs=1e-9)
    assert (search.cv_results_["mean_test_total"] <= 0).all()  # lower is better, so its sign is turned


def test_one_factor_and_labels_of_clusters(data) -> None:
    X, factors = data
    scores = cross_validate(PCA(2), X, factors[:, 0], scoring=make_scorer("mig"), cv=2)
    assert (scores["test_score"] > 0.5).all()
    with pytest.raises(dm.InputError, match="shape"):  # predict gives labels (n,), which are no table
        make_scorer("mig", encode_with="predict")(KMeans(2, n_init=1).fit(X), X, factors)


def test_it_can_be_sent_to_another_process() -> None:
    again = pickle.loads(pickle.dumps(make_scorer("mig", seed=2)))
    assert repr(again) == "make_scorer('mig', seed=2)"


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (["dci"], {}, "must be one score"),
        (["mig"], {"metrics": "sap"}, "`metrics` is no option of a scorer"),
        (["migg"], {}, "did you mean 'mig'"),
        (["mig"], {"sed": 1}, "there is no option 'sed'"),
    ],
)
def test_what_cannot_be_used_is_refused(arguments, options, message) -> None:
    with pytest.raises(dm.InputError, match=message):
        make_scorer(*arguments, **options)


def test_an_estimator_without_latents_is_refused(data) -> None:
    with pytest.raises(dm.InputError, match="has no method transform or predict"):
        make_scorer()(object(), *data)


def test_a_remark_is_made_once_for_all_folds(data) -> None:
    X, factors = data
    ages = np.column_stack([factors[:, 0], np.random.default_rng(0).integers(0, 60, 400)])
    with warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always")
        GridSearchCV(PCA(), {"n_components": [1, 2]}, scoring=make_scorer("mig"), cv=3).fit(X, ages)
    texts = [str(remark.message) for remark in remarks if "factor_1" in str(remark.message)]
    assert len(texts) == len(set(texts)) > 0


def test_a_setting_of_a_metric_is_said_to_be_one() -> None:
    with pytest.raises(
        dm.InputError, match=r"no option 'bins'; it is a setting .* `dm.Metric\('mig_sup', bins="
    ):
        make_scorer("mig_sup", bins=10)


def one_half(relations) -> dm.MetricValue:
    return dm.MetricValue(0.5)


def test_a_metric_of_the_program_goes_into_processes_that_do_not_run_it(data) -> None:
    X, factors = data
    dm.metric(property="compactness", source="this test")(one_half)
    try:
        sent = pickle.dumps(make_scorer("one_half"))
        METRICS.remove("one_half")
        assert pickle.loads(sent)(PCA(2).fit(X), X, factors) == 0.5
    finally:
        METRICS.remove("one_half")


def test_a_score_without_a_value_ends_with_its_reason():
    inputs = np.random.default_rng(0).normal(size=(90, 4))
    search = GridSearchCV(
        PCA(), {"n_components": [2]}, scoring=make_scorer("mig_sup"), error_score="raise", cv=3
    )
    with pytest.raises(dm.InputError, match="mig_sup has no value: .*two factors"):
        search.fit(inputs, np.arange(90) % 3)
