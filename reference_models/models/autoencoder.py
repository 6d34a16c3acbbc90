"""A plain autoencoder: codes without noise or prior, the baseline that nothing disentangles.

Minimised, with f the encoder: -log p(x | f(x)).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from torch import Tensor

from reference_models.models.parts import losses
from reference_models.models.parts.draws import Random
from reference_models.models.parts.flat_model import FlatModel
from reference_models.models.parts.model import Draws


class Autoencoder(FlatModel):
    """See the module. Called on images it returns codes (n, latents).

    Parameters
    ----------
    image_shape : (channels, height, width)
    latents : int
    """

    name = "autoencoder"
    outputs: ClassVar[dict[str, int]] = {"mean": 0}

    def __init__(self, image_shape: Sequence[int] = (1, 64, 64), latents: int = 10) -> None:
        super().__init__(image_shape, latents)
        del self.network.posterior.logvar

    def forward(self, images: Tensor) -> Tensor:  # type: ignore[override]
        posterior = self.network.posterior
        codes: Tensor = posterior.mean(posterior.body(images))
        return codes

    def noise(self, batch_size: int, rng: Random) -> Draws:
        return {}

    def objective(self, images: Tensor) -> dict[str, Tensor]:
        reconstruction = losses.reconstruction(self.decode(self(images)), images)
        return {"loss": reconstruction, "reconstruction": reconstruction}


def build_encoder(arguments: Mapping[str, Any]) -> Autoencoder:
    """The module whose weights are a checkpoint's ``model.`` tensors; its forward is the encoder."""
    return Autoencoder(**arguments)
