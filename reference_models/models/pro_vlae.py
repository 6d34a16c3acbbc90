"""pro-VLAE: the ladder of VLAE, its layers woken one after another from the most abstract down.

Z. Li, J. Murkute, P. Gyawali, L. Wang, "Progressive Learning and Disentanglement of Hierarchical
Representations", ICLR 2020. With s the lowest active layer, minimised (the paper's equations 4
to 6 with the weights of its code):

    -E[log p(x | z_s .. z_L)] + beta  * sum over l >= s of KL(q(z_l | x) || Normal(0, I))
                              + gamma * sum over l <  s of KL(q(z_l | x) || Normal(0, I))

`progression` says when layers wake and how they are faded in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from disentangle_metrics import InputError
from reference_models.models.parts import losses
from reference_models.models.parts.draws import Random, standard_normal
from reference_models.models.parts.model import Draws, Model, Schedule
from reference_models.models.parts.networks import LadderNetwork
from reference_models.models.parts.progression import Stage, check_wake_steps, stage_at


class ProVLAE(Model):
    """See the module.

    Parameters
    ----------
    image_shape : (channels, height, width)
    latents_per_layer, layers : int
    beta, gamma : float
        Weights of the KL terms of active and of waiting layers; gamma 0 switches the
        pre-training KL off.
    wake_steps : sequence of int
        The training step at which each layer wakes, the top layer first.
    fade_in_steps : int
        How many steps a layer that wakes is faded in.
    affine : bool
        The authors' learned scale and shift after each activation.

    Attributes
    ----------
    active : Tensor (layers,)
        1 for layers that have taken part in training, 0 for those that wait. It is part of the
        checkpoint, so that an encoder knows which layers mean nothing yet: their posterior is
        given as the prior (mean 0, log-variance 0), and the decoder does not see them.
    """

    name = "pro-vlae"
    not_negative = ("beta", "gamma")
    active: Tensor

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 64, 64),
        latents_per_layer: int = 3,
        layers: int = 3,
        beta: float = 1.0,
        gamma: float = 0.5,
        wake_steps: Sequence[int] = (0, 5_000, 10_000),
        fade_in_steps: int = 5_000,
        affine: bool = False,
    ) -> None:
        super().__init__()
        check_wake_steps(wake_steps, layers)
        if fade_in_steps < 0:
            raise InputError(f"fade_in_steps is {fade_in_steps}; it must be at least 0 (0: no fade-in)")
        self.network = LadderNetwork(image_shape, latents_per_layer, layers, affine)
        self.beta, self.gamma = beta, gamma
        self.wake_steps, self.fade_in_steps = tuple(wake_steps), fade_in_steps
        self.register_buffer("active", torch.zeros(layers))
        self.enter(0)

    def stage(self, step: int) -> Stage:
        """The schedule at `step`."""
        return stage_at(
            step,
            layers=self.network.layers,
            wake_steps=self.wake_steps,
            fade_in_steps=self.fade_in_steps,
            beta=self.beta,
            gamma=self.gamma,
        )

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        mean, logvar = self.network.posterior(images)
        active = self.active[:, None]
        return (mean * active).flatten(1), (logvar * active).flatten(1)

    @property
    def latent_groups(self) -> dict[str, list[int]]:
        """The latents of each layer, the lowest first."""
        return self.network.latent_groups

    def decode(self, latents: Tensor) -> Tensor:
        """Logits of the images of latents (n, layers * latents_per_layer), the lowest layer first."""
        return self.network.decode(latents.view(len(latents), self.network.layers, -1), self.active)

    def noise(self, batch_size: int, rng: Random) -> Draws:
        return {
            "noise": standard_normal(rng, batch_size, self.network.layers, self.network.latents_per_layer)
        }

    def schedule(self, step: int) -> Schedule:
        stage = self.stage(step)
        return {
            "encoder_gates": np.array(stage.encoder_gates, np.float32),
            "decoder_gates": np.array(stage.decoder_gates, np.float32),
            "kl_weights": np.array(stage.kl_weights, np.float32),
        }

    def enter(self, step: int) -> None:
        self.active.copy_(torch.tensor(self.stage(step).active))

    def milestones(self) -> list[int]:
        """The ends of the stages: the comparison of stages needs each one's weights."""
        return list(self.wake_steps[1:])

    def objective(
        self, images: Tensor, noise: Tensor, encoder_gates: Tensor, decoder_gates: Tensor, kl_weights: Tensor
    ) -> dict[str, Tensor]:
        mean, logvar = self.network.posterior(images, encoder_gates)
        logits = self.network.decode(losses.sample(mean, logvar, noise), decoder_gates)
        reconstruction = losses.reconstruction(logits, images)
        kl = losses.gaussian_kl(mean, logvar).sum(2).mean(0)  # (layers,)
        terms = {"loss": reconstruction + (kl_weights * kl).sum(), "reconstruction": reconstruction}
        return terms | {f"kl_{layer + 1}": kl[layer] for layer in range(len(kl))}


def build_encoder(arguments: Mapping[str, Any]) -> ProVLAE:
    """The module whose weights are a checkpoint's ``model.`` tensors; its forward is the encoder."""
    return ProVLAE(**arguments)
