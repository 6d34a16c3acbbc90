"""The packaged table of reference scores."""

from __future__ import annotations

import gzip
import json
import math
from importlib.resources import files

import pandas as pd
import pytest

import disentangle_metrics as dm
from reference_models.bundled import FOLDER
from tools.published_scores import ROOT, ROWS


def test_it_holds_every_score_of_every_finished_run():
    frame = dm.published()
    for path in sorted(ROWS.rglob("*.jsonl")):
        of_file = frame[frame["source"] == path.relative_to(ROOT).as_posix()]
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        finished = [row for row in rows if "error" not in row]
        scores = sum(len(row.get(name, ())) for row in finished for name in ("published", "metrics"))
        assert len(of_file) == scores > 0
        row = finished[-1]
        which = (
            (of_file["model"] == row["model"])
            & (of_file["beta"] == row["beta"])
            & (of_file["seed"] == row["seed"])
            & (of_file["variant"] == row["variant"])
            & (of_file["purpose"] == row["purpose"])
        )
        for name, protocol in (("published", "li2020"), ("metrics", "default")):
            one = of_file[which & (of_file["protocol"] == protocol) & (of_file["metric"] == "mig")]
            assert one["value"].tolist()[-1] == row[name]["mig"]["value"]
            assert one["signature"].tolist()[-1] == row[name]["mig"]["signature"]
    assert {"sprites-mini.jsonl", "rooms-mini.jsonl"} <= {path.name for path in ROWS.rglob("*.jsonl")}


def test_it_holds_the_bundled_checkpoints():
    frame = dm.published("sprites")
    own = frame[frame["source"] == "checkpoint vlae-sprites"].set_index("metric")
    report = dm.Report.from_json(FOLDER / "vlae-sprites.scores.json")
    assert list(own.index) == list(report)
    for key, score in report.items():
        assert own.loc[key, "value"] == score.value or math.isnan(score.value)
    assert own["plan"].unique().tolist() == ["bundled"]
    made = json.loads((FOLDER / "vlae-sprites.json").read_text(encoding="utf-8"))
    assert own[["model", "seed", "side"]].iloc[0].tolist() == ["vlae", made["seed"], 64]
    assert own["beta"].unique().tolist() == [made["arguments"]["beta"]]


def test_one_data_set_at_a_time():
    whole = dm.published()
    parts = [dm.published(name) for name in whole["dataset"].unique()]
    pd.testing.assert_frame_equal(
        pd.concat(parts).sort_values(list(whole.columns)).reset_index(drop=True),
        whole.sort_values(list(whole.columns)).reset_index(drop=True),
    )
    with pytest.raises(dm.InputError, match="`dataset` must be one of sprites, rooms, switches; got 'mnist'"):
        dm.published("mnist")


def test_it_is_small_in_a_wheel():
    packed = gzip.compress((files("disentangle_metrics.reference_scores") / "scores.json").read_bytes())
    runs = len(dm.published().drop_duplicates(["source", "model", "variant", "beta", "seed", "purpose"]))
    assert len(packed) < 300 * runs + 10_000
