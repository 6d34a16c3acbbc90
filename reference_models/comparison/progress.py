"""How far a sweep is, read from the logs that its runs write wherever they run."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from disentangle_metrics import InputError
from disentangle_metrics.kit import LateProgress
from reference_models.comparison.rows import Row
from reference_models.comparison.runs import Run
from reference_models.trained.checkpoints import read_description

LOOK_AGAIN = 1.0  # seconds
TAIL = 1 << 14  # bytes of a log, more than its last line has


class SweepProgress:
    """Moves a bar by the steps that runs have logged, and says in lines what goes on.

    Parameters
    ----------
    folder : Path
        That of the sweep, with a folder ``runs/KEY`` for each run.
    steps : int
        Of all runs of the comparison together.
    runs : int
        How many runs those are.
    shown : bool
        False: never.

    Use it in a ``with`` statement.
    """

    def __init__(self, folder: Path, steps: int, runs: int, *, shown: bool = True) -> None:
        self.folder, self.steps, self.runs, self.shown = folder, steps, runs, shown
        self.bar = LateProgress("runs", steps, "steps", shown=shown)
        self.under_way: dict[str, int] = {}  # key -> steps of a run that has no row yet
        self.ended_runs = self.ended_steps = self.steps_before = self.drawn = 0
        self.began = time.monotonic()
        self.lock, self.over = threading.Lock(), threading.Event()
        self.watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> SweepProgress:
        if self.shown:
            self.watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        if self.shown:
            self.watcher.join()
        self.bar.close()

    def begin(self, runs: Sequence[Run], pending: Sequence[Run]) -> None:
        """A round of runs begins, of which only `pending` are left to do."""
        left = {run.key for run in pending}
        resumed = {run.key: step for run in pending if (step := self._saved_step(run))}
        with self.lock:
            ended = [run.settings["steps"] for run in runs if run.key not in left]
            self.ended_runs += len(ended)
            self.ended_steps += sum(ended)
            self.under_way = {run.key: run.settings["steps"] for run in pending}
            self.steps_before += sum(ended) + sum(resumed.values())
        for key, step in resumed.items():
            self.bar.say(f"{key}: resumed at step {step:,} of {self.under_way[key]:,}")

    def end(self, row: Row) -> None:
        """A run has ended with this row."""
        with self.lock:
            self.ended_steps += self.under_way.pop(row["key"], 0)
            self.ended_runs += 1
        self.bar.say(f"{line_of(row)}; {self.in_short()}")

    def in_short(self) -> str:
        """How many runs have ended, and how long the rest may take: "3 of 12 runs, about 40 min left"."""
        done = self.done()
        here = done - self.steps_before
        seconds = (time.monotonic() - self.began) * (self.steps - done) / here if here > 0 else 0.0
        estimate = f", about {duration(seconds)} left" if seconds > 0 else ""
        return f"{self.ended_runs} of {self.runs} runs{estimate}"

    def done(self) -> int:
        """Steps taken by all runs so far, before an interruption too."""
        with self.lock:
            under_way = list(self.under_way.items())
            ended = self.ended_steps
        return ended + sum(
            min(steps, logged_step(self.folder / "runs" / key / "log.jsonl")) for key, steps in under_way
        )

    def _saved_step(self, run: Run) -> int:
        """The step of the checkpoint that a run will go on from; 0 if it begins anew or is trained."""
        folder = self.folder / "runs" / run.key
        last = folder / "last.safetensors"
        if not last.exists() or (folder / "model.safetensors").exists():
            return 0
        try:
            return int(read_description(last).get("step", 0))
        except InputError:  # the run itself will say what is wrong with the file
            return 0

    def _watch(self) -> None:
        while not self.over.wait(LOOK_AGAIN):
            done = self.done()
            self.bar.update(done - self.drawn, f"{self.ended_runs} of {self.runs} runs")
            self.drawn = done


def logged_step(log: Path) -> int:
    """The last step in a log of JSON lines; 0 if there is none yet."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            lines = file.read().split(b"\n")
        return int(json.loads(lines[-2])["step"]) if len(lines) > 1 else 0
    except (OSError, ValueError, KeyError):  # it is being written anew
        return 0


def line_of(row: Row) -> str:
    """A finished run in one line."""
    if "error" in row:
        return f"{row['key']}: failed: {row['error']}"
    scores = ", ".join(
        f"{key} {'-' if score['value'] is None else format(score['value'], '.3f')}"
        for key, score in row["published"].items()
    )
    return f"{row['key']}: reconstruction {row['reconstruction']:.1f}, {scores} ({row['seconds']:.0f} s)"


def duration(seconds: float) -> str:
    """A time in the two units that suit it, such as 2 h 10 min."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
