"""The training loop: one for all models, to be read from top to bottom."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from disentangle_metrics import InputError
from reference_models import checkpoints
from reference_models.batches import batches
from reference_models.model import ImageDataset, Model
from reference_models.training_log import TrainingLog


@dataclass(frozen=True)
class Settings:
    """How to train; what is trained is the model's own matter.

    The first group decides the weights that come out; a resumed run must have the same. The second
    may change when a run is resumed.
    """

    batch_size: int = 64
    learning_rate: float = 5e-4  # Adam's, reached after `warmup_steps`
    warmup_steps: int = 0  # linear from 0
    seed: int = 0
    precision: str = "float32"  # or "bfloat16": autocast, where the device has hardware for it

    steps: int = 10_000
    device: str = "auto"  # CUDA, else MPS, else CPU; or a device's name
    compile: bool = False
    channels_last: bool = True
    log_every: int = 100
    save_every: int = 1_000


DECISIVE = ("batch_size", "learning_rate", "warmup_steps", "seed", "precision")


class TrainingInterruptedError(Exception):
    """Training was stopped from outside; the message names the checkpoint that was kept."""


class NonFiniteLossError(Exception):
    """The loss is infinite or not a number; the message names the step and the last good checkpoint."""


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
    weights after N steps, at the model's milestones), and ``log.csv`` and ``log.jsonl``.

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
        If a setting is unusable, the folder holds a run and `resume` is False, or it holds none
        (or that of another model or settings) and `resume` is True.
    TrainingInterruptedError
        After Ctrl-C or SIGTERM: the step was finished and a checkpoint written.
    NonFiniteLossError
        If the loss stopped being finite; the last checkpoint is from before.
    """
    check_settings(settings)
    device = pick_device(settings.device)
    last = folder / "last.safetensors"
    folder.mkdir(parents=True, exist_ok=True)
    if last.exists() and not resume:
        raise InputError(f"{folder} already holds a run; resume it, or choose another folder")

    layout = torch.channels_last if settings.channels_last else torch.contiguous_format
    model.to(device=device, memory_format=layout).train()  # type: ignore[call-overload]
    optimizer = torch.optim.Adam(model.parameter_groups(settings.learning_rate), fused=True)
    rates = [group["lr"] for group in optimizer.param_groups]
    objective = torch.compile(model.objective) if settings.compile else model.objective
    precision: Any = (
        torch.autocast(device.type, torch.bfloat16) if settings.precision == "bfloat16" else nullcontext()
    )

    description = {
        "architecture": model.name,
        "dataset": dataset.name,
        "seed": settings.seed,
        **description,
        "settings": asdict(settings),
        "versions": checkpoints.versions(),
    }
    start = 0
    if resume:
        start = check_same_run(last, description)
        checkpoints.restore_training(last, model, optimizer)
    log = TrainingLog(folder, start)
    began = time.monotonic() - log.seconds
    not_yet = torch.tensor(settings.steps, device=device)
    first_bad = not_yet  # the first step whose loss was not finite; looked at when logging and saving

    def save(step: int) -> None:
        tensors = checkpoints.training_tensors(model, optimizer)
        checkpoints.write(last, tensors, {**description, "step": step})

    def keep(name: str, step: int) -> Path:
        checkpoints.write(folder / name, checkpoints.model_tensors(model), {**description, "step": step})
        return folder / name

    def check_finite(step: int) -> None:
        if (bad := int(first_bad)) < settings.steps:
            raise NonFiniteLossError(
                f"the loss was not finite at step {bad}; the last good checkpoint is {last} "
                f"(step {checkpoints.read_description(last)['step']}). A smaller learning rate may help"
            )

    if start == 0:
        save(0)  # so that a run killed early can be resumed like any other
    bar = progress_bar(progress, model.name, start, settings.steps)
    with stop_requests() as stop, bar as show, denormals_flushed():
        for step, pixels, draws in batches(
            model, dataset, settings.batch_size, settings.seed, start, settings.steps
        ):
            if step in model.milestones():
                keep(f"step-{step}.safetensors", step)
            model.enter(step)
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * min(1.0, (step + 1) / max(1, settings.warmup_steps))

            images = as_images(pixels, device, layout)
            with precision:
                terms = objective(images, **{name: as_tensor(value, device) for name, value in draws.items()})
            optimizer.zero_grad()
            terms["loss"].backward()  # type: ignore[no-untyped-call]
            optimizer.step()

            finite = torch.isfinite(terms["loss"].detach())
            first_bad = torch.where(
                finite, first_bad, torch.minimum(first_bad, torch.full_like(not_yet, step))
            )
            done = step + 1
            show(done)
            if done % settings.log_every == 0 or done == settings.steps:
                check_finite(step)
                values = {name: value.item() for name, value in terms.items()}
                log.write({"step": done, **values, "seconds": round(time.monotonic() - began, 2)})
            if done % settings.save_every == 0 or done == settings.steps or stop.is_set():
                check_finite(step)
                save(done)
            if stop.is_set() and done < settings.steps:
                raise TrainingInterruptedError(
                    f"stopped after step {done} of {settings.steps}; {last} is complete and can be resumed"
                )
    return keep("model.safetensors", settings.steps)


def as_images(pixels: np.ndarray[Any, Any], device: torch.device, layout: torch.memory_format) -> Tensor:
    """uint8 (n, height, width, channels) -> float32 (n, channels, height, width) in [0, 1]."""
    images = torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).to(torch.float32)
    return images.div_(255).contiguous(memory_format=layout)


def as_tensor(value: np.ndarray[Any, Any], device: torch.device) -> Tensor:
    return torch.from_numpy(value).to(device)


def pick_device(name: str) -> torch.device:
    """The device called `name`; ``"auto"`` is CUDA, else MPS, else the CPU."""
    if name == "auto":
        available = "cuda" if torch.cuda.is_available() else "mps" if torch.mps.is_available() else "cpu"
        return torch.device(available)
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"device {name!r} cannot be used here ({reason}); try 'auto' or 'cpu'") from None
    return device


def check_settings(settings: Settings) -> None:
    for name in ("batch_size", "steps", "log_every", "save_every"):
        if getattr(settings, name) < 1:
            raise InputError(f"{name} is {getattr(settings, name)}; it must be at least 1")
    if not 0 < settings.learning_rate < float("inf"):
        raise InputError(f"learning_rate is {settings.learning_rate}; it must be above 0")
    for name in ("warmup_steps", "seed"):
        if getattr(settings, name) < 0:
            raise InputError(f"{name} is {getattr(settings, name)}; it must be at least 0")
    if settings.precision not in ("float32", "bfloat16"):
        raise InputError(f"precision is {settings.precision!r}; it must be 'float32' or 'bfloat16'")


def check_same_run(last: Path, description: Mapping[str, Any]) -> int:
    """The step that a checkpoint was written after, if it comes from the run that is described."""
    if not last.exists():
        raise InputError(f"there is nothing to resume: {last} does not exist")
    saved = checkpoints.read_description(last)

    def facts(of: Mapping[str, Any]) -> dict[str, Any]:
        decisive = {name: of["settings"].get(name) for name in DECISIVE}
        return {"model": of["architecture"], "dataset": of["dataset"]} | dict(of["arguments"]) | decisive

    before, now = facts(saved), facts(description)
    changed = [
        f"{k} {before.get(k)!r} -> {now.get(k)!r}"
        for k in {**before, **now}
        if plain(before.get(k)) != plain(now.get(k))
    ]
    if changed:
        raise InputError(f"{last} is another run ({'; '.join(changed)}); resume it as it was started")
    return int(saved["step"])


def plain(value: Any) -> Any:
    """A value as JSON gives it back."""
    return list(value) if isinstance(value, tuple) else value


@contextmanager
def stop_requests() -> Iterator[threading.Event]:
    """Set the event at the first Ctrl-C or SIGTERM, so that the step is finished; a second stops at once."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # only the main thread gets signals
        yield stop
        return

    def request(number: int, frame: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Round numbers too small for full precision to 0.

    Once a layer is unused its activations get that small, and CPU steps more than twice as slow.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


@contextmanager
def progress_bar(visible: bool, title: str, start: int, steps: int) -> Iterator[Any]:
    """A function of the step that moves a bar on stderr."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not visible) as bar:
        task = bar.add_task(title, total=steps, completed=start)
        yield lambda done: bar.update(task, completed=done)
