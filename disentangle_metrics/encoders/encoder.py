"""A network as a callable from images to latents, with a record of the file it came from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from disentangle_metrics.encoders.onnx_network import OnnxNetwork
from disentangle_metrics.encoders.outputs import Array, posterior_arrays
from disentangle_metrics.errors import InputError
from disentangle_metrics.kit.precision import full_float32

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class ModelSource:
    """Where an encoder came from; enough to find the same file again."""

    path: str
    kind: str
    sha256: str
    torch_version: str | None = None
    architecture: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    model_code: str | None = None
    onnxruntime_version: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The record as plain values for JSON."""
        return asdict(self)


class Encoder:
    """A network in evaluation mode, called with images and answering with NumPy arrays.

    Parameters
    ----------
    network : torch.nn.Module
        Its forward takes a float batch (n, channels, height, width) in [0, 1] and returns means
        (n, n_latents) or a pair (mean, logvar). :func:`load_encoder` makes it an ``OnnxNetwork``
        for an ONNX file, which needs no PyTorch.
    source : ModelSource, optional
        The record of the file it came from.
    """

    def __init__(self, network: torch.nn.Module | OnnxNetwork, source: ModelSource | None = None) -> None:
        self.network = network
        self.source = source

    @property
    def device(self) -> str:
        """The device that the network's parameters are on."""
        if isinstance(self.network, OnnxNetwork):
            return self.network.device
        return str(_home(self.network)[0])

    def __call__(self, images: ArrayLike | torch.Tensor) -> Array | tuple[Array, Array]:
        """Encode one batch.

        Parameters
        ----------
        images : array or tensor (n, channels, height, width), float32 in [0, 1]

        Returns
        -------
        ndarray (n, n_latents), or a pair (mean, logvar) of them

        Raises
        ------
        InputError
            If the network cannot take such images, or returns something else.
        """
        if len(shape := np.shape(images)) != 4:
            raise InputError(f"images must have the shape (n, channels, height, width), found {tuple(shape)}")
        if isinstance(self.network, OnnxNetwork):
            output = self.network(_as_numpy(images))
        else:
            output = _run(self.network, images)
        mean, logvar = posterior_arrays(output, shape[0])
        return mean if logvar is None else (mean, logvar)


def _as_numpy(images: ArrayLike | torch.Tensor) -> Array:
    """The images as a NumPy array, from any device."""
    detached: Any = images.detach().cpu() if hasattr(images, "detach") else images
    return np.asarray(detached, np.float32)


def _run(network: torch.nn.Module, images: ArrayLike | torch.Tensor) -> Any:
    """What a PyTorch network returns for `images`, on its own device and in its own type of numbers.

    A float32 network computes in full float32, without TF32, on every device.
    """
    import torch

    device, dtype = _home(network)
    batch = images if isinstance(images, torch.Tensor) else torch.from_numpy(np.array(images, np.float32))
    try:
        with torch.no_grad(), full_float32(device.type):
            return network(batch.to(device=device, dtype=dtype))
    except (RuntimeError, ValueError, TypeError, AssertionError) as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise InputError(
                f"the {device} has not enough memory for a batch of {len(batch)} images; use a "
                f"smaller batch_size (--batch-size)"
            ) from error
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"the network cannot encode a batch of shape {tuple(batch.shape)} (images, channels, "
            f"height, width): {type(error).__name__}: {reason}; it may expect images of another size "
            "(pool=2 of load_dataset, or --data-options pool=2, halves them) or number of channels"
        ) from error


def _home(network: torch.nn.Module) -> tuple[torch.device, torch.dtype]:
    """The device and precision of the first parameter (or buffer) with real numbers."""
    import torch

    for tensors in (network.parameters(), network.buffers()):
        for tensor in tensors:
            if tensor.is_floating_point():
                return tensor.device, tensor.dtype
    return torch.device("cpu"), torch.float32


@contextmanager
def evaluation_mode(network: torch.nn.Module) -> Iterator[None]:
    """Dropout and batch statistics off inside the block; each part's own mode restored afterwards."""
    modes = [(part, part.training) for part in network.modules()]
    try:
        for part, _ in modes:
            part.training = False
        yield
    finally:
        for part, mode in modes:
            part.training = mode
