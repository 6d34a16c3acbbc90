"""What the factors look like to a metric whose chance level is measured."""

from __future__ import annotations

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics.metrics import METRICS

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

RNG = np.random.default_rng(0)
ONE = RNG.integers(5, size=200)
FACTORS = np.column_stack([ONE, 4 - ONE, ONE])
LATENTS = ONE[:, None] + RNG.normal(size=(200, 2))


@pytest.fixture
def seen():
    """The inputs that a metric was given, in order, while its anchors were measured."""
    inputs = []

    def spy_on_anchors(relations):
        inputs.append(relations.inputs)
        return dm.MetricValue(0.5)

    dm.metric()(spy_on_anchors)
    try:
        dm.score(LATENTS, FACTORS, metrics="spy_on_anchors", anchors="all")
        yield inputs
    finally:
        METRICS.remove("spy_on_anchors")


def test_chance_keeps_what_factors_have_to_do_with_each_other(seen):
    _scored, *shuffled, _ceiling = seen
    assert len(shuffled) == 5
    for inputs in shuffled:
        first, mirrored, same = (factor.codes for factor in inputs.factors)
        np.testing.assert_array_equal(first, same)
        np.testing.assert_array_equal(mirrored, 4 - first)


def test_chance_breaks_the_link_to_the_latents(seen):
    scored, *shuffled, _ceiling = seen
    orders = [inputs.factors[0].codes.tolist() for inputs in shuffled]
    assert all(sorted(order) == sorted(ONE) for order in orders)
    assert len({tuple(order) for order in [ONE.tolist(), *orders]}) == 6
    for inputs in shuffled:
        np.testing.assert_array_equal(inputs.latents, scored.latents)


@pytest.mark.parametrize("posterior", [False, True])
def test_the_ceiling_of_a_circle_is_the_circle_with_a_posterior_too(posterior):
    degrees = 5 * RNG.integers(72, size=300)
    circle = np.column_stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    latents = dm.GaussianPosterior(circle, np.full(circle.shape, -6.0)) if posterior else circle
    metrics = ["mcc", dm.Metric("sap", kind="regression"), "linear_recovery", "d_lsbd"]
    report = dm.score(latents, degrees[:, None], factor_types="circular:360", metrics=metrics, anchors="all")
    ceilings = {key: score.ceiling for key, score in report.items()}
    assert ceilings == pytest.approx(
        {"mcc": 1, "sap": 1, "r2_from_latents": 1, "r2_from_factors": 1, "cca": 1,
         "orthogonality": 0, "procrustes": 0, "d_lsbd": 0}, abs=1e-9
    )  # fmt: skip


def test_the_ceiling_is_of_the_factors_as_code(seen):
    np.testing.assert_array_equal(seen[-1].latents, FACTORS)
    np.testing.assert_array_equal(seen[-1].factors[0].codes, ONE)
