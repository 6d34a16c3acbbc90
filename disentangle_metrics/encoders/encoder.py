"""A network as a callable from images to latents, with a record of the file it came from."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from disentangle_metrics.encoders.input_scale import InputScale, input_scale
from disentangle_metrics.encoders.kept_batch import row_count
from disentangle_metrics.encoders.onnx_network import OnnxNetwork
from disentangle_metrics.encoders.output_reader import OutputReader
from disentangle_metrics.encoders.outputs import Array, Outputs, Posterior, has_code
from disentangle_metrics.encoders.part_within import PartWithin
from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.arrays import shape_of
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
    other_files: dict[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The record as plain values for JSON."""
        return asdict(self)


class CallableEncoder:
    """A function from inputs to latents of any framework, with a choice of its outputs."""

    def __init__(self, encode: Callable[[Any], Any], outputs: Outputs | None = None) -> None:
        self.encode, self.reader = encode, OutputReader(outputs, by_contract=True)
        self.outputs = self.reader.outputs  # as asked for, before the reader chooses

    @property
    def remarks(self) -> tuple[str, ...]:
        """What to know of its codes, such as that they are drawn; known after the first batch."""
        return tuple(self.reader.remarks)

    def posterior_of(self, inputs: Any) -> Posterior:
        """Encode one batch, whose rows are the samples."""
        return self.reader.read(self.encode, inputs)


class Encoder:
    """A network in evaluation mode, called with images and answering with NumPy arrays.

    Parameters
    ----------
    network : torch.nn.Module
        Its forward takes a float batch (n, channels, height, width) in [0, 1]. It returns means
        (n, n_latents), a pair (mean, logvar), or several outputs among which names or shapes tell
        which is which. If forward returns reconstructions alone, its method ``encode`` is called
        instead. :func:`load_encoder` makes it an ``OnnxNetwork`` for an ONNX file, which needs no
        PyTorch.
    source : ModelSource, optional
        The record of the file it came from.
    outputs : mapping, optional
        Which output is which: from "mean", and "logvar", "logstd", "std" or "var", to the name of an
        output or its place from 0.
    encode_with : str, optional
        The method or part of the network that encodes, such as ``"encode"`` or ``"encoder"``.
    scale : optional
        The range in which the network expects its images, if it is not [0, 1]; see :func:`load_encoder`.

    Raises
    ------
    InputError
        If the network has no such part, or `outputs` or `scale` cannot be used.
    """

    def __init__(
        self,
        network: torch.nn.Module | OnnxNetwork,
        source: ModelSource | None = None,
        *,
        outputs: Outputs | None = None,
        encode_with: str | None = None,
        scale: Any = None,
    ) -> None:
        self.scale: InputScale | None = input_scale(scale)
        self.network = network
        self.source = source
        self.encode_with = encode_with
        # A registered architecture returns (mean, logvar) by its contract, whatever the numbers look like.
        registered = source is not None and source.architecture is not None
        self.reader = OutputReader(outputs, by_contract=registered)
        self.outputs = self.reader.outputs  # as asked for, before the reader chooses
        self._call = network if encode_with is None else _part(network, encode_with)

    @property
    def device(self) -> str:
        """The device that the network's parameters are on."""
        if isinstance(self.network, OnnxNetwork):
            return self.network.device
        return str(_home(self.network)[0])

    @property
    def remarks(self) -> tuple[str, ...]:
        """What to know of its codes, such as that they are drawn; known after the first batch."""
        return tuple(self.reader.remarks)

    @property
    def decodes(self) -> bool:
        """Whether the network can make images of latents: it has a method ``decode_images``."""
        return hasattr(self.network, "decode_images")

    def decode(self, latents: ArrayLike) -> NDArray[np.uint8]:
        """The images that the network makes of latents.

        Parameters
        ----------
        latents : array (n, n_latents)

        Returns
        -------
        ndarray (n, height, width, channels), uint8
            From the network's ``decode_images``, which gives images (n, channels, height, width) in [0, 1].

        Raises
        ------
        InputError
            If the network has no decoder.
        """
        import torch

        if isinstance(self.network, OnnxNetwork) or not self.decodes:
            raise InputError("this encoder has no decoder: its network has no method decode_images")
        device, dtype = _home(self.network)
        codes = torch.from_numpy(np.array(latents, np.float32)).to(device=device, dtype=dtype)
        decode_images: Any = self.network.decode_images
        with evaluation_mode(self.network), torch.no_grad(), full_float32(device.type):
            images = decode_images(codes).float().clamp(0, 1)
        pixels: NDArray[np.uint8] = (images * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        return pixels

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
            If the network cannot take such images, or which of its outputs are its code cannot be told.
        """
        shape = tuple(np.shape(images))
        if len(shape) == 4 and shape[1] not in (1, 3) and shape[3] in (1, 3):
            raise InputError(
                f"images must have the shape (n, channels, height, width), found {shape}, which has "
                "the channels last; `dataset.network_input(rows)` gives those of a data set so"
            )
        posterior = self.posterior(images)
        return posterior.mean if posterior.logvar is None else (posterior.mean, posterior.logvar)

    def posterior(self, images: ArrayLike | torch.Tensor) -> Posterior:
        """Encode one batch; like calling it, with the name of the output that the means are."""
        if len(shape := np.shape(images)) != 4:
            raise InputError(f"images must have the shape (n, channels, height, width), found {tuple(shape)}")
        return self.posterior_of(images if self.scale is None else self.scale(images))

    def posterior_of(self, inputs: Any) -> Posterior:
        """Encode one batch of whatever the network takes, images or not; its rows are the samples."""
        return self.reader.read(self._run, inputs)

    def in_scale(self, scale: InputScale) -> Encoder:
        """The same network for images that are to be brought into this range."""
        other = copy(self)
        other.scale = scale
        return other

    def _run(self, images: Any) -> Any:
        if isinstance(self.network, OnnxNetwork):
            return self.network(_as_numpy(images))
        own = next((name for name in OWN if callable(_at(self.network, name))), None)
        if self.encode_with is not None or own is None:
            return _run(self.network, self._call, images)
        try:
            output = _run(self.network, self._call, images)
        except InputError as error:
            if not isinstance(error.__cause__, TypeError) and _has_forward(self.network):
                raise
            output = None  # forward takes more than images, or there is none
        shape = shape_of(images)
        pixels = int(np.prod(shape[1:])) if shape else 0
        if output is None or not has_code(output, row_count(images), pixels):
            self.encode_with, self._call = own, _part(self.network, own)
            called = f"{own}()" if own.endswith("encode") else f"part {own!r}"
            self.reader.remarks.append(
                f"the codes are those of the network's {called}, since its forward() returns none"
            )
            return _run(self.network, self._call, images)
        return output


# What is called where forward() returns no code. DataParallel and averaged copies hold a network as `module`.
OWN = ("encode", "encoder", "module.encode", "module.encoder")


def _at(network: Any, name: str) -> Any:
    """What is called `name` in the network, through points; None if nothing is."""
    for step in name.split("."):
        network = getattr(network, step, None)
    return network


def _part(network: Any, name: str) -> Callable[[Any], Any]:
    """The method or part of the network called `name`, through points."""
    if isinstance(network, OnnxNetwork):
        raise InputError("encode_with is for PyTorch networks; an ONNX model has one way to be called")
    if not isinstance(name, str):
        raise InputError(f"`encode_with` must be the name of a method or part, got {type(name).__name__}")
    part = _at(network, name)
    if not callable(part):
        own = [key for key in (*OWN, *dict(network.named_children())) if callable(_at(network, key))]
        raise InputError(
            f"`encode_with={name!r}`: the network {type(network).__name__} has no such part; it has "
            f"{', '.join(dict.fromkeys(own)) or 'none'}"
        )
    found: Callable[[Any], Any] = part
    return PartWithin(network, part) if any(part is inner for inner in network.modules()) else found


def _as_numpy(images: ArrayLike | torch.Tensor) -> Array:
    """The images as a NumPy array, from any device."""
    detached: Any = images.detach().cpu() if hasattr(images, "detach") else images
    return np.asarray(detached, np.float32)


FAILURES = (RuntimeError, ValueError, TypeError, AssertionError, IndexError)
"""What a network raises of inputs that it cannot take."""
CHANNELS = re.compile("to have ([13]) channels, but got [13] channels")
"""What a convolution of PyTorch says of images with another number of channels."""
LEAST_POOLED = 64
"""The shorter side of images from which on a network may expect them at half their size."""


def _run(network: torch.nn.Module, call: Callable[..., Any], images: Any) -> Any:
    """What `call`, of a PyTorch network, returns for `images`, on its own device.

    Decimals and 8-bit images come in the network's own precision. So do other whole numbers and flags, where
    the network does not take them as they are.
    """
    import torch

    if isinstance(images, Mapping):
        return _run_by_name(network, call, images)
    device, dtype = _home(network)
    batch = _tensor(images)
    whole = not (batch.is_floating_point() or batch.dtype == torch.uint8)
    try:
        batch = batch.to(device=device)
        with torch.no_grad(), full_float32(device.type):
            if not whole:
                return call(batch.to(dtype=dtype))
            try:  # numbers of words, say, which another precision would round
                return call(batch)
            except FAILURES as error:
                with contextlib.suppress(*FAILURES):
                    return call(batch.to(dtype=dtype))
                raise error from None
    except FAILURES as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise InputError(
                f"the {device} has not enough memory for a batch of {len(batch)} inputs; use a "
                "smaller `batch_size`"
            ) from error
        if call is network and not _has_forward(network):
            parts = ", ".join(dict(network.named_children()))
            raise InputError(
                f"the network {type(network).__name__} has no forward(); choose the method or part that "
                f"encodes with `encode_with`; its parts are {parts}"
            ) from error
        reason = str(error).partition("\n")[0]
        of_images = (
            " (images, channels, height, width); it may expect another number of channels or images of "
            "another size"
        )
        if channels := CHANNELS.search(reason):
            of_images += (
                f"; pictures of a folder are read with {channels[1]} by "
                f"`dm.load_dataset(..., channels={channels[1]})`"
            )
        elif min(batch.shape[2:], default=0) >= LEAST_POOLED:
            of_images += " (`dm.load_dataset(..., pool=2)` halves them)"
        raise InputError(
            f"the network cannot encode a batch of shape {tuple(batch.shape)}"
            f"{of_images if batch.ndim == 4 else ''}: {type(error).__name__}: {reason}"
        ) from error


def _run_by_name(network: torch.nn.Module, call: Callable[..., Any], inputs: Mapping[str, Any]) -> Any:
    """What `call` returns for several inputs: as one dictionary; if it fails, each by its name."""
    import torch

    device, dtype = _home(network)
    batch = {name: _tensor(part).to(device) for name, part in inputs.items() if hasattr(part, "shape")}
    batch = {name: part.to(dtype) if part.is_floating_point() else part for name, part in batch.items()}
    with torch.no_grad(), full_float32(device.type):
        try:
            return call(batch)
        except (*FAILURES, AttributeError, KeyError):
            try:
                return call(**batch)
            except FAILURES as error:
                reason = f"{type(error).__name__}: {error}".partition("\n")[0]
                names = ", ".join(batch)
                raise InputError(f"the network cannot encode a batch of {names}: {reason}") from error


def _has_forward(network: Any) -> bool:
    """Whether a module can be called: PyTorch gives one that lacks forward() a function that says so."""
    return getattr(getattr(network, "forward", None), "__name__", "") != "_forward_unimplemented"


def _tensor(inputs: ArrayLike | torch.Tensor) -> torch.Tensor:
    """The inputs as a tensor: whole numbers and flags as they are, decimals and 8-bit images as float32."""
    import torch

    if isinstance(inputs, torch.Tensor):
        return inputs
    array = np.asarray(inputs)
    if array.dtype in (np.uint16, np.uint32):  # PyTorch can hardly compute with them
        return torch.from_numpy(array.astype(np.int64))
    whole = array.dtype.kind in "iub" and array.dtype != np.uint8
    return torch.from_numpy(np.array(array, array.dtype.newbyteorder("=") if whole else np.float32))


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
    modes = [(part, part.training) for part in network.modules() if hasattr(part, "training")]  # not frozen
    try:
        for part, _ in modes:
            part.training = False
        yield
    finally:
        for part, mode in modes:
            part.training = mode
