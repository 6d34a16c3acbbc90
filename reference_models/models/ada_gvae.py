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
from torch import Tensor

from disentangle_metrics import InputError
from reference_models.models.parts import losses
from reference_models.models.parts.draws import Array, Random, integers, permutations, standard_normal
from reference_models.models.parts.flat_model import FlatModel
from reference_models.models.parts.model import Draws, ImageDataset


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
    not_negative = ("beta",)

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 64, 64),
        latents: int = 10,
        beta: float = 1.0,
        changed_factors: int = 1,
    ) -> None:
        super().__init__(image_shape, latents)
        self.beta, self.changed_factors = beta, changed_factors

    def rows(self, dataset: ImageDataset, batch_size: int, rng: Random) -> Array:
        grid: Any = dataset
        if not hasattr(dataset, "index") or not getattr(dataset, "factor_sizes", ()):
            raise InputError(
                f"{self.name} needs a data set with an image for every combination of factors, so that "
                f"it can make pairs; {dataset.name} has none. Try sprites or rooms"
            )
        first = super().rows(dataset, batch_size, rng)
        sizes = tuple(grid.factor_sizes)
        if not 0 <= self.changed_factors <= len(sizes):
            raise InputError(
                f"changed_factors is {self.changed_factors}; {dataset.name} has {len(sizes)} factors"
            )
        if self.changed_factors == 0 and len(sizes) == 1:
            raise InputError(
                f"changed_factors is 0, which leaves one factor at least as it is; {dataset.name} has one "
                "factor alone: set it to 1"
            )
        # One factor at least is shared where the number is drawn, as in the paper.
        count = self.changed_factors or 1 + integers(rng, len(sizes) - 1, batch_size, 1)
        changed = permutations(rng, (batch_size, len(sizes)), 1) < count
        drawn = integers(rng, sizes, batch_size, len(sizes))
        if isinstance(first, torch.Tensor):
            steps = steps_of(grid)
            before = torch.stack([first // step % size for step, size in zip(steps, sizes, strict=True)], 1)
            after = torch.where(changed, drawn, before)
            second = torch.stack([after[:, k] * step for k, step in enumerate(steps)]).sum(0)
            return torch.cat([first, second])
        try:
            return np.concatenate([first, grid.index(np.where(changed, drawn, grid.factors(first)))])
        except InputError as error:
            raise InputError(
                f"{self.name} needs an image for every combination of factors, so that it can make pairs; "
                f"{dataset.name} lacks some"
            ) from error

    def noise(self, batch_size: int, rng: Random) -> Draws:
        return {"noise": standard_normal(rng, 2 * batch_size, self.network.latents)}

    def objective(self, images: Tensor, noise: Tensor) -> dict[str, Tensor]:
        mean, logvar = shared(*(t.float() for t in self.network.posterior(images)))
        latents = losses.sample(mean, logvar, noise)
        reconstruction = losses.reconstruction(self.decode(latents), images)
        kl = losses.gaussian_kl(mean, logvar).sum(1).mean()
        return {"loss": reconstruction + self.beta * kl, "reconstruction": reconstruction, "kl": kl}


def steps_of(dataset: Any) -> list[int]:
    """How far apart images lie that differ by one in a factor, where each combination has one image.

    Raises NotImplementedError where that is not so: then a table must be asked, on the host.
    """
    sizes = np.array(dataset.factor_sizes)
    steps = [int(step) for step in np.append(np.cumprod(sizes[:0:-1])[::-1], 1)]
    units = np.diag(np.minimum(1, sizes - 1))
    expected = units.diagonal() * steps
    if len(dataset) != np.prod(sizes) or not np.array_equal(dataset.index(units), expected):
        raise NotImplementedError(f"the pairs of {dataset.name} come from a table of factors")
    return steps


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
