from __future__ import annotations

import pytest
import torch

from reference_models.models.autoencoder import build_encoder
from tests.reference_models.models.conftest import log_likelihood_loss


def test_objective_by_hand(images: torch.Tensor) -> None:
    model = build_encoder({"image_shape": [1, 32, 32], "latents": 3})
    codes = model(images)
    assert codes.shape == (4, 3)
    loss = log_likelihood_loss(model.decode(codes), images)
    assert model.objective(images)["loss"].item() == pytest.approx(loss, rel=1e-6)
    # No head is left that training does not reach.
    model.objective(images)["loss"].backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
