"""beta-VAE, with the capacity schedule as an option.

I. Higgins et al., "beta-VAE: Learning Basic Visual Concepts with a Constrained Variational
Framework", ICLR 2017, equation 4; C. Burgess et al., "Understanding Disentangling in beta-VAE",
2018, equation 8. Minimised:

    -E[log p(x | z)] + beta * |KL(q(z | x) || Normal(0, I)) - C|

The capacity C in nats grows linearly from 0; where it stays 0 this is the beta-VAE.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from disentangle_metrics import InputError
from reference_models.models.parts.flat_model import FlatModel
from reference_models.models.parts.model import Schedule


class BetaVAE(FlatModel):
    """See the module.

    Parameters
    ----------
    image_shape : (channels, height, width)
    latents : int
    beta : float
        Weight of the KL term (gamma, where Burgess et al. use a capacity; theirs is 1,000).
    capacity : float
        The value in nats that C reaches (theirs: 25).
    capacity_steps : int
        The step at which C reaches it (theirs: 100,000). Training must be as long, if there is a capacity.
    """

    name = "beta-vae"
    not_negative = ("beta", "capacity")

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 64, 64),
        latents: int = 10,
        beta: float = 4.0,
        capacity: float = 0.0,
        capacity_steps: int = 100_000,
    ) -> None:
        super().__init__(image_shape, latents)
        if capacity_steps < 1:
            raise InputError(f"capacity_steps is {capacity_steps}; it must be at least 1")
        self.beta, self.capacity, self.capacity_steps = beta, capacity, capacity_steps

    def schedule(self, step: int) -> Schedule:
        return {"capacity": np.array(self.capacity * min(1.0, step / self.capacity_steps), np.float32)}

    def unreached(self, steps: int) -> str:
        if not self.capacity or steps >= self.capacity_steps:
            return super().unreached(steps)
        return (
            f"the capacity of {self.name} ends at {self.capacity * steps / self.capacity_steps:.3g} of "
            f"{self.capacity:g} nats, since training ends after {steps} of its capacity_steps = "
            f"{self.capacity_steps}; take more steps, or set fewer capacity_steps"
        )

    def objective(self, images: Tensor, noise: Tensor, capacity: Tensor) -> dict[str, Tensor]:
        _, _, _, reconstruction, kl = self.pass_through(images, noise)
        loss = reconstruction + self.beta * (kl - capacity).abs()
        return {"loss": loss, "reconstruction": reconstruction, "kl": kl}


def build_encoder(arguments: Mapping[str, Any]) -> BetaVAE:
    """The module whose weights are a checkpoint's ``model.`` tensors; its forward is the encoder."""
    return BetaVAE(**arguments)
