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
        ({"details": {"w": np.array([1j])}}, "its w must be a Labelled of numbers, .* got a ndarray"),
        ({"details": {"w": [object()]}}, "its w must be .* got a list"),
        ({"details": {"w": pd.Series(["a"])}}, "its w must be .* got a Series"),
        (
            {"per_factor": pd.Series([1, 2], index=["a", "b"])},
            "per_factor has the labels a, b for factor_0, f",
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
def test_what_json_can_hold_is_kept():
    details = {
        "none": None,
        "scalar": np.array(0.5),
        "wide": np.longdouble(0.25),
        "array": np.arange(2),
        "nested": {"a": [1, (2.5, "b")]},
        "series": pd.Series([1, 2]),
        "frame": pd.DataFrame({"x": [0.5]}),
    }
    report, stored = reports_of(details=details, baseline=np.array(0.25))
    assert report["own"].value == 0.5
    assert report["own"].chance == 0.25
    assert report.to_html()
    told = stored["own"].details
    assert (told["series"].tolist(), told["frame"].to_numpy().tolist()) == ([1, 2], [[0.5]])
    assert {name: told[name] for name in ("none", "scalar", "wide", "array", "nested")} == {
        "none": None, "scalar": 0.5, "wide": 0.25, "array": [0, 1], "nested": {"a": [1, [2.5, "b"]]},
    }  # fmt: skip


@pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
def test_parts_of_pandas_go_by_their_labels_or_by_place():
    names = ["factor_0", "factor_1"]
    series = {
        "by place": (pd.Series([0.1, 0.2]), [0.1, 0.2]),
        "by name": (pd.Series([0.2, 0.1], index=names[::-1]), [0.1, 0.2]),
        "of one": (pd.Series([0.2], index=names[1:]), [np.nan, 0.2]),
    }
    for given, expected in series.values():
        np.testing.assert_array_equal(reports_of(per_factor=given)[0]["own"].per_factor, expected)
    masked = np.ma.array([0.1, 0.2], mask=[False, True])
    np.testing.assert_array_equal(reports_of(per_factor=masked)[0]["own"].per_factor, [0.1, np.nan])
    numbers = np.array([[1.0, 2.0], [3.0, 4.0]])
    for frame in (pd.DataFrame(numbers), pd.DataFrame(numbers[:, ::-1], columns=names[::-1])):
        report, _ = reports_of(details={"table": Labelled(frame, ("latents", "factors"))})
        np.testing.assert_array_equal(report["own"].details["table"], numbers)


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
