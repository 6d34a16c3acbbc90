"""Mutual information and the metrics made of it, against the recorded values, to 1e-9."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import disentangle_metrics as dm
from tests.agreement.reference import arrays, found, ids, numbers, records

MIG = records("disentanglement_lib", "MIG")
CLOSE = {"rtol": 0, "atol": 1e-9}

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")


@pytest.mark.parametrize(("case", "record"), MIG, ids=ids(MIG))
def test_mig_and_its_tables(case, record):
    score = dm.mig(*arrays(case), bins=record["params"]["bins"])
    inner = record["intermediates"]
    assert_allclose(
        score.details["mutual_information"], numbers(inner["mi_matrix_latents_by_factors"]), **CLOSE
    )
    assert_allclose(score.details["factor_entropy"], numbers(inner["factor_entropy"]), **CLOSE)
    assert_allclose(score.per_factor, numbers(record["values"]["per_factor"]), **CLOSE)
    assert_allclose(score.value, record["values"]["MIG"], **CLOSE)


SUP = records("derived", "MIG-sup")


@pytest.mark.parametrize(("case", "record"), SUP, ids=ids(SUP))
def test_mig_sup_of_all_and_of_active_latents(case, record):
    bins, expected = record["params"]["bins"], record["values"]
    everything = dm.mig_sup(*arrays(case), bins=bins, active=None)
    assert_allclose(everything.value, expected["MIG_sup_all_latents"], **CLOSE)
    assert_allclose(everything.per_latent, numbers(expected["per_latent"]), **CLOSE)
    active = dm.mig_sup(*arrays(case), bins=bins, active=0.01)
    assert_allclose(active.value, expected["MIG_sup_active_latents"], **CLOSE)
    assert active.details["active"].tolist() == expected["active"]


MODULARITY = records("disentanglement_lib", "modularity")


@pytest.mark.parametrize(("case", "record"), MODULARITY, ids=ids(MODULARITY))
def test_modularity_counts_uninformative_latents_as_zero(case, record):
    score = dm.modularity(*arrays(case), bins=record["params"]["bins"], active=None)
    assert_allclose(score.value, record["values"]["modularity"], **CLOSE)


def test_the_protocol_of_the_study_gives_its_numbers():
    def recorded(peer, metric, value, **parameters):
        return found("p09_inactive", peer, metric, **parameters)[0]["values"][value]

    latents, factors = arrays("p09_inactive")
    report = dm.score(
        latents,
        factors,
        protocol="locatello2019",
        metrics=["mig", "mig_sup", "modularity", "irs"],
        anchors=False,
    )
    study = "disentanglement_lib"
    expected = {
        "mig": recorded(study, "MIG", "MIG", bins=20),
        "mig_sup": recorded("derived", "MIG-sup", "MIG_sup_active_latents", bins=20),
        "modularity": recorded(study, "modularity", "modularity", bins=20),
        "irs": recorded(study, "IRS", "IRS", diff_quantile=0.99),
    }
    assert_allclose([report[key].value for key in expected], list(expected.values()), **CLOSE)


CLARKEN = records("clarken92", "MIG")


@pytest.mark.parametrize(("case", "record"), CLARKEN, ids=ids(CLARKEN))
def test_mig_of_the_authors_of_rmig_in_single_precision(case, record):
    score = dm.mig(*arrays(case), bins=record["params"]["bins"])
    assert_allclose(score.value, record["values"]["MIG"], rtol=0, atol=1e-6)


DISENT = records("disent", "MIG")


@pytest.mark.parametrize(("case", "record"), DISENT, ids=ids(DISENT))
def test_mig_of_disent(case, record):
    score = dm.mig(*arrays(case), bins=record["params"]["bins"])
    assert_allclose(score.value, record["values"]["mig.discrete_score"], **CLOSE)


QUANTISED = records("clarken92", "quantised RMIG / JEMMIG of q(z|x)")


@pytest.mark.parametrize(("case", "record"), QUANTISED, ids=ids(QUANTISED))
def test_jemmig_has_the_arithmetic_of_its_authors(case, record):
    """From their tables of quantised posteriors, 1 minus their value: theirs falls as quality rises."""
    from types import SimpleNamespace

    from disentangle_metrics.metrics.jemmig import jemmig

    inner = record["intermediates"]
    tables = SimpleNamespace(
        mutual_information=numbers(inner["mi_matrix_latents_by_factors"]),
        joint_entropy=numbers(inner["joint_entropy_latents_by_factors"]),
        factor_entropy=numbers(inner["factor_entropy"]),
        counted=True,
        remarks=(),
    )
    relations = SimpleNamespace(
        need_factors=lambda count, what: np.full(len(tables.factor_entropy), True),
        mutual_information=lambda **settings: tables,
        edges_of=None,
        inputs=SimpleNamespace(
            groups=(), shape=(0, *tables.mutual_information.shape), latents_of=lambda kind: ()
        ),
    )
    value = jemmig(relations, bins=record["params"]["num_bins"])
    expected = 1 - numbers(record["values"]["JEMMIG_per_factor"])
    assert_allclose(value.per_factor, expected, rtol=0, atol=1e-6)


UBISOFT = [
    (case, record)
    for case, record in records("ubisoft", "MIG", continuous_factors=False)
    if case != "p12_labels_gaps"  # its label -1 is silently taken for a missing value there
]


@pytest.mark.parametrize(("case", "record"), UBISOFT, ids=ids(UBISOFT))
def test_the_review_divides_by_the_entropy_of_the_binned_latent(case, record):
    """Their table is our mutual information over H(z): the same I, another normaliser."""
    from disentangle_metrics.inputs.inputs import check
    from disentangle_metrics.relations.relations import Relations

    information = Relations(check(*arrays(case))).mutual_information(bins=record["params"]["nb_bins"])
    entropy = information.latent_entropy[:, None]
    with np.errstate(invalid="ignore"):  # 0 / 0 for constant latents, NaN in theirs
        ours = (information.mutual_information / entropy).T
    theirs = numbers(record["intermediates"]["normalised_mi_matrix_factors_by_latents"])
    assert_allclose(ours, theirs, **CLOSE)
