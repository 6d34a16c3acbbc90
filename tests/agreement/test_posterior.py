"""Posterior information against the sampling runs of the authors of MIG-sup and of RMIG."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from numpy.testing import assert_allclose

import disentangle_metrics as dm
from disentangle_metrics.inputs.inputs import check
from disentangle_metrics.relations.relations import Relations
from tests.agreement.reference import FOLDERS, ids, numbers, records, values

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")


@functools.cache
def posterior(case):
    with np.load(FOLDERS[0] / values()["cases"][case]["input"]["path"]) as file:
        return dm.GaussianPosterior(file["mean"], file["logvar"]), file["factors"]


def assert_within_three_deviations(ours, theirs, floor=1e-4):
    deviation = np.maximum(numbers(theirs["std"]), floor)
    assert (np.abs(ours - numbers(theirs["mean"])) <= 3 * deviation).all()


LI = records("proVLAE", "posterior MIG and MIG-sup")


@pytest.mark.parametrize(("case", "record"), LI, ids=ids(LI))
def test_mig_and_mig_sup_of_the_authors(case, record):
    report = dm.score(*posterior(case), metrics=["mig", "mig_sup"], protocol="li2020", anchors=False)
    theirs = record["values"]
    assert_within_three_deviations(report["mig"].value, theirs["MIG"])
    assert_within_three_deviations(report["mig_sup"].value, theirs["MIG_sup"])
    everything = dm.mig_sup(*posterior(case), protocol="li2020", active=None)
    assert_within_three_deviations(everything.value, theirs["MIG_sup_all_units"])
    table = report["mig"].details["mutual_information"].to_numpy()
    assert_within_three_deviations(table.T, theirs["mi_factors_by_latents"])


@pytest.mark.parametrize(("case", "record"), LI, ids=ids(LI))
def test_mig_and_mig_sup_by_sampling_too(case, record):
    """A fifth of the default samples, of which one draw scatters by about 0.002."""
    options = {"estimator": "posterior_monte_carlo", "samples": 2_000}
    metrics = [dm.Metric(name, **options) for name in ("mig", "mig_sup")]
    report = dm.score(*posterior(case), metrics=metrics, anchors=False)
    theirs = record["values"]
    assert_within_three_deviations(report["mig"].value, theirs["MIG"])
    assert_within_three_deviations(report["mig_sup"].value, theirs["MIG_sup"])
    table = report["mig"].details["mutual_information"].to_numpy().T
    assert_allclose(table, numbers(theirs["mi_factors_by_latents"]["mean"]), rtol=0, atol=0.1)


SAMPLED = records("clarken92", "posterior RMIG / JEMMIG")


@pytest.mark.parametrize(("case", "record"), SAMPLED, ids=ids(SAMPLED))
def test_entropies_and_rmig_by_sampling(case, record):
    information = Relations(check(*posterior(case))).mutual_information(estimator="posterior")
    theirs = record["values"]
    assert_within_three_deviations(information.latent_entropy, theirs["H_zi"])
    assert_within_three_deviations(information.joint_entropy, theirs["H_zi_yk"])
    assert_within_three_deviations(information.mutual_information, theirs["MI_zi_yk"])
    score = dm.mig(*posterior(case), estimator="posterior")
    assert_within_three_deviations(score.value, theirs["RMIG_norm"])
    known = dm.informativeness(posterior(case)[0]).per_latent
    noise = information.latent_entropy - known
    assert_within_three_deviations(noise.to_numpy(), theirs["H_zi_cond_x"])


QUANTISED = records("clarken92", "quantised RMIG / JEMMIG of q(z|x)")


@pytest.mark.parametrize(("case", "record"), QUANTISED, ids=ids(QUANTISED))
def test_rmig_of_quantised_posteriors(case, record):
    """With their densities at the bins' centres, to single precision."""
    bins = record["params"]["num_bins"]
    score = dm.rmig(*posterior(case), bins=bins, mass="density")
    table = numbers(record["intermediates"]["mi_matrix_latents_by_factors"])
    assert_allclose(score.details["mutual_information"], table, rtol=0, atol=1e-5)
    assert_allclose(score.per_factor, numbers(record["values"]["RMIG_per_factor"]), rtol=0, atol=1e-5)
    assert score.value == pytest.approx(record["values"]["RMIG"], abs=1e-5)
    if bins == 100:
        # Bins of 0.08 blur what posteriors of deviation 0.1 tell, by up to 0.03 nats.
        assert dm.rmig(*posterior(case)).value == pytest.approx(score.value, abs=0.005)


def test_the_protocol_needs_posteriors():
    plain, factors = posterior("p14_posterior")[0].mean, posterior("p14_posterior")[1]
    report = dm.score(plain, factors, protocol="li2020", anchors=False)
    assert list(report) == ["mig", "mig_sup", "factor_vae"]
    assert "pass `dm.GaussianPosterior(mean, logvar)`" in report["mig"].reason
    assert report["factor_vae"].value > 0
