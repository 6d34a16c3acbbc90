"""Values that every model's objective is computed from by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from reference_models.models.parts.flat_model import FlatModel

Array = NDArray[np.float64]


def array(tensor: torch.Tensor) -> Array:
    return tensor.detach().numpy().astype(float)


def log_likelihood_loss(logits: torch.Tensor, images: torch.Tensor) -> float:
    """-log p(x | z) of each image, averaged."""
    x, a = array(images), array(logits)
    return float(-np.mean((x * a - np.logaddexp(0, a)).sum((1, 2, 3))))


def kl_to_prior(mean: Array, logvar: Array) -> float:
    return float(np.mean(np.sum(0.5 * (mean**2 + np.exp(logvar) - 1 - logvar), axis=1)))


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture
def images() -> torch.Tensor:
    """Noise, a different corner of it dark in each of four images."""
    noise = torch.rand(4, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    for n in range(4):
        noise[n, 0, 16 * (n // 2) :, 16 * (n % 2) :] *= 0.1
    return noise


@pytest.fixture
def spread() -> Callable[[FlatModel], FlatModel]:
    """Gives a fresh model posteriors that differ from one another, so that no term is nearly 0."""

    def spread_out(model: FlatModel) -> FlatModel:
        generator = torch.Generator().manual_seed(2)
        with torch.no_grad():
            for head, scale in ((model.network.posterior.mean, 1.5), (model.network.posterior.logvar, 0.3)):
                head.weight.copy_(torch.randn(head.weight.shape, generator=generator) * scale)
                head.bias.copy_(torch.randn(head.bias.shape, generator=generator) * 0.3)
        return model

    return spread_out


def draws_at(model: FlatModel, step: int, batch_size: int, seed: int = 3) -> dict[str, Any]:
    draws = model.draw(step, batch_size, np.random.default_rng(seed))
    return {name: torch.from_numpy(value) for name, value in draws.items()}
