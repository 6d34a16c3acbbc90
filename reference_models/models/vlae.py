"""VLAE: a ladder of latent layers, all trained together.

S. Zhao, J. Song, S. Ermon, "Learning Hierarchical Features from Generative Models", ICML 2017,
with the network and the weight beta of the progressive model's comparison. Each depth l of the
encoder has its own posterior q(z_l | x). The latents are independent under the prior. Minimised:

    -E[log p(x | z_1 .. z_L)] + beta * sum over l of KL(q(z_l | x) || Normal(0, I))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from reference_models.models.parts import losses
from reference_models.models.parts.draws import Random, standard_normal
from reference_models.models.parts.model import Draws, Model
from reference_models.models.parts.networks import LadderNetwork


class VLAE(Model):
    """See the module.

    Parameters
    ----------
    image_shape : (channels, height, width)
    latents_per_layer, layers : int
    beta : float
        Weight of the KL terms.
    affine : bool
        The authors' learned scale and shift after each activation.
    """

    name = "vlae"
    not_negative = ("beta",)

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 64, 64),
        latents_per_layer: int = 3,
        layers: int = 3,
        beta: float = 1.0,
        affine: bool = False,
    ) -> None:
        super().__init__()
        self.network = LadderNetwork(image_shape, latents_per_layer, layers, affine)
        self.beta = beta

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        mean, logvar = self.network.posterior(images)
        return mean.flatten(1), logvar.flatten(1)

    @property
    def latent_groups(self) -> dict[str, list[int]]:
        """The latents of each layer, the lowest first."""
        return self.network.latent_groups

    def decode(self, latents: Tensor) -> Tensor:
        """Logits of the images of latents (n, layers * latents_per_layer), the lowest layer first."""
        return self.network.decode(latents.view(len(latents), self.network.layers, -1))

    def noise(self, batch_size: int, rng: Random) -> Draws:
        return {
            "noise": standard_normal(rng, batch_size, self.network.layers, self.network.latents_per_layer)
        }

    def objective(self, images: Tensor, noise: Tensor) -> dict[str, Tensor]:
        mean, logvar = self.network.posterior(images)
        logits = self.network.decode(losses.sample(mean, logvar, noise))
        reconstruction = losses.reconstruction(logits, images)
        kl = losses.gaussian_kl(mean, logvar).sum(2).mean(0)  # (layers,)
        terms = {"loss": reconstruction + self.beta * kl.sum(), "reconstruction": reconstruction}
        return terms | {f"kl_{layer + 1}": kl[layer] for layer in range(len(kl))}


def build_encoder(arguments: Mapping[str, Any]) -> VLAE:
    """The module whose weights are a checkpoint's ``model.`` tensors; its forward is the encoder."""
    return VLAE(**arguments)
