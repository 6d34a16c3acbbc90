"""Training: what is checked first, and the loop over steps that a :class:`Run` takes."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from disentangle_metrics import InputError
from reference_models.models.parts.model import ImageDataset, Model
from reference_models.trained import checkpoints
from reference_models.training.devices import Team, check_devices, run_on_devices
from reference_models.training.errors import (
    NonFiniteLossError,
    StorageError,
    TimeIsUpError,
    TrainingInterruptedError,
    UnreachedStageWarning,
)
from reference_models.training.feeds import as_images
from reference_models.training.images_on_device import DeviceImages, resident_images
from reference_models.training.interruption import stop_requests
from reference_models.training.locks import sole_writer
from reference_models.training.loggers import check_logger
from reference_models.training.precision import (
    check_precision,
    denormals_flushed,
    deterministic_algorithms,
    pick_device,
)
from reference_models.training.resuming import check_no_run, check_same_run
from reference_models.training.run import Run
from reference_models.training.scores import check_factors
from reference_models.training.settings import Settings, check_settings
from reference_models.training.side_by_side import SideBySide

Key = TypeVar("Key", bound=Hashable)

__all__ = [
    "NonFiniteLossError",
    "Settings",
    "StorageError",
    "TimeIsUpError",
    "TrainingInterruptedError",
    "UnreachedStageWarning",
    "as_images",
    "train",
]


def train(
    model: Model,
    dataset: ImageDataset,
    settings: Settings,
    folder: Path,
    *,
    description: Mapping[str, Any],
    resume: bool = False,
    progress: bool = True,
    until: float | None = None,
) -> Path:
    """Train `model` on images of `dataset` and return the path of the trained weights.

    In `folder` it keeps ``last.safetensors`` (written every `save_every` steps; training can go on
    from it), ``model.safetensors`` (the weights alone, at the end), ``step-N.safetensors`` (the
    weights after N steps, at the model's milestones), ``log.csv`` and ``log.jsonl``, and, if
    `score_every` is set, ``scores.csv`` and ``scores.jsonl``. On a GPU ``log.txt`` says how the steps
    are taken. ``last.safetensors.lock`` is held while it trains.

    Parameters
    ----------
    model : Model
        Freshly initialised.
    dataset : ImageDataset
    settings : Settings
    folder : Path
        Made if need be.
    description : mapping
        What checkpoints say of the model: at least ``arguments``, its constructor's.
    resume : bool
        Go on from ``last.safetensors``. On a CPU with the same number of threads the weights and
        the log come out as those of a run that was never interrupted, to the last bit. So they do
        on the same GPU, if `deterministic` is set.
    progress : bool
        Draw a progress bar on stderr.
    until : float, optional
        Stop when ``time.time()`` gets there, after the step that is being taken.

    Raises
    ------
    InputError
        If a setting is unusable, the data set does not suit the model, the folder holds a run that has
        taken a step or weights of one and `resume` is False, it holds none (or that of another model or
        settings) and `resume` is True, or another process trains in it. Nothing has been written then.
    TrainingInterruptedError
        After Ctrl-C or SIGTERM: the step was finished and a checkpoint written. TimeIsUpError, which
        is one of them, if it is `until`.
    NonFiniteLossError
        If the loss stopped being finite; the last checkpoint is from before.
    StorageError
        If a file cannot be written, as on a full disk; the last checkpoint is as it was.

    Warns
    -----
    UnreachedStageWarning
        If training ends before a stage of the model begins, or before the capacity of a beta-VAE has
        grown. The run can be resumed with more steps.
    """
    device = check(model, dataset, settings)
    description = described(model, dataset, settings, description)
    last = prepared(folder, description, resume)
    run = (model, dataset, settings, folder, description, resume, progress, until)
    with sole_writer(last):
        if settings.devices == 1:
            return loop(Team(device), *run)
        path: Path = run_on_devices(settings.devices, device.type, loop, *run)
    model.load_state_dict(checkpoints.read_tensors(path, "model."))
    return path


def check(model: Model, dataset: ImageDataset, settings: Settings) -> torch.device:
    """The device to train on. Raises InputError if something cannot be used; writes nothing.

    Warns of what the model's schedule does not come to.
    """
    check_settings(settings)
    device = pick_device(settings.device)
    check_precision(settings.precision, device)
    check_devices(settings.devices, device)
    check_logger(settings.logger)
    if settings.score_every:
        check_factors(dataset)
    for name in model.not_negative:
        if not 0 <= (value := getattr(model, name)) < math.inf:
            raise InputError(f"{name} is {value}; it must be at least 0 and finite")
    model.rows(dataset, settings.batch_size, np.random.default_rng(0))  # raises if they do not go together
    if late := model.unreached(settings.steps):
        warnings.warn(late, UnreachedStageWarning, stacklevel=3)
    return device


def described(
    model: Model, dataset: ImageDataset, settings: Settings, description: Mapping[str, Any]
) -> dict[str, Any]:
    """What checkpoints say of a run."""
    return {
        "architecture": model.name,
        "dataset": dataset.name,
        "seed": settings.seed,
        **description,
        "settings": asdict(settings),
        "versions": checkpoints.versions(),
    }


def prepared(folder: Path, description: Mapping[str, Any], resume: bool) -> Path:
    """The checkpoint to go on from, or where it will be; makes the folder.

    Raises InputError if it holds another run, or one where there should be none; see :func:`check_no_run`.
    """
    last = folder / "last.safetensors"
    if resume:
        check_same_run(last, description)
    else:
        check_no_run(folder, description)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder} cannot be a run's folder: {error.strerror or error}") from error
    return last


def loop(
    team: Team,
    model: Model,
    dataset: ImageDataset,
    settings: Settings,
    folder: Path,
    description: Mapping[str, Any],
    resume: bool,
    progress: bool,
    until: float | None,
) -> Path:
    """What :func:`train` does once all is checked: in each process of a team, the first of which writes."""
    with (
        stop_requests() as stop,
        as_set(settings),
        progress_bars(progress and team.rank == 0) as bar,
        Run(team, model, dataset, settings, folder, description, resume=resume) as run,
    ):
        run.show = bar(model.name, run.done, settings.steps)
        while not run.finished:
            run.advance()
            if not run.finished and run.agreed(stop.is_set() or past(until)):
                run.stop(time_is_up=not stop.is_set())
        return run.finish()


@dataclass(frozen=True)
class Job:
    """A run to be done beside others: what :func:`train` takes, and its progress bar's title."""

    build: Callable[[], Model]
    dataset: ImageDataset
    settings: Settings
    folder: Path
    description: Mapping[str, Any]
    resume: bool = False
    title: str = ""
    turn: Callable[[], AbstractContextManager[None]] = nullcontext

    @contextmanager
    def opened(self, images: DeviceImages | None, bar: Any) -> Iterator[Run]:
        """The run, checked and open, with its folder locked."""
        model = self.build()
        device = check(model, self.dataset, self.settings)
        description = described(model, self.dataset, self.settings, self.description)
        last = prepared(self.folder, description, self.resume)
        given = (model, self.dataset, self.settings, self.folder, description)
        with (
            self.turn(),
            sole_writer(last),
            Run(Team(device), *given, resume=self.resume, images=images) as run,
        ):
            run.show = bar(self.title, run.done, self.settings.steps)
            yield run


def train_each(
    jobs: Mapping[Key, Job], at_once: int, *, progress: bool = True, until: float | None = None
) -> Iterator[tuple[Key, Path | Exception] | None]:
    """Do several runs in this process, `at_once` at a time; how each ended, as they end.

    Parameters
    ----------
    jobs : mapping of key to Job
        Of one data set. All runs have the same `device`, `data_share` and `deterministic`, and one device.
    at_once : int
        More than one pays on a CUDA device alone.
    progress, until
        As for :func:`train`.

    Yields
    ------
    (key, Path or Exception), or None
        Where the weights of a run are, or what it raised, after which the others go on. None after a
        round of steps in which no run ended, so that the caller can do something else meanwhile.

    Raises
    ------
    TrainingInterruptedError
        After Ctrl-C or SIGTERM, or when the time is up (TimeIsUpError): every run that was under way
        has been saved, and has been named with such an error.
    """
    settings = next(iter(jobs.values())).settings
    with ExitStack() as stack:
        stop = stack.enter_context(stop_requests())
        stack.enter_context(as_set(settings))
        bar = stack.enter_context(progress_bars(progress))

        def stopping() -> str:
            return "interrupted" if stop.is_set() else "time" if past(until) else ""

        images = shared_images(jobs, at_once)
        openings = ((key, partial(job.opened, images, bar)) for key, job in jobs.items())
        runs = SideBySide(openings, at_once, stopping)
        stack.callback(runs.close)
        ended: set[Key] = set()
        while runs.busy:
            outcomes = runs.round()
            for key, outcome in outcomes:
                if not isinstance(outcome, TrainingInterruptedError):
                    ended.add(key)
                yield key, outcome
            if not outcomes:
                yield None
        if len(ended) < len(jobs):
            left = f"{len(jobs) - len(ended)} of {len(jobs)} runs are not finished; the same command goes on"
            if stop.is_set():
                raise TrainingInterruptedError(f"interrupted: {left}")
            raise TimeIsUpError(f"time is up: {left}")


def shared_images(jobs: Mapping[Key, Job], at_once: int) -> DeviceImages | None:
    """The data set in a GPU's memory, once for all runs; None elsewhere, or where it does not fit."""
    job = next(iter(jobs.values()))
    device = pick_device(job.settings.device)
    if device.type != "cuda" or at_once == 1:
        return None
    return resident_images(job.dataset, device, job.settings.data_share)


def past(until: float | None) -> bool:
    """Whether that time has come."""
    return until is not None and time.time() >= until


@contextmanager
def as_set(settings: Settings) -> Iterator[None]:
    """What holds for the whole process while it trains."""
    with deterministic_algorithms(settings.deterministic), denormals_flushed():
        yield


@contextmanager
def progress_bars(visible: bool) -> Iterator[Any]:
    """A function of title, start and steps that adds a bar on stderr, and returns what moves it."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not visible) as bar:

        def added(title: str, start: int, steps: int) -> Any:
            task = bar.add_task(title, total=steps, completed=start)
            return lambda done: bar.update(task, completed=done)

        yield added
