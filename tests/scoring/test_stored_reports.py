"""Reports of earlier versions stay readable, and a score with the same definition version stays the same."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest

import disentangle_metrics as dm
from disentangle_metrics.metrics.lookup import find_metric
from tests.scoring.stored_reports import ARRAYS, FOLDER, arrays

REPORTS = sorted(set(FOLDER.glob("*.json")) - {ARRAYS})
CURRENT = FOLDER / "0.1.0.json"


def raw(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.stem)
def test_a_report_of_an_earlier_version_is_read_whole(path, tmp_path):
    stored, report = raw(path), dm.Report.from_json(path)
    assert list(report) == list(stored["scores"])
    for key, was in stored["scores"].items():
        score = report[key]
        assert score.value == pytest.approx(
            math.nan if was["value"] is None else was["value"], abs=0, nan_ok=True
        )
        assert (score.signature, score.reason, score.chance) == (
            was["signature"],
            was["reason"],
            was["chance"],
        )
        assert score.interval == (None if was["interval"] is None else tuple(was["interval"]))
        assert score.corrected == was.get("corrected")
        if was["per_factor"] is not None:
            assert list(score.per_factor.index) == was["per_factor"]["index"]
    assert report.shape == tuple(stored["shape"])
    assert len(report.checks()) == len(stored.get("checks", []))
    assert next(iter(report)) in str(report)
    report.to_json(tmp_path / "again.json")
    again = raw(tmp_path / "again.json")
    assert {key: again["scores"][key]["value"] for key in again["scores"]} == {
        key: was["value"] for key, was in stored["scores"].items()
    }


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.stem)
def test_a_report_of_an_earlier_version_becomes_every_output(path):
    report = dm.Report.from_json(path)
    assert len(report.to_frame()) == len(report)
    assert report["mig"].signature in report.to_frame()["signature"].tolist()
    assert "MIG" in report.to_latex()
    assert "Chen" in str(dm.cite(report))


def test_known_numbers_are_read():
    report = dm.Report.from_json(CURRENT)
    assert report["mig"].value == 0.38650750533167627
    assert math.isnan(report["informativeness"].value)
    assert report["total_correlation"].range == (0.0, math.inf)
    assert report.confidence == 0.9
    assert report["mig"].details["mutual_information"].shape == (3, 2)
    early = dm.Report.from_json(FOLDER / "0.1.0-definition-1.json")
    assert early["mig"].corrected is None
    assert early.checks() == ()


def same_definition(key: str, signature: str) -> bool:
    """Whether today's number has to be the one that was stored."""
    definition = find_metric(key)
    version = re.search(r"\|def:(\d+)", signature)
    assert version is not None
    return int(version[1]) == definition.version and not definition.sklearn and not definition.takes_rng


def stored_signatures() -> list[tuple[str, str, float]]:
    scores = raw(CURRENT)["scores"]
    return [(key, was["signature"], was["value"]) for key, was in scores.items() if was["value"] is not None]


@pytest.mark.parametrize(("key", "signature", "value"), stored_signatures(), ids=lambda item: str(item)[:20])
def test_the_same_definition_version_gives_the_same_number(key, signature, value):
    """If this fails, the input scores differently: raise the metric's `version` and list it in the changelog."""
    if not same_definition(key, signature):
        pytest.skip("another definition version, or the number depends on another library")
    report = dm.score(*arrays(), metrics=[signature], anchors=False, confidence=0.9, replicates=20)
    assert report[key].value == pytest.approx(value, rel=1e-9)


def test_stored_scores_are_held_to_their_definition():
    held = [key for key, signature, _ in stored_signatures() if same_definition(key, signature)]
    assert len(held) >= 5


def test_a_report_of_a_later_format_is_refused_with_both_numbers(tmp_path):
    (tmp_path / "later.json").write_text(json.dumps(raw(CURRENT) | {"format": 2}))
    with pytest.raises(dm.InputError, match=r"not a report of format 1 \(found format: 2\)"):
        dm.Report.from_json(tmp_path / "later.json")
