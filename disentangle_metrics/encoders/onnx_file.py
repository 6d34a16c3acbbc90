"""An ONNX file becomes a network that onnxruntime runs, if all of it stands in the file itself.

An ONNX graph cannot hold Python, but it can name other files to read its weights from, and
operators from libraries outside the standard. The file is therefore parsed first, and only one
that does neither is handed to the runtime, as the very bytes that were looked at. No operator
library is ever registered.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from disentangle_metrics.encoders.onnx_network import OnnxNetwork
from disentangle_metrics.encoders.sniffing import FileKind
from disentangle_metrics.encoders.weights import damaged
from disentangle_metrics.errors import InputError, ModelFileError

STANDARD_DOMAINS = ("", "ai.onnx", "ai.onnx.ml")


def load_onnx(path: Path, content: bytes, device: str) -> OnnxNetwork:
    """The network in an ONNX file.

    Parameters
    ----------
    path : Path
        The file's name, for messages.
    content : bytes
        All of the file.
    device : str
        ``"auto"`` and ``"cpu"``: the CPU; ``"cuda"`` or ``"cuda:N"``: a GPU.

    Raises
    ------
    ModelFileError
        If the file is damaged, needs other files or operators outside the ONNX standard, or is no
        encoder of images; or a package is missing.
    InputError
        If the device cannot be used.
    """
    onnx, onnxruntime = import_onnx(path)
    provider = _provider(onnxruntime, device)
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except Exception as error:  # protobuf has several implementations, each with its own exception
        raise damaged(path, FileKind.ONNX, error) from error
    _check_self_contained(path, model)

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # the runtime's remarks would stand beside our one line
    try:
        session = onnxruntime.InferenceSession(content, options, providers=[provider])
    except Exception as error:  # a class of its own for each way in which a graph can be wrong
        reason = " ".join(str(error).split())
        raise ModelFileError(
            f"{path} is an ONNX model that onnxruntime cannot run ({reason[:200]})"
        ) from error
    if provider[0] not in session.get_providers():  # the runtime falls back without an error
        raise InputError(
            f"device {device!r} cannot be used: onnxruntime could not start CUDA; accepted: auto, cpu"
        )
    return OnnxNetwork(path, session, "cpu" if device == "auto" else device)


def import_onnx(path: Path) -> tuple[ModuleType, ModuleType]:
    """The modules onnx and onnxruntime; raises ModelFileError if one is missing."""
    try:
        import onnx
        import onnxruntime
    except ModuleNotFoundError as error:
        if error.name not in ("onnx", "onnxruntime"):
            raise
        raise ModelFileError(
            f"{path} is an ONNX model, and running it needs the package {error.name}; "
            'install it with: pip install "disentangle-metrics[onnx]"'
        ) from None
    return onnx, onnxruntime


def _provider(onnxruntime: ModuleType, device: str) -> tuple[str, dict[str, Any]]:
    """What onnxruntime calls the device, and its options."""
    if device in ("auto", "cpu"):
        return "CPUExecutionProvider", {}
    name, _, number = device.partition(":")
    if name != "cuda" or (number and not number.isdecimal()):
        raise InputError(
            f"device {device!r} cannot be used for an ONNX model; accepted: auto, cpu, cuda, cuda:N"
        )
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        raise InputError(
            f"device {device!r} cannot be used: this onnxruntime has no CUDA (the package onnxruntime-gpu "
            "does); accepted: auto, cpu"
        )
    return "CUDAExecutionProvider", {"device_id": int(number or 0)}


def _check_self_contained(path: Path, model: Any) -> None:
    """Raise ModelFileError if any part of the model, however deep, reaches outside the file."""
    own = {function.domain for function in model.functions}  # made of nodes that are looked at as well
    for part in _parts(model):
        kind = type(part).__name__
        if kind == "TensorProto" and (part.data_location == part.EXTERNAL or part.external_data):
            raise ModelFileError(
                f"{path} keeps weights in another file (tensor {part.name!r}), and files named by a model "
                "are not opened; save the model as a single file (in onnx: onnx.save(onnx.load(path), new))"
            )
        if kind == "NodeProto" and part.domain not in {*STANDARD_DOMAINS, *own}:
            raise ModelFileError(
                f"{path} uses the operator {part.op_type} of {part.domain!r}, which is not part of the ONNX "
                "standard; export the model with standard operators only"
            )


def _parts(message: Any) -> Iterator[Any]:
    """The message and every message inside it."""
    yield message
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for part in [value] if hasattr(value, "ListFields") else value:
                yield from _parts(part)
