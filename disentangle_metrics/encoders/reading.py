"""Any encoder as a function from batches to posteriors, while it is used."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from disentangle_metrics.encoders.encoder import FAILURES, CallableEncoder, Encoder, evaluation_mode
from disentangle_metrics.encoders.input_scale import InputScale
from disentangle_metrics.encoders.kept_batch import copied
from disentangle_metrics.encoders.outputs import Outputs, Posterior
from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.arrays import shape_of
from disentangle_metrics.kit import network_input
from disentangle_metrics.kit.precision import full_float32

ReadBatch = Callable[[Any], Posterior]
AS_IT_IS = InputScale("0..1")
TAKES_NONE = (*FAILURES, AttributeError)  # what a function raises that takes no arrays, or no tensors


def as_encoder(encoder: Any, encode_with: str | None, outputs: Outputs | None) -> Any:
    """The encoder with a choice of its part that encodes and of its outputs; as it is without a choice.

    Raises
    ------
    InputError
        If it has no such part, was loaded with a choice of its own, or is a class.
    """
    if isinstance(encoder, type):
        name = encoder.__name__
        raise InputError(f"`encoder` is the class {name}; pass a network of it, as in `{name}(...)`")
    if encode_with is None and outputs is None:
        return encoder
    if isinstance(encoder, (Encoder, CallableEncoder)):
        raise InputError("this encoder is loaded already: give `encode_with` and `outputs` to load_encoder()")
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(encoder, torch.nn.Module):
        return Encoder(encoder, encode_with=encode_with, outputs=outputs)
    if encode_with is not None:
        raise InputError(
            f"`encode_with={encode_with!r}` is for PyTorch networks, got {type(encoder).__name__}; pass the "
            f"method itself, such as model.{encode_with}"
        )
    return CallableEncoder(encoder, outputs) if callable(encoder) else encoder


def choices_of(encoder: Any) -> dict[str, Any]:
    """The `encode_with` and the `outputs` of an encoder, as far as they are chosen."""
    if not isinstance(encoder, Encoder | CallableEncoder):
        return {}
    chosen = {"encode_with": getattr(encoder, "encode_with", None), "outputs": encoder.outputs}
    return {name: choice for name, choice in chosen.items() if choice is not None}


def described(encoder: Any) -> Any:
    """The record of a model file, or the best name that a callable has."""
    if isinstance(encoder, Encoder) and encoder.source is not None:
        return {**encoder.source.to_dict(), "device": encoder.device}
    if isinstance(encoder, Encoder | CallableEncoder):
        encoder = encoder.network if isinstance(encoder, Encoder) else encoder.encode
    kind = type(encoder)
    return getattr(encoder, "__qualname__", f"{kind.__module__}.{kind.__qualname__}")


def inputs_of(dataset: Any, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Images of a data set as (n, channels, height, width) in [0, 1], with all bits that it has."""
    own = getattr(dataset, "network_input", None)  # not every object that stands for a data set has it
    read: NDArray[np.float32] = network_input(dataset.images(rows)) if own is None else own(rows)
    return read


def decoder_of(encoder: Any) -> Callable[[ArrayLike], NDArray[np.uint8]] | None:
    """The function from latents to images (n, height, width, channels) of an encoder; None if it has none."""
    network = getattr(encoder, "__self__", encoder)  # of a method, such as network.encode
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(network, torch.nn.Module):
        encoder = Encoder(network)
    return encoder.decode if getattr(encoder, "decodes", False) else None


@contextlib.contextmanager
def reading(
    encoder: Any, scale: InputScale | None = None, *, images: bool
) -> Iterator[tuple[ReadBatch, Callable[[], Iterable[str]], ReadBatch | None]]:
    """From batches to posteriors; what to know of them afterwards; and from images in any range, of networks.

    A network stands in evaluation mode meanwhile. Inputs other than `images` have any shape and no scale.

    Raises
    ------
    InputError
        If the encoder cannot be called.
    """
    torch = sys.modules.get("torch")  # whoever has a network has imported it
    network: Any = encoder.network if isinstance(encoder, Encoder) else encoder
    if isinstance(encoder, Encoder) or (torch is not None and isinstance(network, torch.nn.Module)):
        whole = encoder if isinstance(encoder, Encoder) else Encoder(network)
        whole = whole if scale is None else whole.in_scale(scale)
        trains = torch is not None and isinstance(network, torch.nn.Module)
        mode = evaluation_mode(network) if trains else contextlib.nullcontext()
        with mode, whole.reader.one_data_set():
            if images:
                yield whole.posterior, whole.reader.conclude, whole.in_scale(AS_IT_IS).posterior
            else:
                yield (*_of_a_loader(whole), None)
    elif callable(encoder) or isinstance(encoder, CallableEncoder):
        function = encoder if isinstance(encoder, CallableEncoder) else CallableEncoder(encoder)

        owner: Any = getattr(function.encode, "__self__", None)  # of a method, such as network.encode
        trains = torch is not None and isinstance(owner, torch.nn.Module)
        either = _Function(function, owner if trains else None, takes_arrays=images)

        def read(inputs: Any) -> Posterior:
            return either.posterior_of(inputs if scale is None else scale(inputs))

        with evaluation_mode(owner) if trains else contextlib.nullcontext(), either.one_data_set():
            yield read, either.conclude, either.unscaled if trains and images else None
    else:
        path = repr(str(encoder)) if isinstance(encoder, str | os.PathLike) else "path"
        fix = f"for a model file pass `dm.load_encoder({path})`"
        if hasattr(encoder, "transform"):  # scikit-learn's
            fix = "pass `lambda images: encoder.transform(images.reshape(len(images), -1))`"
        elif hasattr(encoder, "encode") and not isinstance(encoder, str):
            fix = "pass its method, `encoder.encode`"
        raise InputError(f"`encoder` must be callable, got {type(encoder).__name__}; {fix}")


IN_8_BITS = (
    "the batches hold 8-bit images, and the network gets them in 0..255; if it expects them in 0..1, divide "
    "them by 255 where they are read"
)


def _of_a_loader(network: Encoder) -> tuple[ReadBatch, Callable[[], Iterable[str]]]:
    """From what a loader gives to posteriors, and what to know of them: 8-bit images come as they are."""
    told: list[str] = []

    def read(inputs: Any) -> Posterior:
        shape, kind = shape_of(inputs), str(getattr(inputs, "dtype", ""))
        if not told and len(shape) == 4 and all(shape) and kind.endswith("uint8") and inputs.max() > 1:
            told.append(IN_8_BITS)
        return network.posterior_of(inputs)

    return read, lambda: (*network.reader.conclude(), *told)


class _Function:
    """A function that encodes, called with PyTorch tensors if it fails with arrays. The first batch decides.

    A method of a network, its `owner`, is then read as :class:`Encoder` reads it.
    """

    def __init__(self, function: CallableEncoder, owner: Any, takes_arrays: bool) -> None:
        self._by: CallableEncoder | Encoder = function
        self._with_tensors: CallableEncoder | Encoder | None = None
        name, outputs = getattr(function.encode, "__name__", ""), function.reader.outputs
        if owner is not None and getattr(owner, name, None) == function.encode:
            self._with_tensors = Encoder(owner, outputs=outputs, encode_with=name) if takes_arrays else None
        elif takes_arrays and "torch" in sys.modules:
            self._with_tensors = CallableEncoder(_on_tensors(function.encode), outputs)

    @contextlib.contextmanager
    def one_data_set(self) -> Iterator[None]:
        """As of :class:`.output_reader.OutputReader`."""
        network = self._with_tensors or self._by
        with self._by.reader.one_data_set(), network.reader.one_data_set():
            yield

    def conclude(self) -> tuple[str, ...]:
        """As of :class:`.output_reader.OutputReader`."""
        return self._by.reader.conclude()

    def posterior_of(self, inputs: Any) -> Posterior:
        """Encode one batch."""
        other, self._with_tensors = self._with_tensors, None
        if other is None:
            return self._by.posterior_of(inputs)
        try:
            return self._by.posterior_of(copied(inputs))
        except InputError:
            raise
        except TAKES_NONE as error:
            failed = error
        try:
            found = other.posterior_of(inputs)
        except InputError:
            raise
        except TAKES_NONE as error:
            failed.add_note(
                f"`encoder` was called with a float32 NumPy array {inputs.shape}. With a PyTorch tensor of "
                f"it, on the CPU, it failed too: {type(error).__name__}: {error}"
            )
            raise failed from None
        self._by = other
        return found

    def unscaled(self, images: Any) -> Posterior:
        """Encode images in any range, by a method that takes tensors.

        Raises
        ------
        InputError
            If it takes arrays: it may bring them into its range itself.
        """
        if isinstance(self._by, CallableEncoder):
            raise InputError("a function brings images into its range itself")
        return self._by.posterior_of(images)


def _on_tensors(encode: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function, called with tensors on the CPU, without gradients and in full float32."""
    import torch

    def encode_tensors(images: NDArray[np.float32]) -> Any:
        with torch.no_grad(), full_float32("cuda" if torch.cuda.is_available() else "cpu"):
            return encode(torch.from_numpy(images))

    return encode_tensors
