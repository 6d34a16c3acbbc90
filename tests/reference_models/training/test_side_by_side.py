"""Several runs in one process: each computes what it would compute alone, and fails alone."""

from __future__ import annotations

import json
import math
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from reference_models.models.pro_vlae import ProVLAE
from reference_models.models.vlae import VLAE
from reference_models.trained import checkpoints
from reference_models.training import log
from reference_models.training.train import (
    Job,
    NonFiniteLossError,
    TimeIsUpError,
    TrainingInterruptedError,
    train,
    train_each,
)
from tests.reference_models.conftest import Squares
from tests.reference_models.training.test_train import ARGUMENTS, SETTINGS, rows, run


def model_of(seed: int) -> ProVLAE:
    torch.manual_seed(0)
    return ProVLAE(**ARGUMENTS)


def job(folder: Path, seed: int = 0, build: Callable[[], Any] | None = None, **changes: Any) -> Job:
    return Job(
        build=build or partial(model_of, seed),
        dataset=changes.pop("dataset", None) or Squares(),
        settings=replace(SETTINGS, seed=seed, **changes),
        folder=folder,
        description={"arguments": ARGUMENTS, "preset": "test"},
        resume=(folder / "last.safetensors").exists(),
    )


def ends(jobs: dict[Any, Job], at_once: int, **options: Any) -> dict[Any, Any]:
    return dict(filter(None, train_each(jobs, at_once, progress=False, **options)))


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return checkpoints.read_tensors(folder / "model.safetensors", "")


def same_weights(a: Path, b: Path) -> bool:
    one, two = weights(a), weights(b)
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("at_once", [1, 2, pytest.param(3, marks=pytest.mark.slow)])
def test_runs_side_by_side_are_the_runs_alone(tmp_path: Path, at_once: int) -> None:
    found = ends({seed: job(tmp_path / f"{seed}", seed) for seed in range(3)}, at_once)
    assert found == {seed: tmp_path / f"{seed}" / "model.safetensors" for seed in range(3)}
    for seed in range(3):
        run(tmp_path / f"alone-{seed}", replace(SETTINGS, seed=seed))
        assert same_weights(tmp_path / f"{seed}", tmp_path / f"alone-{seed}")
        assert rows(tmp_path / f"{seed}") == rows(tmp_path / f"alone-{seed}")


def test_the_cpu_time_of_a_run_is_that_of_its_own_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each objective takes a second of a clock that all runs of the process share."""
    clock = {"cpu": 1000.0}
    monkeypatch.setattr(log.time, "process_time", lambda: clock["cpu"])

    class Working(VLAE):
        def objective(self, *images: Any, **draws: Any) -> Any:  # type: ignore[override]
            clock["cpu"] += 1
            return super().objective(*images, **draws)

    working = partial(Working, (1, 32, 32))
    ends({seed: job(tmp_path / f"{seed}", seed, working, steps=4) for seed in range(2)}, 2)
    for seed in range(2):
        lines = [json.loads(line) for line in (tmp_path / f"{seed}" / "log.jsonl").read_text().splitlines()]
        assert [line["cpu_seconds"] for line in lines] == [line["step"] for line in lines]


def test_a_run_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    class Diverging(VLAE):
        steps = 0

        def objective(self, images: Any, noise: Any) -> Any:  # type: ignore[override]
            self.steps += 1
            terms = super().objective(images, noise)
            return {**terms, "loss": terms["loss"] * (math.nan if self.steps > 5 else 1)}

    def refuse() -> Any:
        raise ValueError("no such model")

    jobs = {
        "good": job(tmp_path / "good"),
        "diverging": job(tmp_path / "diverging", build=partial(Diverging, (1, 32, 32))),
        "refused": job(tmp_path / "refused", build=refuse),
        "last": job(tmp_path / "last", seed=1),
    }
    found = ends(jobs, 2)
    assert isinstance(found["diverging"], NonFiniteLossError)
    assert "not finite at step 5" in str(found["diverging"])
    assert str(found["refused"]) == "no such model"
    run(tmp_path / "alone", replace(SETTINGS, seed=1))
    assert same_weights(tmp_path / "last", tmp_path / "alone")
    assert found["good"] == tmp_path / "good" / "model.safetensors"


class Slow(Squares):
    """Takes some time for each batch; at one of them it sends this process a signal."""

    def __init__(self, kill_at: int = -1) -> None:
        self.left = kill_at

    def images(self, indices: Any) -> Any:
        time.sleep(0.02)
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGTERM)
        self.left -= 1
        return super().images(indices)


def test_runs_that_are_stopped_go_on_where_they_were(tmp_path: Path) -> None:
    jobs = {seed: job(tmp_path / f"{seed}", seed) for seed in range(3)}
    stopped = {**jobs, 1: job(tmp_path / "1", 1, dataset=Slow(kill_at=4))}
    found = {}
    with pytest.raises(TrainingInterruptedError, match=r"interrupted: 3 of 3 runs are not finished"):
        found.update(filter(None, train_each(stopped, 2, progress=False)))
    steps = [
        checkpoints.read_description(tmp_path / f"{seed}" / "last.safetensors")["step"] for seed in range(2)
    ]
    assert all(0 < step < 12 for step in steps)
    assert not (tmp_path / "2").exists()
    ends({seed: job(tmp_path / f"{seed}", seed) for seed in range(3)}, 3)
    for seed in range(3):
        run(tmp_path / f"alone-{seed}", replace(SETTINGS, seed=seed))
        assert same_weights(tmp_path / f"{seed}", tmp_path / f"alone-{seed}")
        assert rows(tmp_path / f"{seed}") == rows(tmp_path / f"alone-{seed}")


def test_time_that_is_up_stops_a_run_as_ctrl_c_does(tmp_path: Path) -> None:
    given: Any = {"description": {"arguments": ARGUMENTS, "preset": "test"}, "progress": False}
    with pytest.raises(TimeIsUpError, match=r"time is up: stopped after step \d+ of 1000.*can be resumed"):
        train(
            model_of(0),
            Slow(),
            replace(SETTINGS, steps=1_000),
            tmp_path / "run",
            until=time.time() + 0.2,
            **given,
        )
    step = checkpoints.read_description(tmp_path / "run" / "last.safetensors")["step"]
    assert 0 < step < 12
    train(model_of(0), Squares(), SETTINGS, tmp_path / "run", resume=True, **given)
    run(tmp_path / "whole")
    assert same_weights(tmp_path / "run", tmp_path / "whole")
    with pytest.raises(TimeIsUpError, match="time is up: 2 of 2 runs"):
        ends({seed: job(tmp_path / f"late-{seed}", seed) for seed in range(2)}, 2, until=time.time() - 1)
    assert not (tmp_path / "late-0").exists()
