from __future__ import annotations

import numpy as np
import pytest
import torch

from reference_models.models.pro_vlae import ProVLAE
from reference_models.models.vlae import VLAE, build_encoder


def test_objective_by_hand() -> None:
    torch.manual_seed(0)
    model = VLAE(image_shape=(1, 32, 32), latents_per_layer=2, beta=3.0)
    images = torch.rand(2, 1, 32, 32)
    noise = torch.from_numpy(model.draw(0, 2, np.random.default_rng(0))["noise"])
    terms = model.objective(images, noise)

    mean, logvar = (t.detach() for t in model.network.posterior(images))
    logits = model.network.decode(mean + torch.exp(logvar / 2) * noise).detach().numpy().astype(float)
    x = images.numpy()
    reconstruction = -np.mean((x * logits - np.logaddexp(0, logits)).sum((1, 2, 3)))
    m, v = mean.numpy().astype(float), logvar.numpy().astype(float)
    kl = np.mean(np.sum(0.5 * (m**2 + np.exp(v) - 1 - v), axis=2), axis=0)

    assert terms["loss"].item() == pytest.approx(reconstruction + 3 * kl.sum(), rel=1e-5)
    assert [terms[f"kl_{n}"].item() for n in (1, 2, 3)] == pytest.approx(list(kl), rel=1e-4)


def test_it_is_pro_vlae_with_all_layers_awake() -> None:
    arguments = {"image_shape": (1, 32, 32), "latents_per_layer": 2, "beta": 3.0}
    plain = VLAE(**arguments)
    progressive = ProVLAE(**arguments, wake_steps=(0, 1, 2), fade_in_steps=0)
    progressive.load_state_dict(plain.state_dict(), strict=False)
    progressive.enter(2)
    images = torch.rand(2, 1, 32, 32)
    draws = {k: torch.from_numpy(v) for k, v in progressive.draw(2, 2, np.random.default_rng(0)).items()}
    torch.testing.assert_close(
        progressive.objective(images, **draws), plain.objective(images, draws["noise"])
    )
    torch.testing.assert_close(progressive(images), plain(images))
    latents = torch.randn(2, 6)
    torch.testing.assert_close(progressive.decode(latents), plain.decode(latents))


def test_encoder_has_defaults() -> None:
    mean, logvar = build_encoder({})(torch.rand(1, 1, 64, 64))
    assert mean.shape == logvar.shape == (1, 9)
