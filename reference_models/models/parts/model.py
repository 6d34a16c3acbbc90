"""What the training loop asks of a model, and the answers most models give."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from reference_models.models.parts.draws import Array, Random, integers

Draws = dict[str, Array]
Schedule = dict[str, NDArray[np.float32]]


class ImageDataset(Protocol):
    """What training needs of a data set; every data set of the toolkit has it."""

    name: str
    image_shape: tuple[int, int, int]  # height, width, channels

    def __len__(self) -> int: ...

    def images(self, indices: Any, /) -> NDArray[np.uint8]: ...


class Model(nn.Module, ABC):
    """A network together with its objective.

    The constructor's keyword arguments are plain JSON values, so that a checkpoint can carry them.
    Called on images (n, channels, height, width) in [0, 1], a model is an encoder: it returns the
    posterior's means and log-variances, each (n, latents), or codes alone if it has no posterior.
    """

    name: ClassVar[str]  # as on the command line and in checkpoints
    # Said, since log-variances that are positive everywhere could be anything; some are, early in training.
    outputs: ClassVar[dict[str, int]] = {"mean": 0, "logvar": 1}
    per_row: ClassVar[tuple[str, ...]] = ("noise",)  # draws with one entry for every image
    orders: ClassVar[tuple[str, ...]] = ()  # draws that shuffle the batch: permutations of its rows
    compares_images: ClassVar[bool] = False  # whether a term is not the mean of a term of each entry
    # Attributes that training refuses below 0, where a weight would reward what it is to penalise.
    not_negative: ClassVar[tuple[str, ...]] = ()

    # objective(images, **draws): the scalar terms of a batch; the loop minimises "loss" and logs them all.
    # Each model names the draws it takes, as each module does with the arguments of its forward.
    objective: Callable[..., dict[str, Tensor]]

    @abstractmethod
    def decode(self, latents: Tensor) -> Tensor:
        """Logits of the images (n, channels, height, width) of latents (n, latents)."""

    def decode_images(self, latents: Tensor) -> Tensor:
        """The images (n, channels, height, width) in [0, 1] of latents (n, latents)."""
        return self.decode(latents).sigmoid()

    def draw(self, step: int, batch_size: int, rng: Random) -> Draws:
        """All that :meth:`objective` needs besides the images: :meth:`noise` and :meth:`schedule`.

        A pure function of its arguments, so that a resumed run repeats it.
        """
        return {**self.noise(batch_size, rng), **self.schedule(step)}

    def noise(self, batch_size: int, rng: Random) -> Draws:
        """What :meth:`objective` needs that is random, drawn in the same way at every step.

        Only by the functions of `draws`, so that it can be drawn on the host and on a device.
        """
        return {}

    def schedule(self, step: int) -> Schedule:
        """What :meth:`objective` needs that depends on the step: weights, gates and masks.

        The same names and shapes at every step. A captured step reads these values from memory that
        is overwritten between steps.
        """
        return {}

    def variant(self, step: int) -> Hashable:
        """What decides at `step` which operations the objective consists of, beyond values and shapes.

        A captured step is captured anew where this changes. Most models are the same at every step.
        """
        return None

    def rows(self, dataset: ImageDataset, batch_size: int, rng: Random) -> Array:
        """The rows of `dataset` that make a batch: uniformly at random, with replacement."""
        return integers(rng, len(dataset), batch_size)

    def share(
        self, rows: Array, draws: Draws, batch_size: int, share: int, shares: int
    ) -> tuple[Array, Draws]:
        """The rows and draws of one of `shares` equal parts of a batch; `share` counts from 0.

        A batch of `batch_size` may have several images for each entry, in blocks one behind the
        other. Terms that compare the images of a batch (`compares_images`) are computed within each share.
        """
        if shares == 1:
            return rows, draws
        size = batch_size // shares
        part = slice(share * size, (share + 1) * size)

        def of_each_block(values: Array) -> Array:
            blocks = values.reshape(-1, batch_size, *values.shape[1:])[:, part]
            return blocks.reshape(-1, *values.shape[1:])

        own = {name: of_each_block(value) if name in self.per_row else value for name, value in draws.items()}
        # The ranks of part of a random permutation are a random permutation of the part.
        own |= {name: draws[name][part].argsort(0).argsort(0) for name in self.orders}
        return of_each_block(rows), own

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """What Adam optimises, and how: groups as PyTorch takes them, each with its learning rate."""
        return [{"params": list(self.parameters()), "lr": learning_rate}]

    def enter(self, step: int) -> None:
        """Set the model's buffers to what they must be at the step of this number.

        It is called before the first step that is taken and before every milestone.
        What it does twice must equal what it does once: a resumed run enters its first step again.
        """

    def milestones(self) -> list[int]:
        """Steps before which the weights are kept in a file of their own, and :meth:`enter` is called."""
        return []

    def unreached(self, steps: int) -> str:
        """What its schedule does not come to in so many steps, and what to do; empty if it comes to all."""
        late = [step for step in self.milestones() if step >= steps]
        if not late:
            return ""
        return (
            f"the stage of {self.name} that begins at step {late[0]} is never trained, since training ends "
            f"after {steps} steps; take more steps, or let it begin earlier"
        )
