"""The training loop: one for all models, to be read from top to bottom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from disentangle_metrics import DisentangleMetricsError, InputError
from disentangle_metrics.kit import remove_unfinished
from reference_models.models.parts.model import ImageDataset, Model
from reference_models.trained import checkpoints
from reference_models.training.batches import batches
from reference_models.training.devices import Team, check_devices, run_on_devices
from reference_models.training.interruption import stop_requests
from reference_models.training.locks import sole_writer
from reference_models.training.log import TrainingLog
from reference_models.training.loggers import check_logger, open_logger
from reference_models.training.precision import (
    autocast,
    check_precision,
    denormals_flushed,
    deterministic_algorithms,
    loss_scaler,
    pick_device,
)
from reference_models.training.resuming import check_same_run
from reference_models.training.scores import check_factors, write_scores
from reference_models.training.settings import Settings, check_settings

__all__ = ["NonFiniteLossError", "Settings", "StorageError", "TrainingInterruptedError", "train"]


class TrainingInterruptedError(DisentangleMetricsError):
    """Training was stopped from outside; the message names the checkpoint that was kept."""

    exit_code = 130


class NonFiniteLossError(DisentangleMetricsError):
    """The loss is infinite or not a number; the message names the step and the last good checkpoint."""

    exit_code = 1


class StorageError(DisentangleMetricsError):
    """A file cannot be written or read; the message says why and names the last good checkpoint."""

    exit_code = 1


def train(
    model: Model,
    dataset: ImageDataset,
    settings: Settings,
    folder: Path,
    *,
    description: Mapping[str, Any],
    resume: bool = False,
    progress: bool = True,
) -> Path:
    """Train `model` on images of `dataset` and return the path of the trained weights.

    In `folder` it keeps ``last.safetensors`` (written every `save_every` steps; training can go on
    from it), ``model.safetensors`` (the weights alone, at the end), ``step-N.safetensors`` (the
    weights after N steps, at the model's milestones), ``log.csv`` and ``log.jsonl``, and, if
    `score_every` is set, ``scores.csv`` and ``scores.jsonl``. ``last.safetensors.lock``
    is held while it trains.

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
        the log come out as those of a run that was never interrupted, to the last bit.
    progress : bool
        Draw a progress bar on stderr.

    Raises
    ------
    InputError
        If a setting is unusable, the data set does not suit the model, the folder holds a run and
        `resume` is False, it holds none (or that of another model or settings) and `resume` is
        True, or another process trains in it. Nothing has been written then.
    TrainingInterruptedError
        After Ctrl-C or SIGTERM: the step was finished and a checkpoint written.
    NonFiniteLossError
        If the loss stopped being finite; the last checkpoint is from before.
    StorageError
        If a file cannot be written, as on a full disk; the last checkpoint is as it was.
    """
    check_settings(settings)
    device = pick_device(settings.device)
    check_precision(settings.precision, device)
    check_devices(settings.devices, device)
    check_logger(settings.logger)
    if settings.score_every:
        check_factors(dataset)
    model.rows(dataset, settings.batch_size, np.random.default_rng(0))  # raises if they do not go together
    description = {
        "architecture": model.name,
        "dataset": dataset.name,
        "seed": settings.seed,
        **description,
        "settings": asdict(settings),
        "versions": checkpoints.versions(),
    }
    last = folder / "last.safetensors"
    if resume:
        check_same_run(last, description)
    elif last.exists():
        raise InputError(f"{folder} already holds a run; resume it, or choose another folder")
    folder.mkdir(parents=True, exist_ok=True)

    run = (model, dataset, settings, folder, description, resume, progress)
    with sole_writer(last):
        if settings.devices == 1:
            return loop(Team(device), *run)
        path: Path = run_on_devices(settings.devices, device.type, loop, *run)
    model.load_state_dict(checkpoints.read_tensors(path, "model."))
    return path


def loop(
    team: Team,
    model: Model,
    dataset: ImageDataset,
    settings: Settings,
    folder: Path,
    description: Mapping[str, Any],
    resume: bool,
    progress: bool,
) -> Path:
    """What :func:`train` does once all is checked: in each process of a team, the first of which writes."""
    device, first, last = team.device, team.rank == 0, folder / "last.safetensors"
    layout = torch.channels_last if settings.channels_last else torch.contiguous_format
    model.to(device=device, memory_format=layout).train()  # type: ignore[call-overload]
    optimizer = torch.optim.Adam(model.parameter_groups(settings.learning_rate), fused=True)
    rates = [group["lr"] for group in optimizer.param_groups]
    objective = torch.compile(model.objective) if settings.compile else model.objective
    precision = autocast(settings.precision, device)
    scaler = loss_scaler(settings.precision, device)

    start = checkpoints.restore_training(last, model, optimizer, scaler) if resume else 0
    not_yet = torch.tensor(settings.steps, device=device)
    first_bad = not_yet  # the first step whose loss was not finite; looked at when logging and saving
    stopping = False

    def save(step: int) -> None:
        tensors = checkpoints.training_tensors(model, optimizer, scaler)
        checkpoints.write(last, tensors, {**description, "step": step})

    def keep(name: str, step: int) -> None:
        checkpoints.write(folder / name, checkpoints.model_tensors(model), {**description, "step": step})

    def check_finite() -> None:
        if (bad := int(team.gather(first_bad).min())) < settings.steps:
            raise NonFiniteLossError(
                f"the loss was not finite at step {bad}; {last_good(last)}. A smaller learning rate may help"
            )

    with ExitStack() as stack:
        stop = stack.enter_context(stop_requests())
        show = stack.enter_context(progress_bar(progress and first, model.name, start, settings.steps))
        stack.enter_context(deterministic_algorithms(settings.deterministic))
        stack.enter_context(denormals_flushed())
        stack.enter_context(naming_last_checkpoint(last))
        if first:
            remove_unfinished(folder)
            logger = open_logger(settings.logger, folder, start, description)
            stack.callback(logger.close)
            log = TrainingLog(folder, start, "log", logger)
            scores = TrainingLog(folder, start, "scores", logger) if settings.score_every else None
            if start == 0:
                save(0)  # so that a run killed early can be resumed like any other

        for step, parts in batches(model, dataset, settings, start, team.rank, team.size):
            if first and step in model.milestones():
                keep(f"step-{step}.safetensors", step)
            model.enter(step)
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * min(1.0, (step + 1) / max(1, settings.warmup_steps))

            optimizer.zero_grad()
            terms = []  # of the objective, for each part of the batch
            for pixels, draws in parts:
                images = as_images(pixels, device, layout)
                tensors = {name: torch.from_numpy(value).to(device) for name, value in draws.items()}
                with precision:
                    terms.append(objective(images, **tensors))
                scaler.scale(terms[-1]["loss"] / len(parts)).backward()  # type: ignore[no-untyped-call]
            team.average_gradients(model.parameters())
            scaler.step(optimizer)
            scaler.update()

            finite = torch.isfinite(torch.stack([part["loss"].detach() for part in terms])).all()
            first_bad = torch.where(
                finite, first_bad, torch.minimum(first_bad, torch.full_like(not_yet, step))
            )
            done = step + 1
            show(done)
            at_end, to_log = done == settings.steps, done % settings.log_every == 0
            if team.size == 1 or to_log:  # a team must agree, which takes time
                stopping = bool(team.gather(torch.tensor(float(stop.is_set()))).any())
            if to_log or at_end:
                check_finite()
                means = [fmean(part[name].item() for part in terms) for name in terms[0]]
                values = team.gather(torch.tensor(means, dtype=torch.float64)).mean(0).tolist()
                if first:
                    row = dict(zip(terms[0], values, strict=True))
                    log.write({"step": done, **row, **log.elapsed()})
            if done % settings.save_every == 0 or at_end or stopping:
                check_finite()
                if first:
                    save(done)
            if first and scores is not None and (done % settings.score_every == 0 or at_end):
                write_scores(scores, done, model, dataset)
            if stopping and not at_end:
                team.wait()  # whoever leaves first ends the others, and one may be writing
                raise TrainingInterruptedError(
                    f"stopped after step {done} of {settings.steps}; {last} is complete and can be resumed"
                )
        if first:
            keep("model.safetensors", settings.steps)
    return folder / "model.safetensors"


def as_images(pixels: np.ndarray[Any, Any], device: torch.device, layout: torch.memory_format) -> Tensor:
    """uint8 (n, height, width, channels) -> float32 (n, channels, height, width) in [0, 1]."""
    images = torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).to(torch.float32)
    return images.div_(255).contiguous(memory_format=layout)


@contextmanager
def naming_last_checkpoint(last: Path) -> Iterator[None]:
    """Say which checkpoint is left where a file cannot be written, as on a full disk."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        where = f" ({error.filename})" if error.filename else ""
        raise StorageError(f"{reason}{where}; {last_good(last)}") from error


def last_good(last: Path) -> str:
    if not last.exists():
        return "there is no checkpoint yet"
    return f"the last good checkpoint is {last} (step {checkpoints.read_description(last)['step']})"


@contextmanager
def progress_bar(visible: bool, title: str, start: int, steps: int) -> Iterator[Any]:
    """A function of the step that moves a bar on stderr."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not visible) as bar:
        task = bar.add_task(title, total=steps, completed=start)
        yield lambda done: bar.update(task, completed=done)
