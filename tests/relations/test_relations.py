"""Relations: made once, and handed to workers without copies."""

from __future__ import annotations

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics.inputs.inputs import check
from disentangle_metrics.relations.relations import Relations

RNG = np.random.default_rng(0)
FACTORS = np.stack([RNG.integers(3, size=6_000), RNG.integers(6, size=6_000)], axis=1)
LATENTS = np.column_stack([FACTORS + RNG.normal(size=(6_000, 2)), RNG.normal(size=(6_000, 3))])


def test_a_relation_is_made_once_whether_defaults_are_said_or_not():
    relations = Relations(check(LATENTS, FACTORS))
    made = relations.mutual_information(bins=10)
    assert relations.mutual_information(bins=10, estimator="histogram", samples=10_000) is made
    assert relations.mutual_information(bins=11) is not made


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
