"""Relations: made once, and handed to workers without copies."""

from __future__ import annotations

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics.inputs.inputs import check
from disentangle_metrics.metrics import METRICS
from disentangle_metrics.relations.relations import Relations

RNG = np.random.default_rng(0)
FACTORS = np.stack([RNG.integers(3, size=6_000), RNG.integers(6, size=6_000)], axis=1)
LATENTS = np.column_stack([FACTORS + RNG.normal(size=(6_000, 2)), RNG.normal(size=(6_000, 3))])


def test_a_relation_is_made_once_whether_defaults_are_said_or_not():
    relations = Relations(check(LATENTS, FACTORS))
    made = relations.mutual_information(bins=10)
    assert relations.mutual_information(bins=10, estimator="histogram", samples=10_000) is made
    assert relations.mutual_information(bins=11) is not made


def writes_latents(relations):
    relations.latents[...] = 0
    return dm.MetricValue(0.5)


def writes_input(relations):
    relations.inputs.latents[...] = 0
    return dm.MetricValue(0.5)


def writes_codes(relations):
    relations.inputs.factors[0].codes[...] = 0
    return dm.MetricValue(0.5)


def writes_table(relations):
    relations.mutual_information().mutual_information[...] = 0
    return dm.MetricValue(0.5)


def writes_ends(relations):
    relations.ends()[0][...] = 0
    return dm.MetricValue(0.5)


@pytest.mark.filterwarnings("ignore::disentangle_metrics.errors.ScoreWarning")
@pytest.mark.parametrize(
    ("writer", "far"),
    [
        (writes_latents, 0),
        (writes_latents, 1e8),  # far from 0, where the latents are moved for all metrics
        (writes_input, 0),
        (writes_codes, 0),
        (writes_table, 0),
        (writes_ends, 0),
    ],
)
def test_a_metric_that_writes_fails_alone(writer, far):
    latents, factors = LATENTS[:300] + far, FACTORS[:300]
    before = latents.copy()
    alone = dm.score(latents, factors, metrics=["mig", "mcc"], confidence=0.9, replicates=3)
    dm.metric(property="toy")(writer)
    try:
        both = dm.score(
            latents, factors, metrics=[writer.__name__, "mig", "mcc"], confidence=0.9, replicates=3
        )
    finally:
        METRICS.remove(writer.__name__)
    assert "read-only" in both[writer.__name__].reason
    for key in alone:
        assert both[key].to_dict() == alone[key].to_dict()
    np.testing.assert_array_equal(latents, before)
    latents[0, 0] = 1.0  # the caller's array stays the caller's


def test_a_posterior_is_closed_to_writing_and_the_callers_is_not():
    logvar = np.zeros_like(LATENTS)
    relations = Relations(check(dm.GaussianPosterior(LATENTS, logvar), FACTORS))
    with pytest.raises(ValueError, match="read-only"):
        relations.need_logvar()[...] = 1
    logvar[0, 0] = 1.0


def whose(train, test, target):
    """Which file the rows come from, and whether they can be changed."""
    return str(getattr(train, "filename", None)), train.flags.writeable


def test_workers_map_one_file_of_the_rows_that_they_share():
    both = np.ones(2, dtype=bool)
    found = Relations(check(LATENTS, FACTORS), n_jobs=2).per_factor(whose, 1 / 3, None, both, both)
    assert found[0] == found[1] != ("None", True)
    assert not found[0][1]
    alone = Relations(check(LATENTS, FACTORS), n_jobs=1).per_factor(whose, 1 / 3, None, both, both)
    assert alone == {0: ("None", True), 1: ("None", True)}


@pytest.mark.parametrize("name", ["sap", dm.Metric("dci", probe="lasso", alpha=0.01)])
def test_rows_that_are_mapped_give_the_same_bits(name):
    one, two = (dm.score(LATENTS, FACTORS, metrics=name, anchors=False, n_jobs=jobs) for jobs in (1, 2))
    assert [score.to_dict() for score in one.values()] == [score.to_dict() for score in two.values()]


def test_timing_names_the_slowest_metric_first():
    report = dm.score(LATENTS, FACTORS, metrics=["mig", "sap", "irs"], anchors=False)
    timing = report.timing()
    assert timing.index[0] == max(report.seconds, key=report.seconds.get)
    assert sorted(timing.index) == ["irs", "mig", "sap"]
    assert (np.diff(timing) <= 0).all()


def test_the_bins_of_a_circle_span_its_period_whatever_its_values_reach():
    half = np.arange(360) / 2
    relations = Relations(check(half[:, None], half[:, None], factor_types="circular:360"))
    (codes,), sizes = relations.factor_codes(4, "uniform")
    np.testing.assert_array_equal(codes, half // 90)
    assert sizes == [4]
