from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import norm

from reference_models.models.beta_tcvae import BetaTCVAE, build_encoder, total_correlation
from tests.reference_models.models.conftest import array, draws_at, kl_to_prior, log_likelihood_loss


def test_objective_by_hand(images: torch.Tensor, spread: Callable[[BetaTCVAE], BetaTCVAE]) -> None:
    model = spread(build_encoder({"image_shape": [1, 32, 32], "latents": 3, "beta": 6.0}))
    draws = draws_at(model, 0, 4)
    terms = model.objective(images, **draws)

    mean, logvar = (array(t) for t in model.network.posterior(images))
    sd = np.exp(logvar / 2)
    z = mean + sd * array(draws["noise"])
    by_hand = 0.0
    for i in range(4):
        each = np.array([norm.logpdf(z[i], mean[j], sd[j]) for j in range(4)])  # (posterior, latent)
        joint = logsumexp(each.sum(1)) - np.log(4)
        by_hand += (joint - (logsumexp(each, axis=0) - np.log(4)).sum()) / 4
    assert terms["total_correlation"].item() == pytest.approx(by_hand, rel=1e-4)
    # The term by itself: beside the reconstruction error, any weight is lost in rounding.
    weighted = terms["loss"] - terms["reconstruction"] - terms["kl"]
    assert weighted.item() == pytest.approx(5 * by_hand, rel=0.02)
    reconstruction = log_likelihood_loss(model.network.decode(torch.tensor(z, dtype=torch.float32)), images)
    loss = reconstruction + kl_to_prior(mean, logvar) + 5 * by_hand
    assert terms["loss"].item() == pytest.approx(loss, rel=1e-5)


def test_total_correlation_of_two_equal_latents_is_their_information() -> None:
    generator = torch.Generator().manual_seed(0)
    mean = torch.randn(2_000, 1, generator=generator) * 3
    equal = mean.repeat(1, 2)
    logvar = torch.full_like(equal, np.log(0.25))
    noise = torch.randn(2_000, 2, generator=generator) * 0.5
    # Two normal readings of one normal value: correlation 9 / 9.25.
    expected = -0.5 * np.log(1 - (9 / 9.25) ** 2)
    assert total_correlation(equal + noise, equal, logvar).item() == pytest.approx(expected, rel=0.05)
    apart = torch.cat([mean, mean[torch.randperm(2_000, generator=generator)]], 1)
    assert total_correlation(apart + noise, apart, logvar).item() == pytest.approx(0, abs=0.15)
