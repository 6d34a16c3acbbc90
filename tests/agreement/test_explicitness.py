"""Explicitness against the study's implementation and that of the authors of RMIG."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import disentangle_metrics as dm
from tests.agreement.reference import arrays, first_rows_train, ids, numbers, records

pytestmark = pytest.mark.filterwarnings(
    "ignore::disentangle_metrics.ScoreWarning", "ignore::sklearn.exceptions.ConvergenceWarning"
)

LARGE = ("p10", "p16")
STUDY = records("disentanglement_lib", "modularity_explicitness")
RMIG = records("clarken92", "explicitness")


def slow(pairs):
    return [
        pytest.param(*pair, marks=pytest.mark.slow if pair[0].startswith(LARGE) else ()) for pair in pairs
    ]


@pytest.mark.parametrize(("case", "record"), slow(STUDY), ids=ids(STUDY))
def test_area_on_the_test_rows(case, record):
    latents, factors = arrays(case)
    split = first_rows_train(len(latents))
    score = dm.explicitness(latents, factors, split=split, protocol="locatello2019")
    assert_allclose(score.value, record["values"]["explicitness_score_test"], rtol=0, atol=1e-3)
    per_factor = record["values"].get("per_factor_train_test")
    if per_factor is not None:
        assert_allclose(score.per_factor, numbers(per_factor)[:, 1], rtol=0, atol=1e-3)


def test_constant_latents_are_no_obstacle():
    """p09: the study's implementation raises on its two constant latents, which divide by 0 when scaled."""
    latents, factors = arrays("p09_inactive")
    split = first_rows_train(len(latents))
    score = dm.explicitness(latents, factors, split=split, protocol="locatello2019")
    moving = np.ptp(latents, axis=0) > 0
    without = dm.explicitness(latents[:, moving], factors, split=split, protocol="locatello2019")
    assert (~moving).sum() == 2
    assert_allclose(score.value, without.value, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("case", "record"), slow(RMIG), ids=ids(RMIG))
def test_area_in_sample_of_an_unpenalised_one_vs_rest_classifier(case, record):
    """On p14 their solver stops short of the optimum, which moves one factor by 0.0023; see below."""
    score = dm.explicitness(
        *arrays(case),
        decision="one_vs_rest",
        scaling="none",
        C=record["params"]["C"],
        rescale=False,
        split=None,
        max_rows=None,
    )
    assert_allclose(score.value, record["values"]["explicitness"], rtol=0, atol=1e-3)
    atol = 3e-3 if case == "p14_posterior" else 1e-3
    assert_allclose(score.per_factor, numbers(record["values"]["per_factor"]), rtol=0, atol=atol)


def test_their_solver_stops_short_on_p14():
    """Its classifiers of factor 1 give the data a smaller likelihood than ours do, in sum."""
    from sklearn.linear_model import LogisticRegression

    from disentangle_metrics.estimators.probes.linear import _logistic

    latents, factors = arrays("p14_posterior")
    rows, gain = np.arange(len(latents)), 0.0
    for value in range(6):
        is_value = (factors[:, 1] == value).astype(int)
        theirs = LogisticRegression(C=1e10, solver="liblinear", tol=1e-5, max_iter=1_000)
        fits = [model.fit(latents, is_value) for model in (_logistic(2, C=1e10), theirs)]
        ours, other = (fit.predict_log_proba(latents)[rows, is_value].sum() for fit in fits)
        gain += ours - other
    assert gain > 1
