"""The protocol carbonneau2022 against the published code of the review (Ubisoft), part by part.

Their numbers are the protocol's within the tolerances below, but for these defects of theirs, where
the protocol gives the right value instead:

- Constant latents (p09) make MIG, MIG-sup and modularity NaN, from 0 / 0. Here such a latent
  counts 0, which is what their formulas give once 0 / 0 is 0.
- With factors taken as they are, a label of -1 (p12) is silently a missing value for the library
  their entropies come from; adding 3 to the labels changes their scores. Here labels are names.
- Merging the 16 values of a factor in 10 bins (p03, p14), value 9 lies exactly on the edge 0.6,
  and their scaling puts 9 * (1/15) just below it. Binned in exact arithmetic it belongs to the bin
  above. With factors binned as theirs are, the scores agree.
- DCI (p09): their loop over latents stops at the first without importance, which loses all later
  ones. The importances agree, and so does their own formula without the stop.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

import disentangle_metrics as dm
from tests.agreement.reference import arrays, found, ids, numbers, records

pytestmark = pytest.mark.filterwarnings(
    "ignore::disentangle_metrics.ScoreWarning", "ignore::sklearn.exceptions.ConvergenceWarning"
)

CLOSE = {"rtol": 0, "atol": 1e-9}
REVIEW = {"protocol": "carbonneau2022"}
ON_AN_EDGE = ("p03_split", "p14_posterior")  # a factor of 16 values, merged
NAMES = {
    "MIG": dm.mig,
    "MIG-sup": dm.mig_sup,
    "modularity": dm.modularity,
    "JEMMIG": dm.jemmig,
    "DCIMIG": dm.dcimig,
}
VALUES = {
    "MIG": "MIG",
    "MIG-sup": "MIG_sup",
    "modularity": "modularity",
    "JEMMIG": "JEMMIG_normalised_1_minus",
    "DCIMIG": "DCIMIG",
}
MERGED = [pair for name in NAMES for pair in records("ubisoft", name, continuous_factors=True, nb_bins=10)]
AS_GIVEN = [
    pair
    for name in NAMES
    for pair in records("ubisoft", name, continuous_factors=False)
    if pair[0] != "p12_labels_gaps"
]


def named(pairs):
    return [f"{record['metric']}-{record['params']['nb_bins']}-{case}" for case, record in pairs]


def binned_as_theirs(factors):
    """Ten bins after scaling to [0, 1] in their order of operations."""
    low, high = factors.min(axis=0), factors.max(axis=0)
    scaled = factors * (1 / (high - low)) + (0 - low * (1 / (high - low)))
    return np.digitize(scaled, np.linspace(0, 1, 11)[:-1])


def expected_value(record):
    """Their score; where it is NaN for constant latents, from their own tables with 0 / 0 as 0."""
    value = float(record["values"][VALUES[record["metric"]]])
    if not math.isnan(value):
        return value
    if record["metric"] == "modularity":
        table = numbers(record["intermediates"]["mi_matrix_bits_factors_by_latents"])
        best = table.max(axis=0)
        others = (table**2).sum(axis=0) - best**2
        with np.errstate(invalid="ignore"):
            scores = 1 - others / (best**2 * (len(table) - 1))
        return float(np.nan_to_num(scores).mean())
    table = np.nan_to_num(numbers(record["intermediates"]["normalised_mi_matrix_factors_by_latents"]))
    ordered = np.sort(table, axis=1 if record["metric"] == "MIG" else 0)
    gaps = ordered[:, -1] - ordered[:, -2] if record["metric"] == "MIG" else ordered[-1] - ordered[-2]
    return float(gaps.mean())


@pytest.mark.parametrize(("case", "record"), MERGED, ids=named(MERGED))
def test_information_with_merged_factors(case, record):
    latents, factors = arrays(case)
    if case in ON_AN_EDGE:
        factors = binned_as_theirs(factors)
    score = NAMES[record["metric"]](latents, factors, **REVIEW)
    assert_allclose(score.value, expected_value(record), **CLOSE)


@pytest.mark.parametrize(("case", "record"), AS_GIVEN, ids=named(AS_GIVEN))
def test_information_with_factors_as_given(case, record):
    score = NAMES[record["metric"]](
        *arrays(case), bins=record["params"]["nb_bins"], factor_bins=None, **REVIEW
    )
    assert_allclose(score.value, expected_value(record), **CLOSE)


@pytest.mark.parametrize("case", ON_AN_EDGE)
def test_a_value_on_an_edge_belongs_to_the_bin_above(case):
    factors = arrays(case)[1]
    column = int(np.argmax(np.ptp(factors, axis=0)))
    values = np.arange(16)
    assert (factors[:, column].min(), factors[:, column].max()) == (0, 15)
    exact = values * 10 // 15
    exact[-1] = 9
    theirs = binned_as_theirs(values[:, None])[:, 0] - 1
    assert np.flatnonzero(exact != theirs).tolist() == [9]


def test_a_label_of_minus_one_is_a_label():
    """p12: theirs changes when 3 is added to every label; ours does not."""
    latents, factors = arrays("p12_labels_gaps")
    record = found("p12_labels_gaps", "ubisoft", "DCIMIG", continuous_factors=False, nb_bins=20)[0]
    settings = {"bins": 20, "factor_bins": None, **REVIEW}
    ours = dm.dcimig(latents, factors, **settings).value
    assert abs(ours - record["values"]["DCIMIG"]) > 0.05
    assert ours == dm.dcimig(latents, factors + 3, **settings).value


IRS = records("ubisoft", "IRS", continuous_factors=True)


@pytest.mark.parametrize(("case", "record"), IRS, ids=ids(IRS))
def test_irs_with_merged_factors(case, record):
    latents, factors = arrays(case)
    if case in ON_AN_EDGE:
        factors = binned_as_theirs(factors)
    score = dm.irs(latents, factors, **REVIEW)
    assert_allclose(score.value, record["values"]["IRS"], **CLOSE)


RANKED = records("ubisoft", "explicitness")
DECISIONS = {1: "one_vs_rest", 2: "separate"}


@pytest.mark.parametrize(
    ("case", "record"),
    [pytest.param(*pair, marks=pytest.mark.slow if pair[0].startswith("p10") else ()) for pair in RANKED],
    ids=[f"{DECISIONS[record['params']['impl']]}-{case}" for case, record in RANKED],
)
def test_explicitness(case, record):
    score = dm.explicitness(*arrays(case), decision=DECISIONS[record["params"]["impl"]], **REVIEW)
    assert_allclose(score.value, record["values"]["explicitness_scaled"], rtol=0, atol=1e-3)


VOTING = {"Z-min variance": dm.factor_vae, "Z-max variance": dm.z_max_variance, "Z-diff": dm.beta_vae}
VOTES = [pair for name in VOTING for pair in records("ubisoft", name)]


@pytest.mark.parametrize(
    ("case", "record"),
    VOTES,
    ids=[f"{record['metric']}-{case}" for case, record in VOTES],
)
def test_votes_within_three_deviations(case, record):
    """Five recorded seeds; their deviation, or the binomial one where five seeds happened to agree."""
    latents, factors = arrays(case)
    theirs = record["values"]["eval_scaled"]
    guess = 1 / factors.shape[1]
    accuracy = min(theirs["mean"] * (1 - guess) + guess, 1.0)
    binomial = (max(accuracy * (1 - accuracy), 1e-4) / record["params"]["nb_eval"]) ** 0.5 / (1 - guess)
    score = VOTING[record["metric"]](latents, factors, **REVIEW)
    assert abs(score.value - theirs["mean"]) <= 3 * max(theirs["std"], binomial)


LASSO = records("ubisoft", "DCI", model="lasso")


@pytest.mark.parametrize(
    ("case", "record"),
    [pytest.param(*pair, marks=pytest.mark.slow if pair[0].startswith("p16") else ()) for pair in LASSO],
    ids=ids(LASSO),
)
def test_dci_by_lasso(case, record):
    report = dm.dci(*arrays(case), **REVIEW)
    importances = numbers(record["intermediates"]["importance_matrix_factors_by_latents"]).T
    close = {"rtol": 0, "atol": 1e-6}
    assert_allclose(report["dci_completeness"].details["importances"], importances, **close)
    assert_allclose(report["dci_completeness"].value, record["values"]["completeness"], **close)
    assert_allclose(report["dci_informativeness"].value, record["values"]["informativeness"], **close)
    disentanglement = record["values"]["disentanglement"]
    if case == "p09_inactive":
        assert disentanglement == 0
        disentanglement = without_the_stop(importances)
        assert disentanglement > 0.9
    assert_allclose(report["dci_disentanglement"].value, disentanglement, **close)


def without_the_stop(importances):
    weight = importances.sum(axis=1)
    score = 0.0
    for row, mass in zip(importances, weight, strict=True):
        if mass > 0:
            shares = row[row > 0] / mass
            score += mass * (1 + (shares * np.log(shares)).sum() / math.log(len(row)))
    return score / weight.sum()


@pytest.mark.parametrize("case", ["p05_noise", "p15_D_lt_K"])
def test_a_factor_without_any_weight_has_no_completeness(case):
    """There theirs fails with a TypeError; with older libraries it gives the factor completeness 0."""
    report = dm.dci(*arrays(case), **REVIEW)
    importances = report["dci_completeness"].details["importances"].to_numpy()
    empty = importances.sum(axis=0) == 0
    assert empty.any()
    assert (report["dci_completeness"].per_factor[empty] == 0).all()
    assert report["dci_completeness"].value == pytest.approx(report["dci_completeness"].per_factor.mean())


@pytest.mark.slow
def test_dci_by_forest():
    record = found("p01_perfect", "ubisoft", "DCI", model="random_forest")[0]
    report = dm.dci(*arrays("p01_perfect"), probe="review_forest", **REVIEW)
    for key, score in report.items():
        expected = record["values"][key.removeprefix("dci_")]
        assert abs(score.value - expected["mean"]) <= max(3 * expected["std"], 1e-6)
