"""DCI with the learner of the study, and with the Lasso of its authors."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import disentangle_metrics as dm
from tests.agreement.reference import arrays, first_rows_train, ids, numbers, records

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

BOOSTING = records("disentanglement_lib", "DCI")
NAMES = {
    "dci_disentanglement": "disentanglement",
    "dci_completeness": "completeness",
    "dci_informativeness": "informativeness_test",
}


QUICK = ("p15",)  # fewer latents than factors


@pytest.mark.parametrize(
    ("case", "record"),
    [pytest.param(*pair, marks=() if pair[0].startswith(QUICK) else pytest.mark.slow) for pair in BOOSTING],
    ids=ids(BOOSTING),
)
def test_gradient_boosting(case, record):
    latents, factors = arrays(case)
    report = dm.dci(
        latents, factors, probe="gradient_boosting", split=first_rows_train(len(latents)), n_jobs=2
    )
    for key, name in NAMES.items():
        theirs = record["values"][name]
        assert abs(report[key].value - theirs["mean"]) <= max(0.01, 3 * theirs["std"]), key


LASSO = [(case, record) for case, record in records("clarken92", "DCI", model="Lasso alpha=0.02")]


@pytest.mark.parametrize(("case", "record"), LASSO, ids=ids(LASSO))
def test_lasso_at_the_authors_penalty(case, record):
    report = dm.dci(*arrays(case), probe="lasso", alpha=0.02, split=None, max_rows=None)
    importances = numbers(record["intermediates"]["importance_matrix_latents_by_factors"])
    with np.errstate(invalid="ignore"):
        theirs = np.nan_to_num(importances / importances.sum(axis=0))
    assert_allclose(report["dci_completeness"].details["importances"], theirs, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("case", "record"), LASSO, ids=ids(LASSO))
def test_lasso_weights_taken_as_they_are(case, record):
    """A factor without any weight (p15) counts as complete in theirs, 1, from an entropy of nothing; here as 0."""
    report = dm.dci(*arrays(case), probe="lasso", alpha=0.02, split=None, max_rows=None, importances="raw")
    close = {"rtol": 0, "atol": 1e-6}
    table = numbers(record["intermediates"]["importance_matrix_latents_by_factors"])
    assert_allclose(report["dci_completeness"].details["importances"], table, **close)
    assert_allclose(report["dci_disentanglement"].value, record["values"]["disentanglement"], **close)
    nothing = (table.sum(axis=0) == 0).mean()
    assert (nothing > 0) == (case == "p15_D_lt_K")
    assert_allclose(report["dci_completeness"].value, record["values"]["completeness"] - nothing, **close)


AUTHORS = records("qedr", "DCI")


@pytest.mark.parametrize(("case", "record"), AUTHORS, ids=ids(AUTHORS))
def test_the_authors_own_lasso(case, record):
    """Their score is NaN where a latent, or a factor, has no weight at all (0 / 0): only tables agree there."""
    latents, factors = arrays(case)
    count = len(latents)
    split = np.arange(int(0.8 * count)), np.arange(int(0.9 * count), count)
    report = dm.dci(latents, factors, probe="lasso", alpha=0.02, split=split, importances="raw")
    close = {"rtol": 0, "atol": 1e-6}
    table = numbers(record["intermediates"]["importance_matrix_latents_by_factors"])
    assert_allclose(report["dci_completeness"].details["importances"], table, **close)
    for key in ("disentanglement", "completeness"):
        theirs = float(record["values"][key])
        if not np.isnan(theirs):
            assert_allclose(report[f"dci_{key}"].value, theirs, **close)
