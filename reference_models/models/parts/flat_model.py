"""What the models with one latent layer share: the network and its use as an encoder."""

from __future__ import annotations

from torch import Tensor

from reference_models.models.parts import losses
from reference_models.models.parts.draws import Random, standard_normal
from reference_models.models.parts.model import Draws, Model
from reference_models.models.parts.networks import FlatNetwork, ImageShape


class FlatModel(Model):
    """A variational autoencoder on :class:`FlatNetwork`; its objective is left to each model."""

    def __init__(self, image_shape: ImageShape, latents: int) -> None:
        super().__init__()
        self.network = FlatNetwork(image_shape, latents)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        mean, logvar = self.network.posterior(images)
        return mean, logvar

    def decode(self, latents: Tensor) -> Tensor:
        """Logits of the images of latents (n, latents)."""
        logits: Tensor = self.network.decode(latents)
        return logits

    def noise(self, batch_size: int, rng: Random) -> Draws:
        return {"noise": standard_normal(rng, batch_size, self.network.latents)}

    def pass_through(self, images: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Mean, log-variance and sample (n, latents); reconstruction and KL terms, scalars."""
        mean, logvar = self.network.posterior(images)
        mean, logvar = mean.float(), logvar.float()
        latents = losses.sample(mean, logvar, noise)
        reconstruction = losses.reconstruction(self.network.decode(latents), images)
        return mean, logvar, latents, reconstruction, losses.gaussian_kl(mean, logvar).sum(1).mean()
