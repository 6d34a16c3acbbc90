"""Tracker: scores over steps, in memory and in a file that a crash cannot spoil."""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics.reporting.terminal import blocks_as_text

RNG = np.random.default_rng(0)
FACTORS = RNG.integers(0, 4, size=(200, 2))
NOISE = RNG.normal(size=FACTORS.shape)


def latents(step: int) -> np.ndarray[Any, Any]:
    """Nearer to the factors at later steps."""
    return FACTORS + NOISE * (2 - step / 100)


def logged(tracker: dm.Tracker, *steps: int) -> dm.Tracker:
    for step in steps:
        tracker.log(step, latents(step), FACTORS)
    return tracker


def test_what_is_large_is_not_kept_of_layers_either() -> None:
    report = dm.score(latents(1), FACTORS, metrics="mig")
    tracker = dm.Tracker()
    tracker.log(1, dataclasses.replace(report, layers=report))
    assert not tracker[1].layers["mig"].details
    assert tracker[1].layers["mig"].value == report["mig"].value


def test_scores_are_those_of_score_and_the_whole_report_comes_back() -> None:
    tracker = dm.Tracker(metrics=["mig", "mcc"], seed=2)
    report = tracker.log(100, latents(100), FACTORS)
    expected = dm.score(latents(100), FACTORS, metrics=["mig", "mcc"], seed=2)
    assert report.scalars() == expected.scalars()
    assert report["mig"].signature == expected["mig"].signature
    assert report["mig"].details
    assert not tracker[100]["mig"].details  # large, and not kept
    assert tracker[100]["mig"].per_factor.equals(expected["mig"].per_factor)


def test_frames_have_a_row_for_each_step() -> None:
    tracker = logged(dm.Tracker(metrics=["mig"]), 0, 100)
    tracker.log(150, dm.score(latents(150), FACTORS, metrics=["mcc"], anchors=False))
    frame = tracker.to_frame()
    assert frame.index.name == "step"
    assert list(frame.index) == [0, 100, 150]
    assert frame["mig"].isna().tolist() == [False, False, True]
    assert frame["mig"].iloc[0] < frame["mig"].iloc[1]
    rows = list(csv.DictReader(io.StringIO(tracker.to_csv(chance=True))))
    assert list(rows[0]) == ["step", "mig", "mig_chance", "mcc"]
    assert float(rows[1]["mig_chance"]) == tracker[100]["mig"].chance
    assert dm.Tracker().to_frame().empty


def test_a_run_that_crashed_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "scores.jsonl"
    first = logged(dm.Tracker(path, metrics=["mig"]), 0, 50, 100)
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])  # killed while it wrote the third step
    again = dm.Tracker(path, metrics=["mig"])
    assert list(again) == [0, 50]
    again.rewind(0)
    assert list(dm.Tracker.load(path)) == [0]
    logged(again, 50, 100)
    assert again.to_frame().equals(first.to_frame())
    assert dm.Tracker.load(path).to_frame().equals(first.to_frame())
    assert str(dm.Tracker.load(path)) == str(first)


def test_save_and_load(tmp_path: Path) -> None:
    tracker = logged(dm.Tracker(metrics=["mig"]), 0, 50)
    with pytest.raises(dm.InputError, match="say where to save"):
        tracker.save()
    tracker.save(tmp_path / "t.jsonl")
    assert dm.Tracker.load(tmp_path / "t.jsonl").to_frame().equals(tracker.to_frame())
    with pytest.raises(dm.InputError, match="no such file"):
        dm.Tracker.load(tmp_path / "none.jsonl")


@pytest.mark.parametrize(
    "text", ["", "step,mig\n0,1\n", '{"tracker": 2}\n', '{"tracker": 1}\n{"step": 0}\n', "[1]\n"]
)
def test_a_file_of_another_kind_is_refused_and_kept(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(text)
    with pytest.raises(dm.InputError, match="cannot be read as a tracker's file"):
        dm.Tracker(path)
    assert path.read_text() == text


@pytest.mark.parametrize("step", [100, 99, -1, 1.5, True, "2"])
def test_a_step_must_be_later(step: Any) -> None:
    tracker = logged(dm.Tracker(metrics=["mig"]), 100)
    with pytest.raises(dm.InputError, match="`step`"):
        tracker.log(step, latents(0), FACTORS)
    assert list(tracker) == [100]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric": ["mig"]}, "did you mean 'metrics'"),
        ({"metrics": ["mgi"]}, "mgi"),
        ({"protocol": "none"}, "none"),
        ({"anchors": "some"}, "`anchors`"),
        ({"latents": 1}, "no option 'latents'"),
        ({"missing": "dropp"}, "`missing` must be 'raise' or 'drop'"),
        ({"variant": "a b"}, "`variant` must be"),
        ({"factor_types": "foo"}, "`factor_types` of 'factor_0' must be one of"),
        ({"latent_types": {"z": "ordinal"}}, "`latent_types` of 'z' must be one of"),
        ({"factor_names": ["a", "a"]}, "`factor_names` must be distinct"),
        (
            {"factor_names": ["a"], "factor_types": ["ordinal"] * 2},
            "`factor_types` has 2 entries for 1 columns",
        ),
        ({"hierarchy": "x"}, "`hierarchy` must name"),
        ({"hierarchy": {"x": ("y", 1)}, "factor_names": ["x"]}, "`hierarchy` names 'y'"),
        ({"groups": "layers"}, "`groups` must map names to columns"),
        ({"groups": {"a": ["z"]}, "latent_names": ["x"]}, "`groups`: 'a' has the column 'z'"),
    ],
)
def test_options_are_checked_before_training(options: dict[str, Any], message: str) -> None:
    with pytest.raises(dm.InputError, match=message):
        dm.Tracker(**options)


@pytest.mark.parametrize(
    "options",
    [
        {"factor_types": "circular", "latent_types": {}, "missing": "drop"},
        {"factor_types": ["ordinal", "circular:360"], "groups": {"all": [0, 1]}, "factor_names": ["a", "b"]},
        {"hierarchy": {"b": ("a", 1)}, "latent_names": ["x", "y"], "latent_types": ["categorical", None]},
    ],
)
def test_options_that_some_data_suit_are_kept(options: dict[str, Any]) -> None:
    assert dm.Tracker(**options).score_options == options


def test_latents_that_cannot_be_scored_leave_the_tracker_as_it_was(tmp_path: Path) -> None:
    tracker = logged(dm.Tracker(tmp_path / "t.jsonl", metrics=["mig"]), 0)
    with pytest.raises(dm.InputError, match="found nan"):
        tracker.log(1, latents(0) * np.nan, FACTORS)
    with pytest.raises(dm.InputError, match="`factors` goes with latents"):
        tracker.log(1, tracker[0], FACTORS)
    assert list(tracker) == list(dm.Tracker.load(tmp_path / "t.jsonl")) == [0]


def test_another_signature_is_said() -> None:
    tracker = logged(dm.Tracker(metrics=["mig"]), 0)
    with pytest.warns(dm.ScoreWarning, match="mig is another score from step 7 on: n was 200, now 150"):
        tracker.log(7, latents(0)[:150], FACTORS[:150])
    assert "! mig is another score from step 7 on" in blocks_as_text(tracker._blocks(), width=200)


def test_an_interval_and_another_version_of_the_package_make_no_other_score() -> None:
    tracker = logged(dm.Tracker(metrics=["mig"]), 0)
    report = dm.score(latents(0), FACTORS, metrics="mig", confidence=0.9, replicates=20)
    tracker.log(1, report)
    tracker.log(2, dm.Report.from_json(report.to_json().replace("|dm:", "|dm:9.")))
    assert tracker.changes() == ()
    more = np.column_stack([latents(0), latents(0)[:, 0]])
    with pytest.warns(dm.ScoreWarning, match="mig is another score from step 3 on: D was"):
        tracker.log(3, more, FACTORS)


def test_the_notebook_says_what_the_terminal_says() -> None:
    tracker = logged(dm.Tracker(metrics=["mig", "total_correlation"]), 0, 100)
    text = blocks_as_text(tracker._blocks(), width=300)
    assert re.search(rf"^100 +{tracker[100]['mig'].value:.3f} +0", text, re.M)
    shown = unescape(re.sub(r"<[^>]+>", " ", tracker._repr_html_()))
    assert all(word in shown for word in text.split())


def test_of_many_steps_the_last_are_shown() -> None:
    tracker = dm.Tracker()
    report = dm.score(latents(0), FACTORS, metrics=["mig"])
    for step in range(30):
        tracker.log(step, report)
    assert "the last 20 of 30 steps" in str(tracker).replace("\n", " ")
    assert re.findall(r"^(\d+) +\d\.", str(tracker), re.M) == [str(step) for step in range(10, 30)]


def test_scalars_are_plain_numbers() -> None:
    report = dm.score(latents(0), FACTORS, metrics=["mig", "total_correlation", "rmig"])
    values = report.scalars("val/", chance=True)
    keys = [
        "val/mig",
        "val/mig_chance",
        "val/total_correlation",
        "val/rmig",
    ]  # which has no value, so no chance
    assert list(values) == keys
    assert values["val/mig"] == report["mig"].value
    assert values["val/mig_chance"] == report["mig"].chance
    assert np.isnan(values["val/rmig"])  # needs posteriors
    assert {type(value) for value in values.values()} == {float}
    assert list(report.scalars()) == ["mig", "total_correlation", "rmig"]


@pytest.mark.parametrize("name", ["a\u2028b", "a\x85b", "a\x0cb", "größe"])
def test_names_with_separators_come_back(tmp_path: Path, name: str) -> None:
    tracker = logged(dm.Tracker(tmp_path / "t.jsonl", metrics=["mig"], factor_names=[name, "b"]), 0, 50)
    again = dm.Tracker.load(tmp_path / "t.jsonl")
    assert list(again) == [0, 50]
    assert again[50].factor_names == (name, "b")
    path = tmp_path / "t.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    assert again.to_frame().equals(tracker.to_frame())
    assert list(dm.Tracker(path)) == [0]


def test_a_line_that_is_cut_within_a_letter_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    logged(dm.Tracker(path, metrics=["mig"], factor_names=["größe", "b"]), 0, 50)
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex("ö".encode()) + 1])
    assert list(dm.Tracker(path)) == [0]


def test_a_write_that_failed_is_made_up_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.jsonl"
    tracker = logged(dm.Tracker(path, metrics=["mig"]), 0)

    def half(self: Path, *arguments: Any, **options: Any) -> None:
        path.write_bytes(path.read_bytes() + b'{"step": 50, "rep')
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("disentangle_metrics.tracking._append", half)
        with pytest.raises(OSError, match="No space left"):
            logged(tracker, 50)
    logged(tracker, 100)
    assert list(dm.Tracker.load(path)) == [0, 50, 100]
    path.write_bytes(path.read_bytes()[:-20])  # cut from outside
    logged(tracker, 150)
    assert list(dm.Tracker.load(path)) == [0, 50, 100, 150]
    path.unlink()
    logged(tracker, 200)
    assert dm.Tracker.load(path).to_frame().equals(tracker.to_frame())


def test_arrays_in_place_of_the_step_are_answered_with_the_order():
    latents = np.zeros((50, 2))
    with pytest.raises(dm.InputError, match=r"got ndarray; the order is `log\(step, latents, factors\)`$"):
        dm.Tracker(metrics="mig").log(latents, latents)
