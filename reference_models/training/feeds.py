"""What a step is fed with: images and draws, made on the host or on the device.

The host's draws are NumPy's, a pure function of the seed and the step. They are those of every run
on a CPU, on MPS, and on several devices together. On one CUDA device the draws are the device's
own: a generator is seeded anew for each step, so that they too are a pure function of the two.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reference_models.models.parts.draws import Array
from reference_models.models.parts.model import ImageDataset, Model
from reference_models.training.batches import batches
from reference_models.training.devices import Team
from reference_models.training.images_on_device import DeviceImages, StreamedImages
from reference_models.training.overwritten import Overwritten
from reference_models.training.settings import Settings

Part = tuple[Tensor, dict[str, Tensor]]  # images as the model takes them, and its draws


class Feed(Protocol):
    """What the training step asks for."""

    @property
    def generator(self) -> torch.Generator | None:
        """What a captured step draws from."""
        ...

    def load(self, step: int) -> None:
        """Get ready for `step`, on the host; nothing of it is captured."""

    def parts(self) -> Iterator[Part]:
        """The parts of the step's batch, whose gradients are averaged."""
        ...

    def close(self) -> None:
        """Let go of threads."""


class HostFeed:
    """Images and draws that are made on the host, a step ahead, and copied to the device."""

    generator = None  # the host draws

    def __init__(
        self,
        model: Model,
        dataset: ImageDataset,
        settings: Settings,
        start: int,
        team: Team,
        layout: torch.memory_format,
    ) -> None:
        self.batches = batches(model, dataset, settings, start, team.rank, team.size)
        self.device, self.layout = team.device, layout

    def load(self, step: int) -> None:
        self.batch = next(self.batches)
        assert self.batch.step == step

    def parts(self) -> Iterator[Part]:
        for pixels, draws in self.batch.parts:
            images = as_images(pixels, self.device, self.layout)
            yield images, {name: torch.from_numpy(value).to(self.device) for name, value in draws.items()}

    def close(self) -> None:
        self.batches.close()  # and with it the thread


class DeviceFeed:
    """Images and draws that are made where the step is taken, so that all of it can be captured.

    Parameters
    ----------
    model : Model
    dataset : ImageDataset
    settings : Settings
    start : int
        The first step.
    device : torch.device
    layout : torch.memory_format
    images : DeviceImages, optional
        Where the images are; by default they are read on the host and streamed.
    """

    def __init__(
        self,
        model: Model,
        dataset: ImageDataset,
        settings: Settings,
        start: int,
        device: torch.device,
        layout: torch.memory_format,
        images: DeviceImages | None = None,
    ) -> None:
        self.model, self.dataset, self.settings, self.layout = model, dataset, settings, layout
        self.generator = torch.Generator(device)
        self.values = Overwritten(model.schedule(start), device)
        self.whole = settings.accumulate * settings.batch_size
        self.images = images or StreamedImages(dataset, device, start, settings.steps, self.rows_at)

    def rows_at(self, step: int, generator: torch.Generator) -> Tensor:
        """The rows of a step, from a generator that it seeds."""
        generator.manual_seed(key(self.settings.seed, step))
        rows: Tensor = self.model.rows(self.dataset, self.whole, generator)
        return rows

    def load(self, step: int) -> None:
        self.generator.manual_seed(key(self.settings.seed, step))
        self.values.set(self.model.schedule(step))
        self.images.load(step)

    def parts(self) -> Iterator[Part]:
        rows = self.model.rows(self.dataset, self.whole, self.generator)
        draws = self.model.noise(self.whole, self.generator)
        places = torch.arange(len(rows), device=rows.device)
        parts = self.settings.accumulate
        for part in range(parts):
            own, own_draws = self.model.share(places, draws, self.whole, part, parts)
            images = scaled_images(self.images(rows, own), self.layout)
            yield images, {**own_draws, **self.values.tensors}

    def renew(self, step: int) -> None:
        """Another generator in the same state: one that a failed capture holds cannot be used."""
        self.generator = torch.Generator(self.generator.device)
        self.generator.manual_seed(key(self.settings.seed, step))

    def close(self) -> None:
        self.images.close()


def key(seed: int, step: int) -> int:
    """64 bits that stand for a seed and a step, unlike those of any other pair."""
    return int.from_bytes(hashlib.blake2b(f"{seed} {step}".encode(), digest_size=8).digest()) >> 1


def drawn_on_host(model: Model, dataset: ImageDataset, settings: Settings, device: torch.device) -> str:
    """Why a model's rows and draws cannot be made on the device; empty if they can."""
    if type(model).draw is not Model.draw:
        return f"{model.name} has a draw() of its own, which draws on the host"
    generator = torch.Generator(device)
    try:
        rows: Array = model.rows(dataset, settings.batch_size, generator)
        draws: dict[str, Array] = model.noise(settings.batch_size, generator)
    except (NotImplementedError, TypeError, AttributeError) as error:
        return f"{model.name} draws on the host ({error})"
    if not all(isinstance(value, Tensor) for value in (rows, *draws.values())):
        return f"{model.name} draws on the host"
    return ""


def as_images(pixels: NDArray[np.uint8], device: torch.device, layout: torch.memory_format) -> Tensor:
    """uint8 (n, height, width, channels) -> float32 (n, channels, height, width) in [0, 1]."""
    return scaled_images(torch.from_numpy(pixels).to(device), layout)


def scaled_images(pixels: Tensor, layout: torch.memory_format) -> Tensor:
    """The same of pixels that are on the device."""
    images = pixels.permute(0, 3, 1, 2).to(torch.float32)
    return images.div_(255).contiguous(memory_format=layout)
