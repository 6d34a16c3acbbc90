"""FactorVAE: the total correlation is estimated by a discriminator, and weighted.

H. Kim, A. Mnih, "Disentangling by Factorising", ICML 2018, equation 2 and algorithm 2. A
discriminator D tells latents of the model from latents that are permuted over the batch, each on
its own. Minimised, over the network,

    -E[log p(x | z)] + KL(q(z | x) || Normal(0, I)) + gamma * E[log D(z) - log(1 - D(z))]

and, over the discriminator, its cross-entropy on latents of one half of the rows and permuted
latents of the other. Both are minimised in the same step. The paper takes the discriminator's
after the network's. In both, D sees the latents from before the step. D has five hidden layers of
1,000 units; that of disentanglement_lib has six.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from reference_models.models.parts import losses
from reference_models.models.parts.draws import Array, Random, permutations, standard_normal
from reference_models.models.parts.flat_model import FlatModel
from reference_models.models.parts.model import Draws, ImageDataset
from reference_models.models.parts.networks import initialise


class FactorVAE(FlatModel):
    """See the module. A batch of n takes 2 n images: the first half's are the network's.

    Parameters
    ----------
    image_shape : (channels, height, width)
    latents : int
    gamma : float
        Weight of the total correlation.
    discriminator_rate : float
        The discriminator's learning rate, as a share of the network's.
    """

    name = "factor-vae"
    orders = ("order",)
    compares_images = True
    not_negative = ("gamma", "discriminator_rate")

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 64, 64),
        latents: int = 10,
        gamma: float = 35.0,
        discriminator_rate: float = 1.0,
    ) -> None:
        super().__init__(image_shape, latents)
        self.gamma, self.discriminator_rate = gamma, discriminator_rate
        units = [latents, *[1_000] * 5]
        hidden = [(nn.Linear(a, b), nn.LeakyReLU(0.2)) for a, b in pairwise(units)]
        self.discriminator = nn.Sequential(*(layer for pair in hidden for layer in pair), nn.Linear(1_000, 2))
        initialise(self.discriminator)

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        rate = self.discriminator_rate * learning_rate
        return [
            {"params": list(self.network.parameters()), "lr": learning_rate},
            {"params": list(self.discriminator.parameters()), "lr": rate, "betas": (0.5, 0.9)},
        ]

    def rows(self, dataset: ImageDataset, batch_size: int, rng: Random) -> Array:
        return super().rows(dataset, 2 * batch_size, rng)

    def noise(self, batch_size: int, rng: Random) -> Draws:
        noise = standard_normal(rng, 2 * batch_size, self.network.latents)
        return {"noise": noise, "order": permutations(rng, (batch_size, self.network.latents), 0)}

    def objective(self, images: Tensor, noise: Tensor, order: Tensor) -> dict[str, Tensor]:
        n = len(order)
        _, _, latents, reconstruction, kl = self.pass_through(images[:n], noise[:n])
        with torch.no_grad():
            mean, logvar = self.network.posterior(images[n:])
            permuted = losses.sample(mean.float(), logvar.float(), noise[n:]).gather(0, order)

        # The network feels the discriminator, and does not move it.
        fixed = {name: p.detach() for name, p in self.discriminator.named_parameters()}
        verdict = functional_call(self.discriminator, fixed, (latents,)).float()
        correlation = (verdict[:, 0] - verdict[:, 1]).mean()

        joint = self.discriminator(latents.detach()).float()
        product = self.discriminator(permuted).float()
        zeros = torch.zeros(n, dtype=torch.long, device=images.device)
        discrimination = 0.5 * (
            functional.cross_entropy(joint, zeros) + functional.cross_entropy(product, zeros + 1)
        )
        return {
            "loss": reconstruction + kl + self.gamma * correlation + discrimination,
            "reconstruction": reconstruction,
            "kl": kl,
            "total_correlation": correlation,
            "discrimination": discrimination,
        }


def build_encoder(arguments: Mapping[str, Any]) -> FactorVAE:
    """The module whose weights are a checkpoint's ``model.`` tensors; its forward is the encoder."""
    return FactorVAE(**arguments)
