from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from reference_models.models.factor_vae import FactorVAE, build_encoder
from tests.reference_models.conftest import Squares
from tests.reference_models.models.conftest import array, draws_at, kl_to_prior, log_likelihood_loss


@pytest.fixture
def model(spread: Callable[[FactorVAE], FactorVAE]) -> FactorVAE:
    torch.manual_seed(0)
    return spread(build_encoder({"image_shape": [1, 32, 32], "latents": 3, "gamma": 35.0}))


def test_objective_by_hand(model: FactorVAE, images: torch.Tensor) -> None:
    draws = draws_at(model, 0, 2)
    terms = model.objective(images, **draws)

    mean, logvar = (array(t) for t in model.network.posterior(images))
    z = mean + np.exp(logvar / 2) * array(draws["noise"])
    order = draws["order"].numpy()
    permuted = np.array([[z[2 + order[n, d], d] for d in range(3)] for n in range(2)])
    real, fake = (array(model.discriminator(torch.tensor(v, dtype=torch.float32))) for v in (z[:2], permuted))
    correlation = np.mean(real[:, 0] - real[:, 1])
    discrimination = -0.5 * np.mean(log_softmax(real, axis=1)[:, 0] + log_softmax(fake, axis=1)[:, 1])
    shown = model.network.decode(torch.tensor(z[:2], dtype=torch.float32))
    reconstruction = log_likelihood_loss(shown, images[:2])
    kl = kl_to_prior(mean[:2], logvar[:2])

    assert terms["total_correlation"].item() == pytest.approx(correlation, rel=1e-4)
    assert terms["discrimination"].item() == pytest.approx(discrimination, rel=1e-4)
    loss = reconstruction + kl + 35 * correlation + discrimination
    assert terms["loss"].item() == pytest.approx(loss, rel=1e-5)


def test_each_side_learns_from_its_own_terms(model: FactorVAE, images: torch.Tensor) -> None:
    def gradients(names: tuple[str, ...]) -> dict[str, torch.Tensor]:
        model.zero_grad()
        terms = model.objective(images, **draws_at(model, 0, 2))
        sum(terms[name] for name in names).backward()
        return {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}

    from_network_terms = gradients(("reconstruction", "kl", "total_correlation"))
    assert all(name.startswith("network.") for name in from_network_terms)
    from_discriminator_term = gradients(("discrimination",))
    assert all(name.startswith("discriminator.") for name in from_discriminator_term)
    assert any(g.any() for g in gradients(("total_correlation",)).values())


def test_every_latent_is_permuted_on_its_own(model: FactorVAE) -> None:
    order = model.draw(0, 50, np.random.default_rng(0))["order"]
    assert order.shape == (50, 3)
    assert (np.sort(order, axis=0) == np.arange(50)[:, None]).all()
    assert not np.array_equal(order[:, 0], order[:, 1])


def test_a_batch_has_two_halves_and_two_learning_rates(squares: Squares) -> None:
    model = FactorVAE(image_shape=(1, 32, 32), latents=3, discriminator_rate=0.1)
    assert len(model.rows(squares, 5, np.random.default_rng(0))) == 10
    network, discriminator = model.parameter_groups(1e-3)
    assert (network["lr"], discriminator["lr"]) == (1e-3, pytest.approx(1e-4))
    assert discriminator["betas"] == (0.5, 0.9)
    assert len(network["params"]) + len(discriminator["params"]) == len(list(model.parameters()))
