"""DIP-VAE I and II: the aggregate posterior's covariance is drawn to the identity.

A. Kumar, P. Sattigeri, A. Balakrishnan, "Variational Inference of Disentangled Latent Concepts
from Unlabeled Observations", ICLR 2018, equations 6 and 7. Minimised, with C the covariance over
the batch of the posterior means (I), or of the samples (II), which adds the mean posterior
variances to its diagonal:

    -E[log p(x | z)] + KL(q(z | x) || Normal(0, I))
        + lambda_od * sum over i != j of C_ij^2 + lambda_d * sum over i of (C_ii - 1)^2
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from reference_models.models.parts import losses
from reference_models.models.parts.flat_model import FlatModel


class DIPVAEI(FlatModel):
    """DIP-VAE-I, see the module.

    Parameters
    ----------
    image_shape : (channels, height, width)
    latents : int
    lambda_od, lambda_d : float
        Weights of the covariances and of the variances' distance from 1. The paper has
        lambda_d = 10 lambda_od here.
    """

    name = "dip-vae-i"
    compares_images = True
    not_negative = ("lambda_od", "lambda_d")
    with_variance = False

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 64, 64),
        latents: int = 10,
        lambda_od: float = 10.0,
        lambda_d: float = 100.0,
    ) -> None:
        super().__init__(image_shape, latents)
        self.lambda_od, self.lambda_d = lambda_od, lambda_d

    def objective(self, images: Tensor, noise: Tensor) -> dict[str, Tensor]:
        mean, logvar, _, reconstruction, kl = self.pass_through(images, noise)
        centred = mean - mean.mean(0)
        covariance = losses.mean_product(centred, centred)
        if self.with_variance:
            covariance = covariance + torch.diag(logvar.exp().mean(0))
        variance = covariance.diagonal()
        off_diagonal = (covariance - torch.diag(variance)).square().sum()
        diagonal = (variance - 1).square().sum()
        return {
            "loss": reconstruction + kl + self.lambda_od * off_diagonal + self.lambda_d * diagonal,
            "reconstruction": reconstruction,
            "kl": kl,
            "off_diagonal": off_diagonal,
            "diagonal": diagonal,
        }


class DIPVAEII(DIPVAEI):
    """DIP-VAE-II, see the module.

    Parameters
    ----------
    image_shape : (channels, height, width)
    latents : int
    lambda_od, lambda_d : float
        Weights of the covariances and of the variances' distance from 1. The paper has
        lambda_d = lambda_od here.
    """

    name = "dip-vae-ii"
    with_variance = True

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 64, 64),
        latents: int = 10,
        lambda_od: float = 10.0,
        lambda_d: float = 10.0,
    ) -> None:
        super().__init__(image_shape, latents, lambda_od, lambda_d)


def build_encoder_i(arguments: Mapping[str, Any]) -> DIPVAEI:
    """The module whose weights are a checkpoint's ``model.`` tensors; its forward is the encoder."""
    return DIPVAEI(**arguments)


def build_encoder_ii(arguments: Mapping[str, Any]) -> DIPVAEII:
    """As :func:`build_encoder_i`."""
    return DIPVAEII(**arguments)
