"""How fast the training loop is: against a loop written by hand, and with each of its options.

Each test takes turns between the two loops, so that both see the same machine. Rates, in steps a
second, are in the benchmark's extra information.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from disentangle_metrics import load_dataset
from reference_models.models.parts.model import Model
from reference_models.training import recipe
from reference_models.training.batches import batch_at
from reference_models.training.freed_memory import keep_freed_memory
from reference_models.training.settings import Settings
from reference_models.training.train import as_images, train

ROUNDS = 3
START_UP = 5  # the first steps find memory and kernels
PLAN = recipe.fitted(recipe.read_preset("pro-vlae", "sprites", "demo"), (64, 64, 1))
SETTINGS = replace(PLAN.settings, device="cpu")


class Marking:
    """A data set that notes when images are asked for: one step ahead, once for each part of a batch."""

    def __init__(self) -> None:
        self.dataset = load_dataset("sprites")
        self.name, self.image_shape = self.dataset.name, self.dataset.image_shape
        self.marks: list[float] = []

    def __len__(self) -> int:
        return len(self.dataset)

    def images(self, indices: Any) -> Any:
        self.marks.append(time.perf_counter())
        return self.dataset.images(indices)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    keep_freed_memory()  # both loops profit
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def steps(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--training-steps"))


def rate(marks: list[float]) -> float:
    """Steps a second, after the first few."""
    return (len(marks) - 1 - START_UP) / (marks[-1] - marks[START_UP])


def by_hand(model: Model, steps: int) -> float:
    """The rate of the shortest loop that trains `model`, on one batch that is in memory."""
    model = model.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    ((pixels, draws),) = batch_at(0, model, load_dataset("sprites"), SETTINGS).parts
    images = as_images(pixels, torch.device("cpu"), torch.channels_last)
    tensors = {name: torch.from_numpy(value) for name, value in draws.items()}
    marks = []
    for _ in range(steps):
        marks.append(time.perf_counter())
        optimizer.zero_grad()
        model.objective(images, **tensors)["loss"].backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return rate(marks)


def by_the_loop(settings: Settings, folder: Path) -> float:
    dataset = Marking()
    train(
        recipe.build(PLAN),
        dataset,
        settings,
        folder,
        description={"arguments": PLAN.arguments},
        progress=False,
    )
    return rate(dataset.marks[:: settings.accumulate])


OPTIONS: dict[str, tuple[int, dict[str, Any]]] = {
    "as it comes": (1, {}),
    "contiguous": (1, {"channels_last": False}),
    "bfloat16": (1, {"precision": "bfloat16"}),
    "compiled": (1, {"compile": True}),
    "deterministic": (1, {"deterministic": True}),
    "accumulating 2 halves": (1, {"batch_size": SETTINGS.batch_size // 2, "accumulate": 2}),
    "two threads": (2, {}),
    "two threads, compiled": (2, {"compile": True}),
}


@pytest.mark.parametrize("name", list(OPTIONS))
def test_training_loop(name: str, benchmark: BenchmarkFixture, steps: int, tmp_path: Path) -> None:
    threads, changes = OPTIONS[name]
    torch.set_num_threads(threads)
    settings = replace(SETTINGS, steps=steps, **changes)
    bare: list[float] = []
    loop: list[float] = []

    def set_up() -> tuple[tuple[Any, ...], dict[str, Any]]:
        bare.append(by_hand(recipe.build(PLAN), steps))
        return (), {}

    def timed() -> None:
        loop.append(by_the_loop(settings, tmp_path / str(len(loop))))

    benchmark.pedantic(timed, setup=set_up, rounds=ROUNDS)
    assert np.isfinite(loop).all()
    benchmark.extra_info |= {
        "steps a second": round(median(loop), 2),
        "by hand": round(median(bare), 2),
        "loop / by hand": round(median(a / b for a, b in zip(loop, bare, strict=True)), 3),
    }
    print(f"\n{name}: {benchmark.extra_info}")
