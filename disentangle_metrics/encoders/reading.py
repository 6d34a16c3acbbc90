"""Any encoder as a function from batches to posteriors, while it is used."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from disentangle_metrics.encoders.encoder import CallableEncoder, Encoder, evaluation_mode
from disentangle_metrics.encoders.input_scale import InputScale
from disentangle_metrics.encoders.outputs import Outputs, Posterior
from disentangle_metrics.errors import InputError

ReadBatch = Callable[[Any], Posterior]
AS_IT_IS = InputScale("0..1")


def as_encoder(encoder: Any, encode_with: str | None, outputs: Outputs | None) -> Any:
    """The encoder with a choice of its part that encodes and of its outputs; as it is without a choice.

    Raises
    ------
    InputError
        If it has no such part, or was loaded with a choice of its own.
    """
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


def described(encoder: Any) -> Any:
    """The record of a model file, or the best name that a callable has."""
    if isinstance(encoder, Encoder) and encoder.source is not None:
        return {**encoder.source.to_dict(), "device": encoder.device}
    if isinstance(encoder, Encoder | CallableEncoder):
        encoder = encoder.network if isinstance(encoder, Encoder) else encoder.encode
    kind = type(encoder)
    return getattr(encoder, "__qualname__", f"{kind.__module__}.{kind.__qualname__}")


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
        with evaluation_mode(network) if trains else contextlib.nullcontext():
            if images:
                yield whole.posterior, lambda: whole.remarks, whole.in_scale(AS_IT_IS).posterior
            else:
                yield whole.posterior_of, lambda: whole.remarks, None
    elif callable(encoder) or isinstance(encoder, CallableEncoder):
        function = encoder if isinstance(encoder, CallableEncoder) else CallableEncoder(encoder)

        def read(inputs: Any) -> Posterior:
            return function.posterior_of(inputs if scale is None else scale(inputs))

        owner: Any = getattr(function.encode, "__self__", None)  # of a method, such as network.encode
        trains = torch is not None and isinstance(owner, torch.nn.Module)
        with evaluation_mode(owner) if trains else contextlib.nullcontext():
            yield read, lambda: function.remarks, None
    else:
        raise InputError(
            f"`encoder` must be callable, got {type(encoder).__name__}; "
            f"for a model file pass `dm.load_encoder(path)`"
        )
