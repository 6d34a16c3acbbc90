"""dm-reproduce: options that would be ignored are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from disentangle_metrics import InputError
from disentangle_metrics.kit import OnceCommand
from reference_models.cli import reproduce, train


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--plan mini --plan small", "--plan is given twice"),
        ("estimate --plan mini --plan small", "--plan is given twice"),
        (
            "--quiet --dataset rooms estimate",
            "--dataset stands before estimate and would be ignored; put --dataset behind it",
        ),
        (
            "--out mine figures rows.jsonl",
            "--out stands before figures and would be ignored; put --out behind it",
        ),
        (
            "--jobs 3 figures rows.jsonl",
            "--jobs stands before figures and would be ignored; figures takes no --jobs",
        ),
        ("--seeds= --betas 1", "--seeds is ''; accepted: seeds and ranges"),
        ("--betas= --seeds 1", "--betas is ''; accepted: numbers"),
    ],
)
def test_what_would_be_ignored_is_refused(
    line: str, message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_runs(*_: object, **__: object) -> None:
        raise InputError("all runs of the plan begin")

    monkeypatch.setattr("reference_models.comparison.sweep.sweep", no_runs)
    monkeypatch.setattr("reference_models.comparison.estimate.time_models", no_runs)
    assert reproduce.run(line.split()) == 2
    out, err = capsys.readouterr()
    assert message in err
    assert (out, err.count("\n")) == ("", 1)


def test_failed_runs_are_tried_again_by_the_same_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = [{"key": "vlae-seed0", "error": "ValueError: no luck"}]
    monkeypatch.setattr("reference_models.comparison.sweep.sweep", lambda *_, **__: failed)
    assert reproduce.run(["--plan", "mini", "--out", str(tmp_path), "--quiet"]) == 1
    told = "failed: vlae-seed0: ValueError: no luck\nthe same command with --retry-failed tries them again\n"
    assert capsys.readouterr().err == told


def test_the_traceback_may_be_asked_for_anywhere(capsys: pytest.CaptureFixture[str]) -> None:
    assert reproduce.run(["--debug", "figures", "none.jsonl"]) == 2
    assert "there is no file none.jsonl" in capsys.readouterr().err


@pytest.mark.parametrize("app", [train.app, reproduce.app])
def test_every_command_refuses_an_option_that_is_given_twice(app: typer.Typer) -> None:
    assert all(isinstance(each, OnceCommand) for each in typer.main.get_command(app).commands.values())  # type: ignore[attr-defined]
