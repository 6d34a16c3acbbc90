"""DCI with the learner of the study, and with the Lasso of its authors."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import disentangle_metrics as dm
from tests.agreement.reference import arrays, first_rows_train, ids, numbers, records, values

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

BOOSTING = records("disentanglement_lib", "DCI")
NAMES = {
    "dci_disentanglement": "disentanglement",
    "dci_completeness": "completeness",
    "dci_informativeness": "informativeness_test",
}


def rows(case: str) -> int:
    return values()["cases"][case]["input"]["N"]


@pytest.mark.parametrize(
    ("case", "record"),
    [pytest.param(*pair, marks=pytest.mark.slow if rows(pair[0]) > 2000 else ()) for pair in BOOSTING],
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
    report = dm.dci(*arrays(case), probe="lasso", alpha=0.02, split=None, max_rows=100_000)
    importances = numbers(record["intermediates"]["importance_matrix_latents_by_factors"])
    with np.errstate(invalid="ignore"):
        theirs = np.nan_to_num(importances / importances.sum(axis=0))
    assert_allclose(report["dci_completeness"].details["importances"], theirs, rtol=0, atol=1e-6)
