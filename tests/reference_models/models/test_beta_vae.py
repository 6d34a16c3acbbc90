from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from disentangle_metrics import InputError
from reference_models.models.beta_vae import BetaVAE, build_encoder
from tests.reference_models.models.conftest import array, draws_at, kl_to_prior, log_likelihood_loss


@pytest.mark.parametrize(
    ("arguments", "step", "capacity"),
    [
        ({}, 500, 0.0),
        ({"capacity": 50.0, "capacity_steps": 100}, 0, 0.0),
        ({"capacity": 50.0, "capacity_steps": 100}, 25, 12.5),
        ({"capacity": 50.0, "capacity_steps": 100}, 900, 50.0),
    ],
)
def test_objective_by_hand(
    arguments: dict[str, Any],
    step: int,
    capacity: float,
    images: torch.Tensor,
    spread: Callable[[BetaVAE], BetaVAE],
) -> None:
    model = spread(BetaVAE(image_shape=(1, 32, 32), latents=3, beta=5.0, **arguments))
    draws = draws_at(model, step, 4)
    terms = model.objective(images, **draws)

    mean, logvar = (array(t) for t in model.network.posterior(images))
    z = mean + np.exp(logvar / 2) * array(draws["noise"])
    reconstruction = log_likelihood_loss(model.network.decode(torch.tensor(z, dtype=torch.float32)), images)
    kl = kl_to_prior(mean, logvar)
    assert terms["kl"].item() == pytest.approx(kl, rel=1e-5)
    assert terms["reconstruction"].item() == pytest.approx(reconstruction, rel=1e-5)
    assert terms["loss"].item() == pytest.approx(reconstruction + 5 * abs(kl - capacity), rel=1e-5)


def test_a_capacity_that_is_not_reached_is_said() -> None:
    said = (
        "the capacity of beta-vae ends at 5 of 25 nats, since training ends after 20000 of its capacity_steps"
    )
    assert BetaVAE(capacity=25.0).unreached(20_000).startswith(said)
    assert BetaVAE(capacity=25.0).unreached(100_000) == BetaVAE().unreached(20_000) == ""


def test_encoder_and_decoder(images: torch.Tensor) -> None:
    model = build_encoder({"image_shape": [1, 32, 32], "latents": 3})
    mean, logvar = model(images)
    assert mean.shape == logvar.shape == (4, 3)
    assert model.decode(mean).shape == images.shape
    with pytest.raises(InputError, match="capacity_steps is 0"):
        BetaVAE(capacity_steps=0)
