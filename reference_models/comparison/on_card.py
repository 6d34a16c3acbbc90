"""Runs of a sweep that share a GPU: trained side by side in one process, and measured beside it.

Measuring is work for the CPU. So the runs that have been trained are measured by other processes
while the GPU trains the next ones.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from filelock import FileLock, Timeout
from joblib.externals.loky import ProcessPoolExecutor

from disentangle_metrics.kit import end_with
from reference_models.comparison.rows import Row
from reference_models.comparison.runs import Run
from reference_models.training.errors import TrainingInterruptedError
from reference_models.training.train import train_each

if TYPE_CHECKING:
    from reference_models.comparison.sweep import Work

LOOK_AGAIN = 1.0  # seconds


def rows_on_card(work: Work, runs: list[Run], at_once: int) -> Iterator[Row | None]:
    """Train `runs` on the device of `work`, `at_once` at a time; their rows, as they come.

    A run that fails gets a row with its error, and the others go on. None stands for each run that
    was interrupted or did not begin; all that were under way have been saved.
    """
    left = {run.key for run in runs}
    measuring = Measuring(work, min(at_once, os.cpu_count() or 1))
    try:
        for row in _rows(work, runs, at_once, measuring):
            left.remove(row["key"])
            yield row
        yield from [None] * len(left)
    finally:
        measuring.close()


def _rows(work: Work, runs: list[Run], at_once: int, measuring: Measuring) -> Iterator[Row]:
    """The rows of the runs that end before training is interrupted or the time of `work` is up."""
    untrained = {run.key: run for run in runs if not work.is_trained(run)}
    jobs = {key: work.job(run) for key, run in untrained.items()}
    for run in runs:
        if run.key not in untrained:
            measuring.submit(run)
    try:
        for outcome in train_each(jobs, at_once, progress=False, until=work.until) if jobs else ():
            if outcome is not None:
                key, result = outcome
                if isinstance(result, Path):
                    measuring.submit(untrained[key])
                elif not isinstance(result, TrainingInterruptedError):
                    yield work.failed(untrained[key], result)
            yield from measuring.ready()
    except TrainingInterruptedError:
        return
    yield from measuring.rest()


class Measuring:
    """Measures trained runs in processes of its own."""

    def __init__(self, work: Work, processes: int) -> None:
        self.work, self.under_way = work, dict[Future[Row], Run]()
        # A process that Dask has started may have no children, and a thread here would change what
        # PyTorch computes with while the runs train.
        may_have_children = not multiprocessing.current_process().daemon
        self.processes = ProcessPoolExecutor(processes) if may_have_children else None

    def submit(self, run: Run) -> None:
        """Measure this run when there is room; at once, while training waits, if that must be here."""
        if self.processes is not None:
            future = self.processes.submit(measured, self.work, run, os.getpid())
        else:
            future = Future[Row]()
            future.set_result(self.work.measured(run))
        self.under_way[future] = run

    def ready(self) -> Iterator[Row]:
        """The rows of the runs that have been measured since the last call."""
        for future in [future for future in self.under_way if future.done()]:
            run = self.under_way.pop(future)
            error = future.exception()
            yield future.result() if error is None else self.work.failed(run, error)

    def rest(self) -> Iterator[Row]:
        """The rows of all runs, as they come, until the time of `work` is up."""
        while self.under_way and not self.work.time_is_up():
            wait_for(self.under_way, timeout=LOOK_AGAIN, return_when="FIRST_COMPLETED")
            yield from self.ready()

    def close(self) -> None:
        """Stop, also in the middle: a run is measured again where it has no row."""
        if self.processes is not None:
            self.processes.shutdown(wait=False, kill_workers=True)


def measured(work: Work, run: Run, parent: int) -> Row:
    """What a process of :class:`Measuring` does, which ends with the one that made it."""
    end_with(parent)
    return work.measured(run)


class Group:
    """What one worker of joblib does at a time: several runs on one card."""

    def __init__(self, work: Work, at_once: int) -> None:
        self.work, self.at_once = work, at_once

    def __call__(self, runs: list[Run]) -> list[Row | None]:
        end_with(self.work.began_in)
        with a_card(self.work.device, self.work.folder) as device:
            return list(rows_on_card(self.work.on(device), runs, self.at_once))


@contextmanager
def a_card(device: str, folder: Path) -> Iterator[str]:
    """A card of this machine that no other worker of the same sweep has."""
    if device not in ("auto", "cuda"):
        yield device
        return
    sweep = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    locks = [
        FileLock(Path(tempfile.gettempdir()) / f"dm-reproduce-{sweep}-cuda-{card}.lock")
        for card in range(torch.cuda.device_count())
    ]
    while True:
        for card, lock in enumerate(locks):
            try:
                lock.acquire(timeout=0)
            except Timeout:
                continue
            try:
                yield f"cuda:{card}"
            finally:
                lock.release()
            return
        time.sleep(LOOK_AGAIN)


def groups_of(runs: list[Run], at_once: int, workers: int) -> list[list[Run]]:
    """Runs in groups for cards: as many as train at once, fewer where there are more workers than groups."""
    size = max(1, min(at_once, -(-len(runs) // workers)))
    return [runs[first : first + size] for first in range(0, len(runs), size)]


def has_cards(device: str) -> bool:
    """Whether runs on this device share a GPU in one process."""
    return device.startswith("cuda") or (device == "auto" and torch.cuda.is_available())
