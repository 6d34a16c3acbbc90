"""How much of the bare forward pass's speed is left when `dm-eval` encodes a data set.

In turns: the network alone, on one batch that is in memory, and the encoding of the same number of
images of sprites, drawn, scaled, checked and collected. The seconds are those that the report states.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

import disentangle_metrics as dm
from tests.benchmarks.arrays import rounded

IMAGES, BATCH, ROUNDS = 10_240, 256, 5


class Small(torch.nn.Module):
    """The usual small encoder of 64 x 64 images, the quickest that is used in practice."""

    def __init__(self) -> None:
        super().__init__()
        widths = (1, 32, 32, 64, 64)
        layers: list[torch.nn.Module] = []
        for i in range(4):
            layers += [torch.nn.Conv2d(widths[i], widths[i + 1], 4, 2, 1), torch.nn.ReLU()]
        self.layers = torch.nn.Sequential(
            *layers, torch.nn.Flatten(), torch.nn.Linear(1024, 256), torch.nn.ReLU(), torch.nn.Linear(256, 20)
        )

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean, logvar = self.layers(images).chunk(2, dim=1)
        return mean, logvar


def bundled(folder: Path) -> Any:
    return dm.load_encoder("pro-vlae-sprites", device="cpu")


def from_pt(folder: Path) -> Any:
    torch.save(Small().state_dict(), folder / "small.pt")
    return dm.load_encoder(folder / "small.pt", device="cpu", model_code=f"{__name__}:Small")


def from_safetensors(folder: Path) -> Any:
    from safetensors.torch import save_file

    save_file(Small().state_dict(), folder / "small.safetensors")
    return dm.load_encoder(folder / "small.safetensors", device="cpu", model_code=f"{__name__}:Small")


@pytest.mark.parametrize("load", [bundled, from_pt, from_safetensors])
def test_encoding(
    load: Callable[[Path], Any], benchmark: BenchmarkFixture, tmp_path: Path, quick: bool
) -> None:
    images = BATCH if quick else IMAGES
    torch.manual_seed(0)
    encoder = load(tmp_path)
    dataset = dm.load_dataset("sprites")
    dataset.images(np.arange(2))  # draws and keeps all images, once for all
    batch = torch.rand(BATCH, 1, 64, 64)
    bare: list[float] = []
    encoding: list[float] = []

    def set_up() -> tuple[tuple[Any, ...], dict[str, Any]]:
        start = time.perf_counter()
        with torch.no_grad():
            for _ in range(images // BATCH):
                encoder.network(batch)
        bare.append(images / (time.perf_counter() - start))
        return (), {}

    def encode() -> None:
        report = dm.evaluate(encoder, dataset, samples=images, batch_size=BATCH, metrics=["active_units"])
        encoding.append(images / report.provenance["encode_seconds"])

    benchmark.pedantic(encode, setup=set_up, rounds=ROUNDS)
    benchmark.extra_info |= rounded(
        {
            "images a second": median(encoding),
            "bare forward pass": median(bare),
            "encoding / bare": median(a / b for a, b in zip(encoding, bare, strict=True)),
            "target": 0.9,
        }
    )
    print(f"\n{load.__name__}: {benchmark.extra_info}")
    assert np.isfinite(encoding).all()
