"""EDI of pure noise, from its formula: the division by what all latents tell, which is about nothing."""

from __future__ import annotations

import numpy as np
import pytest

import disentangle_metrics as dm
from tests.agreement.edi import exclusivity, exclusivity_scores
from tests.agreement.explanations_further import recorded_defect

NOISE = "InnVariant: EDI of pure noise, seed 0"


def test_the_formula_by_hand():
    assert exclusivity(np.array([0.9, 0.3, 0.4])) == pytest.approx(0.9 - np.sqrt((0.09 + 0.16) / 2))
    perfect = exclusivity_scores(np.diag([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]))
    assert perfect == pytest.approx((1, 1))
    # Two latents of one half of factor 0 are credited as one of 1, and factor 1 has none.
    shared = exclusivity_scores(np.array([[0.5, 0], [0.5, 0]]), np.ones(2))
    assert shared == pytest.approx((0.5, 0))


def test_pure_noise_is_compact_and_modular():
    """Its record: explicitness 0.0004, the share of 3.3 nats that all latents tell; modularity .75, compactness 1."""
    rng = np.random.default_rng(0)
    latents, factors = rng.uniform(size=(1_000, 4)), rng.uniform(size=(1_000, 4))
    score = dm.mig(latents, factors, estimator="nearest_neighbours")
    information = score.details["mutual_information"].to_numpy()
    assert information.max() < 0.05
    recorded = recorded_defect(NOISE)
    entropy = float(np.mean(recorded_defect("InnVariant: entropy of a uniform factor")["values"]))
    held = np.full(4, recorded["E"] * entropy)
    modularity, compactness = exclusivity_scores(information, held)
    assert min(compactness, 1.0) == recorded["C"] == 1.0
    assert recorded["D"] == 0.75
    assert modularity >= 0.5
    # Divided by what the factors have to tell instead, the same table says nothing.
    assert max(exclusivity_scores(information, np.full(4, entropy))) < 0.02
