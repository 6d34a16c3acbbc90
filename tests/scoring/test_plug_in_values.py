"""A metric from elsewhere that returns what no report can hold fails alone, and every report can be written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import disentangle_metrics as dm
from disentangle_metrics.metrics import METRICS
from disentangle_metrics.metrics.definition import Labelled

FACTORS = np.random.default_rng(0).integers(0, 4, (200, 2))
TEXTS = Labelled(np.array(["a", "b"]), ("factors",))


def reports_of(**fields):
    """MIG, beside a metric that returns a value with these fields; and the same as it was stored."""

    def own(relations):
        return dm.MetricValue(0.5, **fields)

    dm.metric(anchors="none")(own)
    try:
        report = dm.score(FACTORS, FACTORS, metrics=["mig", "own"], confidence=0.9)
    finally:
        METRICS.remove("own")
    return report, dm.Report.from_dict(report.to_dict())


@pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"per_factor": ["a", "b"]}, "could not convert string to float"),
        ({"per_latent": [1j, 2]}, "not 'complex'"),
        (
            {"details": {"w": np.zeros(3)}},
            "its w must be a Labelled of numbers, a number or text, got a ndarray",
        ),
        ({"details": {"w": {"index": 1, "data": 2}}}, "its w must be .* got a dict"),
        ({"details": {"w": TEXTS}}, "its w must be a Labelled of numbers"),
        ({"details": [1.0]}, "its details must be a Mapping, got a list"),
        ({"warnings": "few rows"}, "its warnings must be a tuple, got a str"),
        ({"warnings": [3]}, "its warnings must be texts, got a int"),
        ({"reason": 3}, "its reason must be a str, got a int"),
        ({"baseline": "x"}, "its baseline must be a Real, got a str"),
        ({"vote_count": 3}, "its vote_count must be a VoteCount, got a int"),
    ],
)
def test_what_no_report_can_hold_costs_no_other_score(fields, message):
    report, stored = reports_of(**fields)
    assert report["mig"].value == stored["mig"].value > 0.9
    with pytest.raises(ValueError, match=message):
        raise ValueError(report["own"].reason)
    assert stored["own"].reason == report["own"].reason


@pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
def test_numbers_of_numpy_and_tables_are_kept():
    table = Labelled(np.eye(2), ("latents", "factors"))
    details = {
        "n": np.int64(3),
        "share": np.float32(0.5),
        "sure": np.bool_(True),
        "name": "a",
        "table": table,
    }
    report, stored = reports_of(per_factor=[1, None], details=details, baseline=np.float64(0.25))
    assert report["own"].value == 0.5
    told = {**stored["own"].details, "table": stored["own"].details["table"].to_numpy().tolist()}
    assert told == {"n": 3, "share": 0.5, "sure": True, "name": "a", "table": [[1, 0], [0, 1]]}


@pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
def test_anything_can_be_said_of_where_the_input_came_from(tmp_path):
    said = {
        "model": Path("vae.pt"),
        "epoch": np.int64(3),
        "means": np.zeros((1, 2)),
        "loss": np.array(0.5),
        "lost": float("nan"),
        "by_layer": {"a": np.ones(1)},
        "table": pd.Series([1, 2]),
    }
    expected = {
        "model": "vae.pt",
        "epoch": 3,
        "means": [[0, 0]],
        "loss": 0.5,
        "lost": None,
        "by_layer": {"a": [1]},
        "table": {"index": [0, 1], "data": [1, 2]},
    }
    one = dm.score(FACTORS, FACTORS, metrics=["mig"], anchors=False)
    several = dm.benchmark({"a": FACTORS}, FACTORS, metrics=["mig"], anchors=False)
    for made in (one, several):
        made.with_provenance(**said).to_json(tmp_path / "made.json")
        assert type(made).from_json(tmp_path / "made.json").provenance == expected
