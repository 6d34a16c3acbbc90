"""A training run that is advanced a step at a time, so that one process can advance several in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import torch

from disentangle_metrics.kit import remove_unfinished
from reference_models.models.parts.model import ImageDataset, Model
from reference_models.trained import checkpoints
from reference_models.training.devices import Team
from reference_models.training.errors import (
    NonFiniteLossError,
    TimeIsUpError,
    TrainingInterruptedError,
    last_good,
    naming_last_checkpoint,
)
from reference_models.training.feeds import DeviceFeed, Feed, HostFeed, drawn_on_host
from reference_models.training.images_on_device import DeviceImages, on_stream, resident_images
from reference_models.training.log import TrainingLog
from reference_models.training.loggers import open_logger
from reference_models.training.replay import Replayed, captured, no_waiting
from reference_models.training.scores import write_scores
from reference_models.training.settings import Settings
from reference_models.training.step import Step

Show = Callable[[int], object]


class Run:
    """A model, its data and its folder, between steps. Used as a context, which opens and closes files.

    Parameters
    ----------
    team : Team
        The processes that train together, seen from this one. The first writes the files.
    model, dataset, settings, folder, description, resume
        As :func:`~reference_models.training.train.train` takes them, checked.
    images : DeviceImages, optional
        The data set on the device, where runs share it.
    show : callable
        Told the number of steps taken, after each.

    Attributes
    ----------
    done : int
        How many steps have been taken.
    """

    def __init__(
        self,
        team: Team,
        model: Model,
        dataset: ImageDataset,
        settings: Settings,
        folder: Path,
        description: Mapping[str, Any],
        *,
        resume: bool = False,
        images: DeviceImages | None = None,
        show: Show = lambda done: None,
    ) -> None:
        self.team, self.model, self.dataset, self.settings = team, model, dataset, settings
        self.folder, self.description, self.resume, self.show = folder, description, resume, show
        self.shared_images = images
        self.first, self.last = team.rank == 0, folder / "last.safetensors"
        self.done = self.saved = 0
        self.stream: torch.cuda.Stream | None = None  # of its own, on one CUDA device

    @property
    def finished(self) -> bool:
        """Whether all steps have been taken."""
        return self.done >= self.settings.steps

    def __enter__(self) -> Run:
        on_host = self._why_on_host()
        if self.team.device.type == "cuda" and not on_host:
            self.stream = torch.cuda.Stream(self.team.device)  # type: ignore[no-untyped-call]
        with ExitStack() as stack, self._place():
            self._open(stack, on_host)
            self.stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.stream is not None:
            self.stream.synchronize()  # before its memory is given back
        self.stack.close()

    def _why_on_host(self) -> str:
        """Why batches are made on the host; empty on one CUDA device, unless the model cannot otherwise."""
        if self.team.size > 1:
            return "several devices share each batch"
        if self.team.device.type != "cuda":
            return f"as always on {self.team.device.type}"
        return drawn_on_host(self.model, self.dataset, self.settings, self.team.device)

    def _place(self) -> AbstractContextManager[Any]:
        """Where its work goes, and what is said if a file cannot be written."""
        stack = ExitStack()
        stack.enter_context(naming_last_checkpoint(self.last))
        stack.enter_context(on_stream(self.stream))
        return stack

    def _open(self, stack: ExitStack, on_host: str) -> None:
        settings, device = self.settings, self.team.device
        eager = on_host or why_eager(settings)

        layout = torch.channels_last if settings.channels_last else torch.contiguous_format
        self.model.to(device=device, memory_format=layout).train()  # type: ignore[call-overload]
        self.step = Step(self.model, settings, self.team, capturable=not (on_host or scaled(settings)))
        if self.resume:
            self.done = checkpoints.restore_training(
                self.last, self.model, self.step.optimizer, self.step.scaler
            )
        self.saved = self.done
        self.milestones = set(self.model.milestones())
        if self.done not in self.milestones:  # where the weights from before are kept first
            self.model.enter(self.done)
        feed, where = self._feed(on_host, layout)
        stack.callback(feed.close)
        if self.resume and feed.generator is not None:
            checkpoints.restore_generator(self.last, feed.generator)
        self.step.begin(feed, self.done)
        self.replayed: Replayed | None = None
        if not eager and self.stream is not None:
            self.replayed = Replayed(self.step.take, partial(self._captured, self.stream), self._rehearsed)

        if self.first:
            remove_unfinished(self.folder)
            logger = open_logger(settings.logger, self.folder, self.done, self.description)
            stack.callback(logger.close)
            self.log = TrainingLog(self.folder, self.done, "log", logger)
            self.scores = (
                TrainingLog(self.folder, self.done, "scores", logger) if settings.score_every else None
            )
            if device.type == "cuda":
                how = f"eagerly: {eager}" if eager else "each as a replay of one CUDA graph"
                self.log.note(f"steps are taken {how}; {where}")
            if self.done == 0:
                self.save()  # so that a run killed early can be resumed like any other

    def _feed(self, on_host: str, layout: torch.memory_format) -> tuple[Feed, str]:
        """What the step is fed with, and in words where the images are."""
        given = (self.model, self.dataset, self.settings, self.done)
        if on_host:
            return HostFeed(*given, self.team, layout), f"batches are made on the host ({on_host})"
        device, share = self.team.device, self.settings.data_share
        images = self.shared_images or resident_images(self.dataset, device, share)
        where = "lies in the GPU's memory" if images else "is read on the host and copied batch by batch"
        return DeviceFeed(*given, device, layout, images), f"the data set {where}"

    def _rehearsed(self, take: Callable[[], None]) -> None:
        """Take the step before the capture; note it if the host has to wait in it, and stay eager."""
        try:
            with no_waiting():
                take()
        except RuntimeError as error:
            self._stay_eager(error)
            take()

    def _captured(self, stream: torch.cuda.Stream, take: Callable[[], None]) -> Callable[[], None]:
        """The step as a graph; the step itself, and a line in the log, where that cannot be."""
        feed = self.step.feed
        assert isinstance(feed, DeviceFeed)
        try:
            return captured(take, stream, feed.generator)
        except RuntimeError as error:
            self._stay_eager(error)
            return take

    def _stay_eager(self, error: RuntimeError) -> None:
        """Say why no graph can be made, and get ready to take the step again."""
        reason = str(error.__context__ or error).partition("\n")[0]
        self.log.note(f"from step {self.done} on, steps are taken eagerly: no graph could be made ({reason})")
        self.replayed = None
        self.not_captured = error  # holds on to a graph that was begun: PyTorch may still refer to it
        feed = self.step.feed
        assert isinstance(feed, DeviceFeed)
        feed.renew(self.done)

    def advance(self) -> None:
        """Take one step, and do what is due after it: log, save, score."""
        step, settings = self.done, self.settings
        with self._place(), self.log.at_work() if self.first else nullcontext():
            if step in self.milestones:
                if self.first:
                    self._keep(f"step-{step}.safetensors", step)
                if self.stream is not None:
                    self.stream.synchronize()  # a graph may be about to be given up
                self.model.enter(step)
            self.step.load(step)
            if self.replayed is None:
                self.step.take()
            else:
                self.replayed(self.model.variant(step))
            self.done = done = step + 1
            self.show(done)
            at_end = done == settings.steps
            if done % settings.log_every == 0 or at_end:
                self._check_finite()
                row = self.step.terms()
                if self.first:
                    self.log.write({"step": done, **row, **self.log.elapsed()})
            due = done % settings.save_every == 0 or at_end
            if due:
                self._check_finite()
            if self.first and self.scores and (done % settings.score_every == 0 or at_end):
                # Before the checkpoint: a run that goes on from it takes its rows as written.
                write_scores(self.scores, done, self.model, self.dataset)
            if due and self.first:
                self.save()

    def agreed(self, stop: bool) -> bool:
        """Whether any process of the team wants to stop; asked after each step."""
        if self.team.size > 1 and self.done % self.settings.log_every:
            return False  # a team must agree, which takes time
        return bool(self.team.gather(torch.tensor(float(stop))).any())

    def stop(self, time_is_up: bool = False) -> None:
        """Save what there is, and raise TrainingInterruptedError."""
        with self._place():
            self._check_finite()
            if self.first and self.saved < self.done:
                self.save()
            self.team.wait()  # whoever leaves first ends the others, and one may be writing
        kind = TimeIsUpError if time_is_up else TrainingInterruptedError
        raise kind(
            f"{'time is up: ' if time_is_up else ''}stopped after step {self.done} of {self.settings.steps}; "
            f"{self.last} is complete and can be resumed"
        )

    def finish(self) -> Path:
        """Keep the weights alone, after the last step; returns their path."""
        if self.first:
            with self._place():
                self._keep("model.safetensors", self.settings.steps)
        return self.folder / "model.safetensors"

    def save(self) -> None:
        """Write the checkpoint that the run can go on from."""
        tensors = checkpoints.training_tensors(
            self.model, self.step.optimizer, self.step.scaler, self.step.feed.generator
        )
        checkpoints.write(self.last, tensors, {**self.description, "step": self.done})
        self.saved = self.done

    def _keep(self, name: str, step: int) -> None:
        tensors = checkpoints.model_tensors(self.model)
        checkpoints.write(self.folder / name, tensors, {**self.description, "step": step})

    def _check_finite(self) -> None:
        if (bad := self.step.first_not_finite()) is not None:
            raise NonFiniteLossError(
                f"the loss was not finite at step {bad}; {last_good(self.last)}. "
                "A smaller learning rate may help"
            )


def scaled(settings: Settings) -> bool:
    """Whether losses are scaled, by a scale that the host reads in each step."""
    return settings.precision == "float16"


def why_eager(settings: Settings) -> str:
    """Why a step cannot be captured, or shall not be; empty if it can."""
    if scaled(settings):
        return "float16 scales its losses, and the host must read in each step whether one overflowed"
    return "" if settings.capture else "capture is switched off"
