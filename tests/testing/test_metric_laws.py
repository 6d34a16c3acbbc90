"""check_metric notices a metric that breaks a law."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics.metrics import METRICS
from disentangle_metrics.testing import check_metric


def first_latent(relations):
    return dm.MetricValue(float(relations.latents[:, 0].std() / (1 + relations.latents.std())))


def first_factor(relations):
    return dm.MetricValue(1 / (1 + len(relations.inputs.factors[0].levels)))


def first_row(relations):
    return dm.MetricValue(float(relations.latents[0].max() / (1e-9 + np.abs(relations.latents).max())))


def numpy_number(relations):
    return dm.MetricValue(float("nan"))


def too_large(relations):
    return dm.MetricValue(2.0)


def scale(relations):
    return dm.MetricValue(float(1 / (1 + relations.latents.var())))


def labels(relations):
    return dm.MetricValue(float(1 / (1 + np.abs(relations.inputs.factors[0].as_numbers()).sum())))


def unseeded(relations):
    return dm.MetricValue(float(np.random.default_rng().random()))


def dead_is_nan(relations):
    dead = relations.constant().any()
    return dm.MetricValue(float("nan") if dead else 0.5, reason="dead" if dead else "")


def counts_constants(relations):
    return dm.MetricValue(1 / (1 + relations.inputs.shape[2]))


def crashes(relations):
    return dm.MetricValue(float(relations.latentz.mean()))


def crashes_of_one_factor(relations):
    return dm.MetricValue(0.5 * len(relations.inputs.factors[1].name) / 8)


def other_key(relations):
    return {"another": dm.MetricValue(0.5)}


def writes(relations):
    relations.latents[...] = 0
    return dm.MetricValue(0.5)


def sound(relations):
    return dm.MetricValue(float((~relations.constant()).mean()) if not relations.constant().any() else 0.5)


@pytest.mark.parametrize(
    ("compute", "claims", "message"),
    [
        pytest.param(first_latent, {}, "order of latents", marks=pytest.mark.slow),
        (first_factor, {}, "order of factors"),
        (first_row, {"range": (-1.0, 1.0)}, "order of (rows|latents)"),
        (numpy_number, {}, "is NaN without a reason"),
        (too_large, {}, r"= 2.0 leaves \(0.0, 1.0\)"),
        pytest.param(scale, {"scale_free": True}, "rescaled latents", marks=pytest.mark.slow),
        (labels, {"label_free": True}, "(relabelled factors|order of factors)"),
        (unseeded, {}, "breaks the law|other bits"),
        pytest.param(dead_is_nan, {}, "a dead latent makes the score NaN", marks=pytest.mark.slow),
        (counts_constants, {}, "constant factor"),
        (crashes, {}, "crashes failed: AttributeError: .*latentz"),
        (crashes_of_one_factor, {}, "crashes_of_one_factor failed: IndexError"),
        (other_key, {}, "other_key failed: TypeError: it returned no score"),
        (writes, {}, "writes failed: ValueError: .*read-only"),
    ],
)
def test_a_broken_law_is_named(compute, claims, message):
    dm.metric(**claims)(compute)
    try:
        with pytest.raises(AssertionError, match=message):
            check_metric(compute.__name__, examples=10)
    finally:
        METRICS.remove(compute.__name__)


def test_a_law_that_is_broken_at_one_choice_is_named():
    def sometimes(relations, *, order: Literal["none", "rows"] = "none"):
        return dm.MetricValue(0.5) if order == "none" else first_row(relations)

    dm.metric(range=(-1.0, 1.0))(sometimes)
    try:
        check_metric("sometimes", examples=3, choices=False)
        check_metric("sometimes", examples=3, order="none")
        with pytest.raises(AssertionError, match="order of (rows|latents)"):
            check_metric("sometimes", examples=10)
    finally:
        METRICS.remove("sometimes")


def test_a_sound_metric_passes():
    dm.metric(scale_free=True, label_free=True)(sound)
    try:
        check_metric("sound", examples=5)
    finally:
        METRICS.remove("sound")
