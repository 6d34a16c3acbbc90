"""IRS and SAP against the recorded values."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import disentangle_metrics as dm
from tests.agreement.reference import arrays, first_rows_train, ids, numbers, records

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

IRS = records("disentanglement_lib", "IRS", factors="as given") + records(
    "ubisoft", "IRS", continuous_factors=False
)


@pytest.mark.parametrize(("case", "record"), IRS, ids=ids(IRS))
def test_irs(case, record):
    score = dm.irs(*arrays(case), quantile=record["params"]["diff_quantile"])
    theirs = numbers(record["values"]["per_latent"])
    # The peers leave constant latents out of their vectors.
    assert_allclose(score.per_latent.dropna(), theirs[~np.isnan(theirs)], rtol=0, atol=1e-9)
    assert_allclose(score.value, record["values"]["IRS"], rtol=0, atol=1e-9)


CONTINUOUS = records("disentanglement_lib", "SAP", continuous_factors=True)


@pytest.mark.parametrize(("case", "record"), CONTINUOUS, ids=ids(CONTINUOUS))
def test_sap_by_correlation_on_the_train_rows(case, record):
    latents, factors = arrays(case)
    score = dm.sap(
        latents, factors, kind="regression", fit_rows="train", split=first_rows_train(len(latents))
    )
    theirs = numbers(record["intermediates"]["score_matrix_latents_by_factors"])
    assert_allclose(score.details["predictability"], theirs, rtol=0, atol=1e-9)
    assert_allclose(score.value, record["values"]["SAP"], rtol=0, atol=1e-9)


REGRESSION = records("ubisoft", "SAP", regression=True)


@pytest.mark.parametrize(("case", "record"), REGRESSION, ids=ids(REGRESSION))
def test_sap_by_correlation_on_all_rows(case, record):
    score = dm.sap(*arrays(case), kind="regression")
    assert_allclose(score.value, record["values"]["SAP"], rtol=0, atol=1e-9)


SVM = records("disentanglement_lib", "SAP", continuous_factors=False)


@pytest.mark.parametrize(
    ("case", "record"),
    [pytest.param(*pair, marks=pytest.mark.slow if pair[0].startswith("p16") else ()) for pair in SVM],
    ids=ids(SVM),
)
def test_sap_by_linear_svm(case, record):
    """The solver is iterative, so an entry may differ by two test rows."""
    latents, factors = arrays(case)
    split = first_rows_train(len(latents))
    score = dm.sap(latents, factors, kind="classification", split=split)
    theirs = numbers(record["intermediates"]["score_matrix_latents_by_factors"])
    rows = 2 / len(split[1]) + 1e-9
    assert_allclose(score.details["predictability"], theirs, rtol=0, atol=rows)
    assert_allclose(score.value, record["values"]["SAP"]["mean"], rtol=0, atol=rows)


DISENT = records("disent", "SAP", continuous_factors=True)


@pytest.mark.parametrize(("case", "record"), DISENT, ids=ids(DISENT))
def test_sap_of_disent(case, record):
    latents, factors = arrays(case)
    split = first_rows_train(len(latents))
    score = dm.sap(latents, factors, kind="regression", fit_rows="train", split=split)
    assert_allclose(score.value, record["values"]["sap.score"], rtol=0, atol=1e-9)
