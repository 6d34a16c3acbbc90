"""What dm-reproduce says while it runs: steps within runs, what is resumed, how long the rest may take."""

from __future__ import annotations

import json

import pytest
import torch

from disentangle_metrics import DatasetError
from reference_models.comparison import progress as module
from reference_models.comparison import sweep as sweep_module
from reference_models.comparison.progress import SweepProgress, duration, logged_step
from reference_models.comparison.runs import Comparison
from reference_models.comparison.sweep import sweep
from reference_models.trained import checkpoints
from tests.reference_models.comparison.test_runs import TABLE

COMPARISON = Comparison("test", "sprites", TABLE)
RUNS = COMPARISON.runs({"vlae": 1e-4, "pro-vlae": 1e-4})
STEPS = TABLE["steps"]


def log(folder, run, *steps, end="\n"):
    path = folder / "runs" / run.key
    path.mkdir(parents=True, exist_ok=True)
    (path / "log.jsonl").write_text("\n".join(json.dumps({"step": step}) for step in steps) + end)
    return path


def row(run):
    return {"key": run.key, "error": "ValueError: no luck"}


def test_the_last_whole_line_of_a_log_counts(tmp_path):
    path = log(tmp_path, RUNS[0], 10, 20, 30) / "log.jsonl"
    assert logged_step(path) == 30
    path.write_text(path.read_text() + '{"step": 4')
    assert logged_step(path) == 30
    path.write_text('{"step": 4')
    assert logged_step(path) == 0
    assert logged_step(tmp_path / "none") == 0
    path.write_text("".join(json.dumps({"step": step, "loss": "x" * 90}) + "\n" for step in range(1000)))
    assert logged_step(path) == 999


def test_steps_within_runs_count(tmp_path):
    following = SweepProgress(tmp_path, STEPS * len(RUNS), len(RUNS))
    following.begin(RUNS, RUNS[1:])
    assert following.done() == STEPS
    log(tmp_path, RUNS[1], 1, 2)
    log(tmp_path, RUNS[2], 3)
    assert following.done() == STEPS + 5
    following.end(row(RUNS[1]))
    assert following.done() == 2 * STEPS + 3


def test_the_estimate_is_of_what_was_done_since_the_start(tmp_path, monkeypatch, capsys):
    clock = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    following = SweepProgress(tmp_path, STEPS * len(RUNS), len(RUNS))
    following.begin(RUNS, RUNS[1:])  # the first was done before: it says nothing of the speed
    assert following.in_short() == f"1 of {len(RUNS)} runs"
    clock[0] += 60
    following.end(row(RUNS[1]))
    left = 60 * (len(RUNS) - 2)
    shown = f"2 of {len(RUNS)} runs, about {duration(left)} left"
    assert following.in_short() == shown
    assert capsys.readouterr().err == f"{RUNS[1].key}: failed: ValueError: no luck; {shown}\n"


def test_a_resumed_run_is_named_with_its_step(tmp_path, capsys):
    path = log(tmp_path, RUNS[0], 2)
    described = {"architecture": "vlae", "arguments": {}, "dataset": "sprites", "step": 2}
    checkpoints.write(path / "last.safetensors", {"model.a": torch.zeros(1)}, described)
    following = SweepProgress(tmp_path, STEPS * len(RUNS), len(RUNS))
    following.begin(RUNS, RUNS)
    assert capsys.readouterr().err == f"{RUNS[0].key}: resumed at step 2 of {STEPS:,}\n"
    assert following.steps_before == following.done() == 2
    (path / "last.safetensors").write_bytes(b"damaged")
    following.begin(RUNS, RUNS)  # the run itself says what is wrong
    assert capsys.readouterr().err == ""


def test_quiet_is_quiet(tmp_path, capsys):
    with SweepProgress(tmp_path, STEPS * len(RUNS), len(RUNS), shown=False) as following:
        following.begin(RUNS, RUNS)
        following.end(row(RUNS[0]))
    assert capsys.readouterr().err == ""


def test_the_bar_follows_the_logs(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LOOK_AGAIN", 0.01)
    drawn = []
    with SweepProgress(tmp_path, STEPS * len(RUNS), len(RUNS)) as following:
        following.begin(RUNS, RUNS)
        monkeypatch.setattr(following.bar, "update", lambda amount, label: drawn.append((amount, label)))
        log(tmp_path, RUNS[0], 3)
        while not any(amount for amount, _ in drawn):
            assert following.watcher.is_alive()
    assert sum(amount for amount, _ in drawn) == 3
    assert drawn[0][1] == f"0 of {len(RUNS)} runs"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(4.2, "4 s"), (61, "1 min"), (3600 * 2 + 600, "2 h 10 min"), (86400 * 3 + 7200, "3 d 2 h")],
)
def test_a_duration_has_two_units(seconds, words):
    assert duration(seconds) == words


def test_a_missing_data_set_is_one_error_and_no_row(tmp_path, monkeypatch):
    asked = []

    def missing(*arguments):
        asked.append(arguments)
        raise DatasetError("sprites: not there")

    monkeypatch.setattr(sweep_module, "open_dataset", missing)
    with pytest.raises(DatasetError, match="not there"):
        sweep(COMPARISON, tmp_path, device="cpu")
    assert len(asked) == 1
    assert not (tmp_path / "rows.jsonl").exists()
