"""The batch of a step: rows, images and random numbers, a pure function of the seed and the step.

So a resumed run sees what the uninterrupted one would have seen, whatever the device, and the next
batch can be made ahead on another thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reference_models.model import Draws, ImageDataset, Model

__all__ = ["Batch", "ImageDataset", "batch_at", "batches"]


class Batch(NamedTuple):
    """One step's images, uint8 (n, height, width, channels), and the model's draws."""

    step: int
    images: NDArray[np.uint8]
    draws: Draws


def batch_at(step: int, model: Model, dataset: ImageDataset, batch_size: int, seed: int) -> Batch:
    """The batch of `step`."""
    rng = np.random.Generator(np.random.Philox(key=np.array([seed, step], np.uint64)))
    rows = model.rows(dataset, batch_size, rng)
    return Batch(step, dataset.images(rows), model.draw(step, batch_size, rng))


def batches(
    model: Model, dataset: ImageDataset, batch_size: int, seed: int, start: int, stop: int
) -> Iterator[Batch]:
    """The batches of steps `start` to `stop`, each made on a thread while the one before is used."""
    if start >= stop:
        return
    with ThreadPoolExecutor(max_workers=1) as ahead:
        following = ahead.submit(batch_at, start, model, dataset, batch_size, seed)
        for step in range(start, stop):
            batch = following.result()
            if step + 1 < stop:
                following = ahead.submit(batch_at, step + 1, model, dataset, batch_size, seed)
            yield batch
