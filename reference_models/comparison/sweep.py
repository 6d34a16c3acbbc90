"""The sweep: every run of a comparison that has no row yet, through joblib, resumable at any moment.

On CPUs each run has a process. On a GPU one process trains several runs side by side; several GPUs
or machines get a group of runs at a time.

A run trains in a folder of its own and resumes there from its last checkpoint. The process that
started the sweep alone writes rows, as runs end. With a joblib backend that spans machines, the
output folder must be one that all of them see, or interrupted runs start anew there.
"""

from __future__ import annotations

import json
import os
import platform
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import torch

from disentangle_metrics import DisentangleMetricsError, FactorDataset, InputError
from disentangle_metrics.kit import end_with
from reference_models.comparison.measurement import measure
from reference_models.comparison.on_card import Group, groups_of, has_cards, rows_on_card
from reference_models.comparison.rows import Row, append_row, read_rows
from reference_models.comparison.runs import Comparison, Run
from reference_models.datasets import open_dataset
from reference_models.trained import checkpoints
from reference_models.trained.load import load, stage_ends
from reference_models.training import recipe
from reference_models.training.freed_memory import keep_freed_memory
from reference_models.training.interruption import sigterm_as_ctrl_c
from reference_models.training.locks import sole_writer, turn
from reference_models.training.precision import pick_device
from reference_models.training.train import (
    Job,
    TimeIsUpError,
    TrainingInterruptedError,
    UnreachedStageWarning,
    past,
    train,
)

ROWS = "rows.jsonl"
ATTEMPTS = 3  # at the same set of runs, where workers are lost without any run ending

SPANNING = ("DaskDistributedBackend", "RayBackend")  # joblib's backends whose workers may be elsewhere

Begin = Callable[[list[Run], list[Run]], object]
Advance = Callable[[Row], object]


class WorkersLostError(DisentangleMetricsError):
    """Worker processes kept dying; what had finished is kept."""

    exit_code = 1


def sweep(
    comparison: Comparison,
    folder: Path,
    *,
    n_jobs: int = 1,
    root: Path | None = None,
    device: str = "auto",
    retry_failed: bool = False,
    begin: Begin = lambda runs, pending: None,
    advance: Advance = lambda row: None,
    until: float | None = None,
) -> list[Row]:
    """Do what is left of a comparison and return all its rows.

    Pilot runs come first; they choose each model's learning rate. A run that fails gets a row with
    its error, and is not tried again unless `retry_failed`.

    Parameters
    ----------
    comparison : Comparison
    folder : Path
        Holds ``rows.jsonl`` and a folder ``runs/KEY`` with the checkpoints of each run.
    n_jobs : int
        Runs at a time, each with one thread; joblib's meaning. On GPUs: runs at a time on each.
        ``joblib.parallel_config`` chooses the backend, which on GPUs needs one worker for each.
    root : Path, optional
        Where the data set's files are.
    device : str
        Of every run.
    retry_failed : bool
    begin : callable
        Told the runs of a round, and those of them that are left to do. There are two rounds: pilots, and
        the others.
    advance : callable
        Told each new row.
    until : float, optional
        Stop when ``time.time()`` gets there: runs that are under way are saved.

    Raises
    ------
    InputError
        If another process writes to the same rows, no pilot of a model finished, or this machine lacks the
        device.
    DatasetError
        If the data set is not there. No run counts as failed then.
    TrainingInterruptedError
        After Ctrl-C or SIGTERM, or when the time is up (TimeIsUpError); runs that were under way go
        on when the sweep is started again.
    WorkersLostError
        If worker processes die again and again.
    """
    # Refused before any worker is, which would count as lost. A card is not touched here: workers use it.
    if not spans_machines() and not (device.startswith("cuda") and torch.cuda.is_available()):
        pick_device(device)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be the folder of rows and runs: {error.strerror or error}"
        ) from error
    path = folder / ROWS
    work = Work(folder, root, device, until)
    with sole_writer(path), sigterm_as_ctrl_c():
        do(work, comparison.pilots(), n_jobs, retry_failed, advance, begin)
        runs = comparison.runs(comparison.learning_rates(read_rows(path)))
        do(work, runs, n_jobs, retry_failed, advance, begin)
        wanted = {run.key for run in [*comparison.pilots(), *runs]}
        return [row for row in read_rows(path) if row["key"] in wanted]


class Work:
    """Where runs are done, on what, and until when."""

    def __init__(self, folder: Path, root: Path | None, device: str, until: float | None = None) -> None:
        self.folder, self.root, self.device, self.until = folder.absolute(), root, device, until
        self.began_in = os.getpid()
        self._dataset: tuple[Any, FactorDataset] | None = None

    def __call__(self, run: Run) -> Row | None:
        """The row of a run, with the error if it failed; None if it was interrupted or there is no time."""
        end_with(self.began_in)
        if self.time_is_up():
            return None
        try:
            folder = self.run_folder(run)
            with turn(folder):  # a worker that outlived its killed sweep may be at it; go on from what it did
                return do_run(run, folder, self.root, self.device, self.until)
        except TrainingInterruptedError:
            return None
        except Exception as error:
            return self.failed(run, error)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_dataset": None}

    def on(self, device: str) -> Work:
        """The same on another device."""
        other = copy(self)
        other.device = device
        return other

    def time_is_up(self) -> bool:
        """Whether no run shall begin any more."""
        return past(self.until)

    def run_folder(self, run: Run) -> Path:
        """Where the run's checkpoints are."""
        return self.folder / "runs" / run.key

    def is_trained(self, run: Run) -> bool:
        """Whether it only has to be measured."""
        return is_trained(self.run_folder(run))

    def job(self, run: Run) -> Job:
        """The run as it is trained beside others, from its last checkpoint if it has one."""
        folder = self.run_folder(run)
        dataset = self.dataset(run)
        plan = plan_of(run, dataset, self.device)
        return Job(
            build=partial(recipe.build, plan),
            dataset=dataset,
            settings=plan.settings,
            folder=folder,
            description={"arguments": plan.arguments, "preset": plan.preset},
            resume=(folder / "last.safetensors").exists(),
            turn=partial(turn, folder),
        )

    def dataset(self, run: Run) -> FactorDataset:
        """The run's data set, which is that of all runs of a comparison."""
        what = (run.dataset, run.side)
        if self._dataset is None or self._dataset[0] != what:
            self._dataset = what, open_dataset(run.dataset, self.root, run.side)
        return self._dataset[1]

    def measured(self, run: Run) -> Row:
        """The row of a run that has been trained, with the error if it cannot be measured."""
        torch.set_num_threads(1)
        folder = self.run_folder(run)
        try:
            with turn(folder):  # a process that outlived its killed sweep may be at it
                return row_of(run, folder, self.dataset(run), self.device)
        except Exception as error:
            return self.failed(run, error)

    def failed(self, run: Run, error: BaseException) -> Row:
        """The row of a run that failed."""
        return {**description(run), "error": f"{type(error).__name__}: {error}"}


def pending(runs: Iterable[Run], rows: Iterable[Row], retry_failed: bool) -> list[Run]:
    """The runs without a row; with `retry_failed` also those whose row is an error."""
    ended = {row["key"] for row in rows if not (retry_failed and "error" in row)}
    return [run for run in runs if run.key not in ended]


def do(
    work: Work,
    runs: list[Run],
    n_jobs: int,
    retry_failed: bool,
    advance: Advance,
    begin: Begin = lambda runs, pending: None,
) -> None:
    """Do the pending ones of `runs`, those that lost their worker again."""
    path = work.folder / ROWS
    todo = pending(runs, read_rows(path), retry_failed)
    if todo and not spans_machines():
        work.dataset(todo[0])  # if it is missing, that is one error rather than one of each run
    begin(runs, todo)
    lost = 0
    while todo:
        ended: set[str] = set()
        without_time = 0
        answers = results(work, todo, n_jobs)
        while len(ended) + without_time < len(todo):
            try:
                row = next(answers)
            except KeyboardInterrupt:
                row = None
            except Exception as error:
                # A worker was killed or a machine went away: each backend has its own exception for it.
                lost = 0 if ended else lost + 1
                if lost == ATTEMPTS:
                    raise WorkersLostError(
                        f"{ATTEMPTS} times a worker was lost before any run ended ({type(error).__name__}: "
                        f"{error}); finished runs are in {path}"
                    ) from error
                break
            if row is None and work.time_is_up():
                without_time += 1  # the others are about to say so, too, or to end
                continue
            if row is None:
                raise TrainingInterruptedError(
                    f"interrupted; {path} and the checkpoints of unfinished runs are kept, and the same "
                    "command goes on from here"
                )
            append_row(path, row)
            ended.add(row["key"])
            advance(row)
        todo = [run for run in todo if run.key not in ended]
        if without_time:
            raise TimeIsUpError(
                f"time is up: {len(todo)} runs of this round are left; {path} and the checkpoints of "
                "unfinished runs are kept, and the same command goes on from here"
            )


def results(work: Work, runs: list[Run], n_jobs: int) -> Iterator[Row | None]:
    """What `work` gives for each run, as runs end; `n_jobs` of them at a time, on GPUs on each."""
    if has_cards(work.device):
        spans = spans_machines()
        cards = 1 if ":" in work.device else max(1, torch.cuda.device_count())
        if not spans and cards == 1:
            yield from rows_on_card(work, runs, n_jobs)
            return
        workers = joblib.effective_n_jobs(-1) if spans else cards
        for rows in at_work(Group(work, n_jobs), groups_of(runs, n_jobs, workers), workers):
            yield from rows
        return
    yield from at_work(work, runs, n_jobs)


def spans_machines() -> bool:
    """Whether joblib's workers may be on other machines."""
    backend, _ = joblib.parallel.get_active_backend()
    return type(backend).__name__ in SPANNING


def at_work(work: Callable[[Any], Any], parts: list[Any], n_jobs: int) -> Iterator[Any]:
    """What `work` gives for each of `parts`, as they end, through joblib."""
    # One at a time for each worker: they take minutes, and not equally many.
    calls = [joblib.delayed(work)(part) for part in parts]
    backend, _ = joblib.parallel.get_active_backend()
    if backend.supports_return_generator:
        yield from joblib.Parallel(
            n_jobs=n_jobs, return_as="generator_unordered", batch_size=1, pre_dispatch="n_jobs"
        )(calls)
        return
    at_once = joblib.effective_n_jobs(n_jobs)  # ray's backend gives nothing before all have ended
    for start in range(0, len(calls), at_once):
        yield from joblib.Parallel(n_jobs=n_jobs, batch_size=1)(calls[start : start + at_once])


def plan_of(run: Run, dataset: FactorDataset, device: str) -> recipe.Plan:
    """The run as it is trained on these images, on this device."""
    return recipe.fitted(recipe.changed(run.plan, {}, {"device": device}), dataset.image_shape)


def do_run(run: Run, folder: Path, root: Path | None, device: str, until: float | None = None) -> Row:
    """Train, or go on training, and measure; the row of a run."""
    torch.set_num_threads(1)
    keep_freed_memory()
    dataset = open_dataset(run.dataset, root, run.side)
    plan = plan_of(run, dataset, device)
    if not is_trained(folder):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnreachedStageWarning)  # a comparison may be of first stages
            train(
                recipe.build(plan),
                dataset,
                plan.settings,
                folder,
                description={"arguments": plan.arguments, "preset": plan.preset},
                resume=(folder / "last.safetensors").exists(),
                progress=False,
                until=until,
            )
        if past(until):
            raise TimeIsUpError("time is up: the run is trained, and measured next time")
    return row_of(run, folder, dataset, device)


def is_trained(folder: Path) -> bool:
    """Whether the run's weights are there, and their description, which is written last."""
    return all((folder / f"model{suffix}").exists() for suffix in (".safetensors", ".json"))


def row_of(run: Run, folder: Path, dataset: FactorDataset, device: str) -> Row:
    """Measure a run that has been trained; its row."""
    trained = json.loads((folder / "log.jsonl").read_text().splitlines()[-1])
    began = time.monotonic()
    place = pick_device(device)
    *stages, end = (load(path, place) for path in stage_ends(folder))
    how = (dataset, run.samples, run.factors, run.information_images)
    found = measure(end, *how)
    found["objective"] = found["reconstruction"] + run.beta * sum(found["kl"])
    if end.layers > 1:
        found["stages"] = [
            {"step": stage.step, **measure(stage, *how, all_metrics=False)} for stage in stages
        ]
    (folder / "last.safetensors").unlink(missing_ok=True)  # three times the weights; no longer needed
    (folder / "last.json").unlink(missing_ok=True)
    return {
        **description(run),
        **found,
        "arguments": plan_of(run, dataset, device).arguments,
        "seconds": trained["seconds"],  # of training, those before an interruption too
        "cpu_seconds": trained["cpu_seconds"],  # without what the process waited or was paused
        "cpu_seconds_of": "run",  # rows from before, of runs side by side, have their process's
        "measuring_seconds": round(time.monotonic() - began, 1),
        "device": device,
        "machine": platform.machine(),
        "versions": checkpoints.versions(),
    }


def description(run: Run) -> dict[str, Any]:
    """What a row says of its run."""
    return {
        "key": run.key,
        **{name: value for name, value in run.facts().items() if name != "settings"},
        "iterations": run.settings["steps"],
        "batch_size": run.settings["batch_size"],
        "precision": run.settings.get("precision", "float32"),
        "learning_rate": run.settings["learning_rate"],
        "warmup_steps": run.settings["warmup_steps"],
    }
