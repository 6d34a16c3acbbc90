"""Ada-GVAE: weak supervision by pairs that differ in few factors.

F. Locatello et al., "Weakly-Supervised Disentanglement Without Compromises", ICML 2020, section
4.1. The two images of a pair share all but k of their factors, and nobody says which. In each pair
latent d has the divergence delta_d = KL(q(z_d | x_1) || q(z_d | x_2)). It counts as shared if delta_d
is below half-way between the smallest and the largest delta. The two posteriors of a shared latent
are replaced by one with the average mean and variance. Minimised:

    sum over the pair of -E[log p(x_i | z)] + beta * KL(q(z | x_i) || Normal(0, I)), halved
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from disentangle_metrics import InputError
from reference_models.models.parts import losses
from reference_models.models.parts.flat_model import FlatModel
from reference_models.models.parts.model import Draws, ImageDataset, standard_normal


class AdaGVAE(FlatModel):
    """See the module. A batch of n is n pairs: first all x_1, then all x_2.

    Parameters
    ----------
    image_shape : (channels, height, width)
    latents : int
    beta : float
        Weight of the KL term.
    changed_factors : int
        How many factors a pair differs in at most; 0 draws the number for each pair.
    """

    name = "ada-gvae"

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 64, 64),
        latents: int = 10,
        beta: float = 1.0,
        changed_factors: int = 1,
    ) -> None:
        super().__init__(image_shape, latents)
        self.beta, self.changed_factors = beta, changed_factors

    def rows(self, dataset: ImageDataset, batch_size: int, rng: np.random.Generator) -> NDArray[np.int64]:
        grid: Any = dataset
        if not hasattr(dataset, "index") or not getattr(dataset, "factor_sizes", ()):
            raise InputError(
                f"{self.name} needs a data set with an image for every combination of factors, so that "
                f"it can make pairs; {dataset.name} has none. Try sprites or rooms"
            )
        first = super().rows(dataset, batch_size, rng)
        before = grid.factors(first)
        sizes = np.array(grid.factor_sizes)
        if not 0 <= self.changed_factors <= len(sizes):
            raise InputError(
                f"changed_factors is {self.changed_factors}; {dataset.name} has {len(sizes)} factors"
            )
        # One factor at least is shared where the number is drawn, as in the paper.
        count = self.changed_factors or rng.integers(1, len(sizes), size=(batch_size, 1))
        rank = rng.permuted(np.tile(np.arange(len(sizes)), (batch_size, 1)), axis=1)
        after = np.where(rank < count, rng.integers(sizes, size=before.shape), before)
        return np.concatenate([first, grid.index(after)])

    def draw(self, step: int, batch_size: int, rng: np.random.Generator) -> Draws:
        return {"noise": standard_normal(rng, 2 * batch_size, self.network.latents)}

    def objective(self, images: Tensor, noise: Tensor) -> dict[str, Tensor]:
        mean, logvar = shared(*(t.float() for t in self.network.posterior(images)))
        latents = losses.sample(mean, logvar, noise)
        reconstruction = losses.reconstruction(self.decode(latents), images)
        kl = losses.gaussian_kl(mean, logvar).sum(1).mean()
        return {"loss": reconstruction + self.beta * kl, "reconstruction": reconstruction, "kl": kl}


def shared(mean: Tensor, logvar: Tensor) -> tuple[Tensor, Tensor]:
    """The posteriors (2 n, latents) of n pairs with those of shared latents averaged."""
    (mean_1, mean_2), (logvar_1, logvar_2) = mean.chunk(2), logvar.chunk(2)
    variance_1, variance_2 = logvar_1.exp(), logvar_2.exp()
    delta = 0.5 * ((variance_1 + (mean_1 - mean_2).square()) / variance_2 - 1 + logvar_2 - logvar_1)
    threshold = 0.5 * (delta.amin(1, keepdim=True) + delta.amax(1, keepdim=True))
    together = delta < threshold
    both_mean = 0.5 * (mean_1 + mean_2)
    both_logvar = (0.5 * (variance_1 + variance_2)).log()
    return (
        torch.cat([torch.where(together, both_mean, m) for m in (mean_1, mean_2)]),
        torch.cat([torch.where(together, both_logvar, v) for v in (logvar_1, logvar_2)]),
    )


def build_encoder(arguments: Mapping[str, Any]) -> AdaGVAE:
    """The module whose weights are a checkpoint's ``model.`` tensors; its forward is the encoder."""
    return AdaGVAE(**arguments)
