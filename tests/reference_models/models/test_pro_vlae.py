from __future__ import annotations

import numpy as np
import pytest
import torch

from disentangle_metrics import InputError
from reference_models.models.pro_vlae import ProVLAE, build_encoder

ARGUMENTS = {
    "image_shape": (1, 32, 32),
    "latents_per_layer": 2,
    "beta": 4.0,
    "gamma": 0.5,
    "wake_steps": (0, 10, 20),
    "fade_in_steps": 4,
}


@pytest.fixture
def model() -> ProVLAE:
    torch.manual_seed(0)
    return ProVLAE(**ARGUMENTS)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(1))


def terms_at(model: ProVLAE, step: int, images: torch.Tensor) -> dict[str, torch.Tensor]:
    draws = model.draw(step, len(images), np.random.default_rng(7))
    return model.objective(images, **{name: torch.from_numpy(value) for name, value in draws.items()})


@pytest.mark.parametrize(
    ("step", "encoder", "decoder", "weights"),
    [
        (0, (1, 1, 1), (0, 0, 1), (0.5, 0.5, 4)),
        (9, (1, 1, 1), (0, 0, 1), (0.5, 0.5, 4)),
        (11, (1, 0.25, 1), (0, 0.25, 1), (0.5, 4, 4)),
        (19, (1, 1, 1), (0, 1, 1), (0.5, 4, 4)),
        (22, (0.5, 1, 1), (0.5, 1, 1), (4, 4, 4)),
        (30, (1, 1, 1), (1, 1, 1), (4, 4, 4)),
    ],
)
def test_objective_of_each_stage_by_hand(
    model: ProVLAE,
    images: torch.Tensor,
    step: int,
    encoder: tuple[float, ...],
    decoder: tuple[float, ...],
    weights: tuple[float, ...],
) -> None:
    network = model.network
    h = [network.trunk[0](images)]
    h += [network.trunk[1](h[0])]
    h += [network.trunk[2](h[1])]
    noise = np.random.default_rng(7).standard_normal((2, 3, 2), dtype=np.float32)
    kl, features = [], []
    for layer in range(3):
        mean, logvar = network.branches[layer](encoder[layer] * h[layer])
        m, v = mean.detach().numpy().astype(float), logvar.detach().numpy().astype(float)
        kl.append(np.mean(np.sum(0.5 * (m**2 + np.exp(v) - 1 - v), axis=1)))
        z = mean + torch.exp(logvar / 2) * torch.from_numpy(noise[:, layer])
        features.append(decoder[layer] * network.features[layer](z))
    g = network.generators[2](features[2])
    g = network.generators[1](torch.cat([features[1], g], dim=1))
    g = network.generators[0](torch.cat([features[0], g], dim=1))
    logits = network.output(g).detach().numpy().astype(float)
    x = images.numpy()
    log_likelihood = x * logits - np.logaddexp(0, logits)
    reconstruction = -np.mean(log_likelihood.sum((1, 2, 3)))

    terms = terms_at(model, step, images)
    assert terms["reconstruction"].item() == pytest.approx(reconstruction, rel=1e-5)
    for layer in range(3):
        assert terms[f"kl_{layer + 1}"].item() == pytest.approx(kl[layer], rel=1e-4, abs=1e-6)
    by_hand = reconstruction + sum(w * k for w, k in zip(weights, kl, strict=True))
    assert terms["loss"].item() == pytest.approx(by_hand, rel=1e-5)


def test_waiting_layers_are_cut_from_the_decoder(model: ProVLAE, images: torch.Tensor) -> None:
    terms = terms_at(model, 5, images)
    terms["loss"].backward()
    for layer, waiting in enumerate((True, True, False)):
        gradients = [p.grad for p in model.network.features[layer].parameters()]
        # Zero, not None: Adam counts these steps for a waiting layer, as the authors' does.
        assert all(g is not None and bool((g == 0).all()) == waiting for g in gradients)
        # The branch of a waiting layer learns all the same, from its KL term.
        assert model.network.branches[layer].mean.weight.grad.abs().sum() > 0

    z = torch.randn(2, 3, 2)
    gates = torch.tensor(model.stage(5).decoder_gates)
    other = z.clone()
    other[:, :2] += 10
    assert torch.equal(model.network.decode(z, gates), model.network.decode(other, gates))
    other[:, 2] += 1
    assert not torch.equal(model.network.decode(z, gates), model.network.decode(other, gates))


def test_without_pretraining_kl_a_waiting_branch_gets_no_gradient(images: torch.Tensor) -> None:
    model = ProVLAE(**{**ARGUMENTS, "gamma": 0.0})
    terms_at(model, 5, images)["loss"].backward()
    assert not model.network.branches[0].mean.weight.grad.any()
    assert model.network.branches[2].mean.weight.grad.any()


def test_encoder_gives_the_prior_for_layers_that_wait(model: ProVLAE, images: torch.Tensor) -> None:
    mean, logvar = model(images)
    assert mean.shape == logvar.shape == (2, 6)
    full_mean, full_logvar = model.network.posterior(images)
    assert not mean[:, :4].any()
    assert not logvar[:, :4].any()
    torch.testing.assert_close(mean[:, 4:], full_mean[:, 2])

    model.enter(10)
    mean, logvar = model(images)
    assert not mean[:, :2].any()
    # Half-way through a fade-in evaluation still sees the layer in full: alpha = 1.
    torch.testing.assert_close(mean[:, 2:4], full_mean[:, 1])

    model.enter(20)
    mean, logvar = model(images)
    torch.testing.assert_close(mean, full_mean.flatten(1))  # the lowest layer first
    torch.testing.assert_close(logvar, full_logvar.flatten(1))


def test_decode_is_blind_to_layers_that_wait(model: ProVLAE) -> None:
    z = torch.randn(2, 6)
    other = z.clone()
    other[:, :4] = 0
    assert torch.equal(model.decode(z), model.decode(other))
    model.enter(20)
    assert not torch.equal(model.decode(z), model.decode(other))


def test_activity_travels_with_the_weights(model: ProVLAE, images: torch.Tensor) -> None:
    model.enter(12)
    encoder = build_encoder(ARGUMENTS)
    encoder.load_state_dict(model.state_dict(), strict=True)
    torch.testing.assert_close(encoder(images), model(images))
    assert not encoder(images)[0][:, :2].any()


def test_encoder_has_defaults() -> None:
    mean, logvar = build_encoder({})(torch.rand(1, 1, 64, 64))
    assert mean.shape == logvar.shape == (1, 9)


def test_unusable_arguments_are_refused() -> None:
    with pytest.raises(InputError, match="wake_steps"):
        ProVLAE(wake_steps=[0, 5, 2])
    with pytest.raises(InputError, match="fade_in_steps is -1"):
        ProVLAE(fade_in_steps=-1)
