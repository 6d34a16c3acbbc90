"""The FactorVAE and BetaVAE scores against the recorded seeds of the study's implementation."""

from __future__ import annotations

import pytest

import disentangle_metrics as dm
from tests.agreement.reference import arrays, ids, records

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

VOTES = records("disentanglement_lib", "FactorVAE", prune_threshold_std=0.05)


PAIRS = records("disentanglement_lib", "BetaVAE")


@pytest.mark.parametrize(("case", "record"), VOTES, ids=ids(VOTES))
def test_factor_vae_within_three_deviations(case, record):
    within_three_deviations(dm.factor_vae(*arrays(case), active=0.05**2), record)


@pytest.mark.parametrize(("case", "record"), PAIRS, ids=ids(PAIRS))
def test_beta_vae_within_three_deviations(case, record):
    within_three_deviations(dm.beta_vae(*arrays(case), protocol="locatello2019"), record)


def within_three_deviations(score, record):
    theirs = record["values"]["eval_accuracy"]
    # A recorded deviation of 0 is that of five runs that all got every vote right (or of one run);
    # the binomial deviation of one accuracy over 5,000 votes then stands in for it.
    binomial = (max(theirs["mean"] * (1 - theirs["mean"]), 1e-4) / 5_000) ** 0.5
    assert abs(score.value - theirs["mean"]) <= 3 * max(theirs["std"], binomial)
