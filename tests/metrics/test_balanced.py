"""Balanced accuracy in DCI and SAP: a value of one row in a hundred counts as much as the other."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.tree import DecisionTreeClassifier

import disentangle_metrics as dm
from disentangle_metrics.estimators.probes.probes import accuracy

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

RARE = np.repeat([0, 1], [990, 10])
BLIND = np.zeros((1_000, 1))
SPLIT = (np.arange(1_000), np.arange(1_000))


class Majority(DummyClassifier):
    """Always the most frequent value; importances that say nothing."""

    @property
    def feature_importances_(self):
        return np.ones(self.n_features_in_) / self.n_features_in_


def test_accuracy_by_hand():
    codes, named = np.array([0, 0, 0, 1, 2, 2]), np.array([0, 0, 1, 1, 0, 2])
    assert accuracy(codes, named) == pytest.approx(4 / 6)
    assert accuracy(codes, named, balanced=True) == pytest.approx((2 / 3 + 1 + 1 / 2) / 3)


@pytest.mark.parametrize("probe", [Majority(), "boosted_trees"], ids=["majority", "trees"])
def test_a_probe_that_never_names_the_rare_value(probe):
    plain, balanced = (
        dm.dci(BLIND, RARE[:, None], probe=probe, split=SPLIT, balanced=chosen) for chosen in (False, True)
    )
    assert plain["dci_informativeness"].value == pytest.approx(0.99)
    assert balanced["dci_informativeness"].value == pytest.approx(0.5)


def test_half_of_the_rare_value_found():
    latents = np.where(RARE == 1, np.arange(1_000) % 2, 0)[:, None].astype(float)  # tells 5 of the 10 rows
    report = dm.dci(latents, RARE[:, None], probe=DecisionTreeClassifier(), split=SPLIT, balanced=True)
    assert report["dci_informativeness"].value == pytest.approx((1 + 0.5) / 2)


def test_chance_is_that_of_naming_one_value():
    latents = np.random.default_rng(0).normal(size=(1_000, 2))
    report = dm.dci(latents, RARE[:, None], balanced=True, anchors=True)
    assert report["dci_informativeness"].chance == pytest.approx(0.5)


def test_numbers_have_no_values_to_balance():
    rng = np.random.default_rng(0)
    factors = np.column_stack([rng.normal(size=200), rng.integers(2, size=200)])
    mixed = dm.dci(factors, factors, balanced=True)
    assert mixed["dci_informativeness"].per_factor.iloc[0] > 0.9  # its R2
    lasso = dm.dci(factors, factors, balanced=True, probe="lasso", alpha=0.02)
    assert "probe" in lasso["dci_informativeness"].reason
    assert np.isfinite(lasso["dci_completeness"].value)
    with pytest.raises(
        dm.InputError, match="`balanced` = True goes with `kind` = 'auto' or 'classification'"
    ):
        dm.sap(factors, factors, kind="regression", balanced=True)


def test_sap_of_a_rare_value():
    # The machine weighs both values alike, so it parts the rows at 1/2: right for all but 99 of the 990.
    frequent = np.where(np.arange(1_000) % 10 == 0, 1.0, 0.0)
    latents = np.column_stack([np.where(RARE == 1, 1.0, frequent), np.zeros(1_000)])
    plain, balanced = (
        dm.sap(latents, RARE[:, None], split=SPLIT, balanced=chosen) for chosen in (False, True)
    )
    table = balanced.details["predictability"]["factor_0"]
    assert table.to_numpy() == pytest.approx([(891 / 990 + 1) / 2, 0.5])
    assert plain.details["predictability"]["factor_0"].iloc[0] == pytest.approx(901 / 1_000)


def test_the_signature_says_so_only_where_it_is_balanced():
    latents = np.random.default_rng(0).normal(size=(60, 2))
    factors = np.repeat([0, 1], 30)[:, None]
    assert "balanced" not in dm.sap(latents, factors).signature
    assert "|balanced:True|" in dm.sap(latents, factors, balanced=True).signature
