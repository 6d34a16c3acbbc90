"""InfoMEC and its table of nearest-neighbour information against the authors' recorded runs."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from numpy.testing import assert_allclose

import disentangle_metrics as dm
from disentangle_metrics.inputs.inputs import check
from disentangle_metrics.metrics.infomec import devotion
from disentangle_metrics.relations.relations import Relations
from tests.agreement.reference import arrays, ids, numbers, records, values

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

ALL = records("latent_quantization", "InfoMEC")
CASES = [
    pytest.param(*pair, marks=pytest.mark.slow if values()["cases"][pair[0]]["input"]["N"] > 5000 else ())
    for pair in ALL
]
SEEDS = range(3)


@functools.cache
def report(case, seed):
    return dm.infomec(*arrays(case), protocol="hsu2023", seed=seed)


def tolerance(theirs):
    return np.maximum(5 * numbers(theirs["std"]), 2e-3)


@pytest.mark.parametrize(("case", "record"), CASES, ids=ids(ALL))
def test_information_of_active_latents_by_ten_neighbours(case, record):
    """Ties are broken at random, there and here, so that averages over seeds are compared.

    A latent of three values scatters by 0.004; five runs that were all cut at 0 do not show it.
    """
    tables = []
    for seed in SEEDS:
        information = Relations(check(*arrays(case)), seed=seed).mutual_information(
            estimator="nearest_neighbours", k=10, bounded=False
        )
        tables.append((information.mutual_information / information.factor_entropy).T)
    theirs = record["values"]["nmi_factors_by_latents"]
    active = record["intermediates"]["active_latents"]
    allowed = np.maximum(tolerance(theirs), 5 * np.std(tables, axis=0, ddof=1))
    far = np.abs(np.mean(tables, axis=0) - numbers(theirs["mean"])) - allowed
    assert far[:, active].max() <= 0


@pytest.mark.parametrize(("case", "record"), CASES, ids=ids(ALL))
def test_infom_and_infoc(case, record):
    theirs = record["values"]
    scores = [report(case, seed) for seed in SEEDS]
    assert (
        scores[0]["info_modularity"].details["active"].tolist() == (record["intermediates"]["active_latents"])
    )
    for key, name in (("info_modularity", "infom"), ("info_compactness", "infoc")):
        ours = np.mean([score[key].value for score in scores])
        if theirs[name]["mean"] == "NaN":
            # 0 / 0 of an active latent that tells nothing; it contributes 0 here.
            assert (scores[0][key].per_latent == 0).any()
            continue
        assert abs(ours - theirs[name]["mean"]) <= tolerance(theirs[name]), key


@pytest.mark.parametrize(("case", "record"), CASES, ids=ids(ALL))
def test_infoe(case, record):
    theirs = record["values"]["infoe"]["mean"]
    assert report(case, 0)["info_explicitness"].value == pytest.approx(theirs, abs=1e-3)


CODES = records("latent_quantization", "InfoMEC (discrete latents)")


@pytest.mark.parametrize(("case", "record"), CODES, ids=ids(CODES))
def test_discrete_latents_are_counted_and_read_one_hot(case, record):
    """The parts are the same: plug-in information of codes, and a classifier of indicator columns."""
    latents, factors = arrays(case)
    bins = 8
    information = Relations(check(latents, factors)).mutual_information(bins=bins)
    table = information.mutual_information / information.factor_entropy
    theirs = record["values"]
    assert_allclose(table.T, numbers(theirs["nmi_factors_by_latents"]), rtol=0, atol=1e-9)
    assert np.mean(devotion(table)) == pytest.approx(theirs["infom"], abs=1e-9)
    assert np.mean(devotion(table.T)) == pytest.approx(theirs["infoc"], abs=1e-9)
