"""The terms of objectives, in nats: each a sum over dimensions, averaged over the batch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from disentangle_metrics import kit


def reconstruction(logits: Tensor, images: Tensor) -> Tensor:
    """Bernoulli negative log-likelihood -E[log p(x | z)], a scalar.

    `logits` and `images` in [0, 1] are (n, channels, height, width). For images between 0 and 1
    this is the cross-entropy, as in the field's published code for colour images.
    """
    loss = functional.binary_cross_entropy_with_logits(logits.float(), images, reduction="sum")
    return loss / len(images)


def gaussian_kl(mean: Tensor, logvar: Tensor) -> Tensor:
    """KL(Normal(mean, exp(logvar)) || Normal(0, 1)) of each row and latent, in the input's shape.

    D. Kingma, M. Welling, "Auto-Encoding Variational Bayes", 2014, appendix B.
    """
    kl: Tensor = kit.gaussian_kl(mean.float(), logvar.float())
    return kl


def mean_product(one: Tensor, other: Tensor) -> Tensor:
    """Mean over the batch of one[:, i] * other[:, j] of float32 (n, a) and (n, b): an array (a, b).

    In float32 under autocast too: half precision would round a covariance's distance from its aim away.
    """
    with torch.autocast(one.device.type, enabled=False):
        return one.T @ other / len(one)


def sample(mean: Tensor, logvar: Tensor, noise: Tensor) -> Tensor:
    """A draw from Normal(mean, exp(logvar)) made from standard normal `noise`."""
    return mean + torch.exp(0.5 * logvar) * noise
