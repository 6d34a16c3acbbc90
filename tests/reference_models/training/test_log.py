"""The log's times, which add up over interruptions."""

from __future__ import annotations

from pathlib import Path

import pytest

from reference_models.training import log as module
from reference_models.training.log import TrainingLog


def test_times_go_on_from_the_step_that_is_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = {"wall": 100.0, "cpu": 10.0}
    monkeypatch.setattr(module.time, "monotonic", lambda: clock["wall"])
    monkeypatch.setattr(module.time, "process_time", lambda: clock["cpu"])

    def pass_by(wall: float, cpu: float) -> None:
        clock["wall"] += wall
        clock["cpu"] += cpu

    first = TrainingLog(tmp_path, 0)
    with first.at_work():
        pass_by(3, 2)
    pass_by(2, 100)  # the steps of other runs
    with first.at_work():
        pass_by(3, 3)
        first.write({"step": 10, "loss": 1.0, **first.elapsed()})
        pass_by(4, 3)
        # After the last checkpoint: undone by a kill.
        first.write({"step": 20, "loss": 0.5, **first.elapsed()})
    assert first.elapsed() == {"seconds": 12, "cpu_seconds": 8}
    pass_by(1000, 1)
    second = TrainingLog(tmp_path, 10)
    assert second.elapsed() == {"seconds": 8, "cpu_seconds": 5}
    with second.at_work():
        pass_by(2, 1.5)
        assert second.elapsed() == {"seconds": 10, "cpu_seconds": 6.5}
