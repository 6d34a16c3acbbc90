"""The batch of a step: rows, images and random numbers, a pure function of the seed and the step.

So a resumed run sees what the uninterrupted one would have seen, whatever the device, and the next
batch can be made ahead on another thread.
"""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reference_models.models.parts.model import Draws, ImageDataset, Model
from reference_models.training.settings import Settings

__all__ = ["Batch", "ImageDataset", "Part", "batch_at", "batches"]


class Part(NamedTuple):
    """Images, uint8 (n, height, width, channels), and the model's draws for them."""

    images: NDArray[np.uint8]
    draws: Draws


class Batch(NamedTuple):
    """What one process needs for one step: parts whose gradients are averaged."""

    step: int
    parts: list[Part]


def batch_at(
    step: int, model: Model, dataset: ImageDataset, settings: Settings, rank: int = 0, size: int = 1
) -> Batch:
    """The batch of `step`, or what one of several processes computes of it.

    It has `accumulate` * `batch_size` entries, the same however it is split: into `accumulate`
    parts, and each of these among `size` processes, of which `rank` is one.
    """
    rng = np.random.Generator(np.random.Philox(key=np.array([settings.seed, step], np.uint64)))
    parts = settings.accumulate
    whole = parts * settings.batch_size
    rows = model.rows(dataset, whole, rng)
    draws = model.draw(step, whole, rng)
    shares = (model.share(rows, draws, whole, part * size + rank, parts * size) for part in range(parts))
    return Batch(step, [Part(dataset.images(own_rows), own_draws) for own_rows, own_draws in shares])


def batches(
    model: Model, dataset: ImageDataset, settings: Settings, start: int, rank: int = 0, size: int = 1
) -> Generator[Batch, None, None]:
    """The batches of the steps from `start` on, each made on a thread while the one before is used."""
    stop = settings.steps
    if start >= stop:
        return

    def make(step: int) -> Batch:
        return batch_at(step, model, dataset, settings, rank, size)

    with ThreadPoolExecutor(max_workers=1) as ahead:
        following = ahead.submit(make, start)
        for step in range(start, stop):
            batch = following.result()
            if step + 1 < stop:
                following = ahead.submit(make, step + 1)
            yield batch
