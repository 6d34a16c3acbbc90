"""beta-TCVAE: a weight on the total correlation alone.

R. T. Q. Chen, X. Li, R. Grosse, D. Duvenaud, "Isolating Sources of Disentanglement in Variational
Autoencoders", NeurIPS 2018, equation 4 with alpha = gamma = 1. Minimised:

    -E[log p(x | z)] + KL(q(z | x) || Normal(0, I)) + (beta - 1) * TC(z)

TC(z) = E[log q(z) - sum over d of log q(z_d)] is estimated over the batch, from the mixture of its
posteriors: log q(z) = log mean over j of q(z | x_j). The paper's minibatch-weighted sampling
differs by a constant, which has no gradient: (latents - 1) * log(size of the data set).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from reference_models.models.parts.flat_model import FlatModel


class BetaTCVAE(FlatModel):
    """See the module.

    Parameters
    ----------
    image_shape : (channels, height, width)
    latents : int
    beta : float
        Weight of the total correlation; 1 gives the VAE.
    """

    name = "beta-tcvae"
    compares_images = True
    not_negative = ("beta",)

    def __init__(
        self, image_shape: Sequence[int] = (1, 64, 64), latents: int = 10, beta: float = 6.0
    ) -> None:
        super().__init__(image_shape, latents)
        self.beta = beta

    def objective(self, images: Tensor, noise: Tensor) -> dict[str, Tensor]:
        mean, logvar, latents, reconstruction, kl = self.pass_through(images, noise)
        correlation = total_correlation(latents, mean, logvar)
        return {
            "loss": reconstruction + kl + (self.beta - 1) * correlation,
            "reconstruction": reconstruction,
            "kl": kl,
            "total_correlation": correlation,
        }


def total_correlation(latents: Tensor, mean: Tensor, logvar: Tensor) -> Tensor:
    """The batch's estimate of TC(z) in nats, a scalar, from samples and posteriors (n, latents)."""
    # log_q[i, j, d] = log q(z_i,d | x_j)
    squared = (latents[:, None] - mean).square() * torch.exp(-logvar)
    log_q = -0.5 * (squared + logvar + math.log(2 * math.pi))
    log_n = math.log(len(latents))
    joint = torch.logsumexp(log_q.sum(2), 1) - log_n
    marginals = torch.logsumexp(log_q, 1) - log_n
    return (joint - marginals.sum(1)).mean()


def build_encoder(arguments: Mapping[str, Any]) -> BetaTCVAE:
    """The module whose weights are a checkpoint's ``model.`` tensors; its forward is the encoder."""
    return BetaTCVAE(**arguments)
