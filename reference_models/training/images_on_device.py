"""Where a step on a device finds its images: in the device's memory, or in a buffer filled ahead.

A data set that fits lies on the device as a whole, in the form that its ``packed()`` gives. The
images of one that does not fit are read on the host, a step ahead, and copied into a buffer. A run
draws the same rows, and sees the same images, either way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reference_models.models.parts.model import ImageDataset

COPIED_AT_ONCE = 1 << 26  # bytes
STEPS_AHEAD = 32  # whose rows are drawn together, since the host waits for them


class DeviceImages(Protocol):
    """The images of a step, on a device."""

    def load(self, step: int) -> None:
        """Make the images of `step` available; nothing of it is captured."""

    def __call__(self, rows: Tensor, places: Tensor) -> Tensor:
        """Images (n, height, width, channels), uint8: those of ``rows[places]``.

        `rows` are all the rows of the step that was loaded.
        """
        ...

    def close(self) -> None:
        """Let go of threads."""


class ResidentImages:
    """All images of a data set, in a device's memory. Several runs can share it.

    Parameters
    ----------
    dataset : ImageDataset
        With a method ``packed()``.
    device : torch.device
    """

    def __init__(self, dataset: ImageDataset, device: torch.device) -> None:
        self.packing = dataset.packed()  # type: ignore[attr-defined]
        self.tensors = {name: copied(array, device) for name, array in self.packing.arrays.items()}
        if device.type == "cuda":
            torch.cuda.synchronize(device)  # runs read it on streams of their own

    def load(self, step: int) -> None:
        pass

    def __call__(self, rows: Tensor, places: Tensor) -> Tensor:
        images: Tensor = self.packing.images(self.tensors, rows[places])
        return images

    def close(self) -> None:
        pass


class StreamedImages:
    """Images that the host reads a step ahead, and copies into a buffer at an address that stays.

    Parameters
    ----------
    dataset : ImageDataset
    device : torch.device
    start, steps : int
        The first step, and the one before which training ends.
    rows_at : callable
        From a step and a generator of `device` to the step's rows, on the device: what the step
        itself draws. They are drawn here too, since the host must know them.
    """

    def __init__(
        self,
        dataset: ImageDataset,
        device: torch.device,
        start: int,
        steps: int,
        rows_at: Callable[[int, torch.Generator], Tensor],
    ) -> None:
        self.dataset, self.device, self.steps, self.rows_at = dataset, device, steps, rows_at
        self.generator = torch.Generator(device)
        on_gpu = device.type == "cuda"
        self.stream = torch.cuda.Stream(device) if on_gpu else None  # type: ignore[no-untyped-call]
        self.read = self.read_ahead(start)
        self.thread = ThreadPoolExecutor(max_workers=1)
        self.following = self.thread.submit(next, self.read)
        self.buffer: Tensor | None = None

    def read_ahead(self, start: int) -> Iterator[Tensor]:
        """The images of one step after another, on the host."""
        for first in range(start, self.steps, STEPS_AHEAD):
            with on_stream(self.stream):
                drawn = [
                    self.rows_at(step, self.generator)
                    for step in range(first, min(first + STEPS_AHEAD, self.steps))
                ]
                together = on_host(torch.stack(drawn), self.stream)
            for rows in together:
                pixels = torch.from_numpy(self.dataset.images(rows))
                yield pixels.pin_memory() if self.stream else pixels

    def load(self, step: int) -> None:
        pixels = self.following.result()
        if self.buffer is None:
            self.buffer = torch.empty(pixels.shape, dtype=pixels.dtype, device=self.device)
        # PyTorch keeps pinned memory from being used again before the copy is done.
        self.buffer.copy_(pixels, non_blocking=True)
        if step + 1 < self.steps:
            self.following = self.thread.submit(next, self.read)

    def __call__(self, rows: Tensor, places: Tensor) -> Tensor:
        assert self.buffer is not None, "load() comes first"
        return self.buffer[places]

    def close(self) -> None:
        self.thread.shutdown(cancel_futures=True)


def on_host(numbers: Tensor, stream: torch.cuda.Stream | None) -> NDArray[np.int64]:
    """Whole numbers of a device, once the work on this stream is done.

    It waits for an event: to copy and wait in one is what another run's rehearsal forbids meanwhile.
    """
    if stream is None:
        return numbers.cpu().numpy()
    host = torch.empty(numbers.shape, dtype=numbers.dtype, pin_memory=True)
    host.copy_(numbers, non_blocking=True)
    stream.record_event().synchronize()
    return host.numpy()


def on_stream(stream: torch.cuda.Stream | None) -> AbstractContextManager[Any]:
    """Work goes to this stream of a GPU; nothing changes without one."""
    return nullcontext() if stream is None else torch.cuda.stream(stream)


def copied(array: Any, device: torch.device) -> Tensor:
    """An array of the host in a device's memory; never more than a part of it is held beside it."""
    dtype = torch.from_numpy(np.empty(0, array.dtype)).dtype
    tensor = torch.empty(tuple(array.shape), dtype=dtype, device=device)
    rows = max(1, COPIED_AT_ONCE // max(1, size_of(array) // array.shape[0]))
    for first in range(0, array.shape[0], rows):
        tensor[first : first + rows] = torch.from_numpy(np.array(array[first : first + rows]))
    return tensor


def size_of(array: Any) -> int:
    """Bytes of an array that need not have been read."""
    return int(math.prod(array.shape)) * int(array.dtype.itemsize)


def resident_size(dataset: ImageDataset) -> int | None:
    """Bytes that the whole data set takes on a device; None if it does not say how it is packed."""
    packed = getattr(dataset, "packed", None)
    return None if packed is None else sum(size_of(array) for array in packed().arrays.values())


def fits(dataset: ImageDataset, free: int, share: float) -> bool:
    """Whether the whole data set takes at most this share of so many free bytes."""
    size = resident_size(dataset)
    return size is not None and size <= share * free


def resident_images(dataset: ImageDataset, device: torch.device, share: float) -> ResidentImages | None:
    """The data set in the memory of a GPU, or None if it takes more than this share of what is free."""
    free, _ = torch.cuda.mem_get_info(device)
    return ResidentImages(dataset, device) if fits(dataset, free, share) else None
