"""Runs that take no time, for tests of the sweep; importable, so that worker processes find them."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from reference_models.comparison.rows import Row
from reference_models.comparison.runs import Run
from reference_models.comparison.sweep import Work, description


class FakeWork(Work):
    """Notes each call as a file; a model's objective grows with its learning rate."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, None, "cpu")

    def __call__(self, run: Run) -> Row | None:
        calls = self.folder / "calls"
        calls.mkdir(exist_ok=True)
        count = len(list(calls.glob(f"{run.key}.*")))
        (calls / f"{run.key}.{count}").touch()
        return self.answer(run, count)

    def answer(self, run: Run, count: int) -> Row | None:
        return {**description(run), "objective": run.settings["learning_rate"]}


class DyingOnce(FakeWork):
    """The worker that is given one run's first attempt is killed."""

    def answer(self, run: Run, count: int) -> Row | None:
        if count == 0 and run.seed == 1 and run.model == "vlae":
            os.kill(os.getpid(), signal.SIGKILL)
        return super().answer(run, count)


class AlwaysLost(FakeWork):
    """What a backend raises where a worker dies comes out of the call, and is no row."""

    def answer(self, run: Run, count: int) -> Row | None:
        raise ConnectionError("the worker is gone")


class InterruptedAtSecond(FakeWork):
    def answer(self, run: Run, count: int) -> Row | None:
        return None if count == 0 and run.seed == 1 else super().answer(run, count)


class Endless(FakeWork):
    """Leaves its process's number in a file, and does not end."""

    def answer(self, run: Run, count: int) -> Row | None:
        (self.folder / f"{os.getpid()}.worker").touch()
        time.sleep(600)
        return None


class EndlessRun(Work):
    """A run that is begun as any other, leaves its process's number in a file, and does not end."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, None, "cpu")

    def run_folder(self, run: Run) -> Path:
        (self.folder / f"{os.getpid()}.worker").touch()
        time.sleep(600)
        return super().run_folder(run)


class NotMeasured(Work):
    """Trains for real, and says of a trained run only what is known without measuring it."""

    def measured(self, run: Run) -> Row:
        if run.seed == 1 and run.model == "vlae":
            return self.failed(run, ValueError("cannot be measured"))
        return {**description(run), "process": os.getpid(), "trained": self.is_trained(run)}


def calls(folder: Path) -> list[str]:
    """The key of every call."""
    return sorted(path.stem for path in (folder / "calls").iterdir())
