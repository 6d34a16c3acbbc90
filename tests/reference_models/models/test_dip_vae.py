from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import pytest
import torch

from reference_models.models.dip_vae import DIPVAEI, DIPVAEII, build_encoder_i, build_encoder_ii
from tests.reference_models.models.conftest import array, draws_at, kl_to_prior, log_likelihood_loss


@pytest.mark.parametrize("kind", [DIPVAEI, DIPVAEII])
def test_objective_by_hand(
    kind: type[DIPVAEI], images: torch.Tensor, spread: Callable[[DIPVAEI], DIPVAEI]
) -> None:
    model = spread(kind(image_shape=(1, 32, 32), latents=3, lambda_od=1e5, lambda_d=7.0))
    draws = draws_at(model, 0, 4)
    terms = model.objective(images, **draws)

    mean, logvar = (array(t) for t in model.network.posterior(images))
    covariance = np.cov(mean.T, bias=True)
    if kind is DIPVAEII:
        covariance += np.diag(np.exp(logvar).mean(0))
    off_diagonal = sum(covariance[i, j] ** 2 for i in range(3) for j in range(3) if i != j)
    diagonal = sum((covariance[i, i] - 1) ** 2 for i in range(3))
    z = mean + np.exp(logvar / 2) * array(draws["noise"])
    reconstruction = log_likelihood_loss(model.network.decode(torch.tensor(z, dtype=torch.float32)), images)
    loss = reconstruction + kl_to_prior(mean, logvar) + 1e5 * off_diagonal + 7 * diagonal
    assert 1e5 * off_diagonal > 1  # it shows in the loss
    assert terms["off_diagonal"].item() == pytest.approx(off_diagonal, rel=1e-3)
    assert terms["diagonal"].item() == pytest.approx(diagonal, rel=1e-4)
    assert terms["loss"].item() == pytest.approx(loss, rel=1e-5)


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_covariances_are_those_of_float32_under_autocast(
    precision: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Near the optimum, of codes so many that their squares pass what float16 holds."""
    model = DIPVAEI(image_shape=(1, 32, 32), latents=3)
    codes = torch.randn(100_000, 3, generator=torch.Generator().manual_seed(0))
    codes = 1.001 * (codes - codes.mean(0)) / codes.std(0, correction=0)

    def terms_and_gradient(context: AbstractContextManager[object]) -> tuple[torch.Tensor, ...]:
        mean, nought = codes.clone().requires_grad_(True), torch.zeros(())
        passed = (mean, torch.zeros_like(mean), mean, nought, nought)
        monkeypatch.setattr(model, "pass_through", lambda images, noise: passed)
        with context:
            terms = model.objective(codes, codes)
        terms["loss"].backward()
        assert mean.grad is not None
        return terms["off_diagonal"].detach(), terms["diagonal"].detach(), mean.grad

    expected = terms_and_gradient(nullcontext())
    found = terms_and_gradient(torch.autocast("cpu", precision))
    assert expected[1].item() == pytest.approx(3 * (1.001**2 - 1) ** 2, rel=0.05)
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def test_encoders_are_told_apart() -> None:
    assert type(build_encoder_i({"image_shape": [1, 32, 32]})) is DIPVAEI
    assert type(build_encoder_ii({"image_shape": [1, 32, 32]})) is DIPVAEII
