"""Teacher and student: latents are added one after another under Jacobian supervision.

J. Lezama, "Overcoming the Disentanglement vs Reconstruction Trade-off via Jacobian Supervision",
ICLR 2019. A model with few latents is trained first. Then, again and again, it becomes the teacher
of a student. The student has the teacher's weights and one latent more, whose own weights are still
at their initial values. With T and S the decoders, t and s the codes, t' the teacher's codes
shuffled over the batch and s' the student's with their old latents shuffled the same way, the
student minimises

    reconstruction + beta * KL + pixels * (
        lambda_z    * mean (t - s_old)^2
        + lambda_jac  * mean ((T(t) - T(t')) - (S(s) - S(s')))^2
        + lambda_xcov * xcov(s_new, s_old)),   xcov(a, b) = 1/2 * sum over i, j of cov(a_i, b_j)^2

The published models are deterministic autoencoders with a squared error, averaged over pixels. Here
teacher and student are beta-VAEs, whose codes are the posterior means. That is our reading. It gives
this baseline the beta that the comparison varies. Their reconstruction error is a sum over pixels and
channels. The factor `pixels` is how many there are, and keeps the published balance of the terms but
for xcov. Decoders are compared as images in [0, 1].

Our xcov is the squared penalty of B. Cheung et al., "Discovering Hidden Factors of Variation in Deep
Networks", 2014. The published code has the norm, sqrt(sum over i, j of cov(a_i, b_j)^2), and its
weight goes with that. The norm's gradient is ours divided by the norm, so that ours pulls less where
the norm is below 1: a fifth as much at a norm of 0.2.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from disentangle_metrics import InputError
from reference_models.models.parts import losses
from reference_models.models.parts.draws import Random, permutation, standard_normal
from reference_models.models.parts.flat_model import FlatModel
from reference_models.models.parts.model import Draws, Schedule
from reference_models.models.parts.networks import FlatNetwork
from reference_models.models.parts.progression import check_whole


class TeacherStudent(FlatModel):
    """See the module.

    Parameters
    ----------
    image_shape : (channels, height, width)
    latents : int
        Of the last student.
    beta : float
        Weight of the KL term.
    first_latents : int
        Of the first teacher.
    grow_steps : sequence of int
        The step at which each further latent is added, ascending: latents - first_latents of them.
    lambda_z, lambda_jac, lambda_xcov : float
        The published weights, which go with a reconstruction error averaged over pixels. That of xcov
        goes with the norm of the covariances in the published code, and here with half its square.

    Attributes
    ----------
    active : Tensor (latents,)
        1 for latents that have been added. The others' posterior is given as the prior.
    taught : bool
        Whether the first teacher has been replaced by a student.
    """

    name = "teacher-student"
    orders = ("order",)
    compares_images = True
    not_negative = ("beta", "lambda_z", "lambda_jac", "lambda_xcov")
    active: Tensor

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 64, 64),
        latents: int = 9,
        beta: float = 1.0,
        first_latents: int = 2,
        grow_steps: Sequence[int] = (2_000, 4_000, 6_000, 8_000, 10_000, 12_000, 14_000),
        lambda_z: float = 0.25,
        lambda_jac: float = 0.1,
        lambda_xcov: float = 1e-3,
    ) -> None:
        super().__init__(image_shape, latents)
        steps = list(grow_steps)
        if not 1 <= first_latents <= latents:
            raise InputError(f"first_latents is {first_latents}; it must be 1 to latents = {latents}")
        check_whole("grow_steps", steps)
        if len(steps) != latents - first_latents or sorted({0, *steps}) != [0, *steps]:
            raise InputError(
                f"grow_steps is {steps}; it must ascend from above 0 and have one entry for each of the "
                f"latents - first_latents = {latents - first_latents} that are added"
            )
        self.beta, self.first_latents, self.grow_steps = beta, first_latents, tuple(steps)
        self.lambda_z, self.lambda_jac, self.lambda_xcov = lambda_z, lambda_jac, lambda_xcov
        self.teacher = FlatNetwork(image_shape, latents).requires_grad_(False)
        self.teacher.load_state_dict(self.network.state_dict())
        self.register_buffer("active", torch.zeros(latents))
        self.enter(0)

    def active_at(self, step: int) -> int:
        """How many latents there are at `step`."""
        return self.first_latents + sum(step >= grow for grow in self.grow_steps)

    def enter(self, step: int) -> None:
        if step in self.grow_steps:  # the student has become the teacher
            self.teacher.load_state_dict(self.network.state_dict())
        self.active.copy_(torch.arange(len(self.active)) < self.active_at(step))
        self.taught = self.active_at(step) > self.first_latents

    def milestones(self) -> list[int]:
        return list(self.grow_steps)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        mean, logvar = self.network.posterior(images)
        return mean * self.active, logvar * self.active

    def decode(self, latents: Tensor) -> Tensor:
        return super().decode(latents * self.active)

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        return [{"params": list(self.network.parameters()), "lr": learning_rate}]

    def noise(self, batch_size: int, rng: Random) -> Draws:
        return {
            "noise": standard_normal(rng, batch_size, self.network.latents),
            "order": permutation(rng, batch_size),
        }

    def variant(self, step: int) -> Hashable:
        """Whether there is a teacher: without one, the terms of the supervision are not computed."""
        return self.active_at(step) > self.first_latents

    def schedule(self, step: int) -> Schedule:
        active = np.arange(self.network.latents) < self.active_at(step)
        new = np.zeros_like(active)
        new[self.active_at(step) - 1] = self.active_at(step) > self.first_latents
        return {"active": active.astype(np.float32), "new": new.astype(np.float32)}

    def objective(
        self, images: Tensor, noise: Tensor, order: Tensor, active: Tensor, new: Tensor
    ) -> dict[str, Tensor]:
        mean, logvar = self.network.posterior(images)
        mean, logvar = mean.float() * active, logvar.float() * active
        latents = losses.sample(mean, logvar, noise) * active
        reconstruction = losses.reconstruction(self.network.decode(latents), images)
        kl = losses.gaussian_kl(mean, logvar).sum(1).mean()

        code, jacobian, xcov = self._supervision(images, mean, order, active, new)
        supervision = self.lambda_z * code + self.lambda_jac * jacobian + self.lambda_xcov * xcov
        return {
            "loss": reconstruction + self.beta * kl + images[0].numel() * supervision,
            "reconstruction": reconstruction,
            "kl": kl,
            "code": code,
            "jacobian": jacobian,
            "xcov": xcov,
        }

    def _supervision(
        self, images: Tensor, mean: Tensor, order: Tensor, active: Tensor, new: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The three terms, unweighted, that tie the student to its teacher; 0 while there is none."""
        if not self.taught:
            return (mean.new_zeros(()),) * 3
        old = active - new
        with torch.no_grad():
            taught = self.teacher.posterior(images)[0].float() * old
            teacher_shown = self._shown(self.teacher, taught)
            teacher_change = teacher_shown - teacher_shown[order]
        shuffled = torch.where(old.bool(), mean[order], mean)
        change = self._shown(self.network, mean) - self._shown(self.network, shuffled)
        code = ((taught - mean).square() * old).sum(1).mean() / old.sum()
        centred = mean - mean.mean(0)
        covariance = losses.mean_product(centred * new, centred * old)
        return code, (teacher_change - change).square().mean(), 0.5 * covariance.square().sum()

    @staticmethod
    def _shown(network: FlatNetwork, latents: Tensor) -> Tensor:
        return torch.sigmoid(network.decode(latents).float())


def build_encoder(arguments: Mapping[str, Any]) -> TeacherStudent:
    """The module whose weights are a checkpoint's ``model.`` tensors; its forward is the encoder."""
    return TeacherStudent(**arguments)
