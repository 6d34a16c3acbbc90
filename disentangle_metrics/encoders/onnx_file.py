"""An ONNX file becomes a network that onnxruntime runs, with no file and no library it asks for.

An ONNX graph cannot hold Python, but it can name other files to read its weights from, and
operators from libraries outside the standard. The file is therefore parsed first. PyTorch's exporter
writes weights into a second file beside the model; such a file is read here, checked, and put into the
model. The runtime is handed bytes and opens nothing. No operator library is ever registered.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from disentangle_metrics.encoders.onnx_network import OnnxNetwork
from disentangle_metrics.encoders.sniffing import FileKind
from disentangle_metrics.encoders.torch_save import damaged
from disentangle_metrics.errors import InputError, ModelFileError
from disentangle_metrics.kit.installing import install_line
from disentangle_metrics.kit.limits import memory_advice

STANDARD_DOMAINS = ("", "ai.onnx", "ai.onnx.ml")


LARGEST_MODEL = 2**31 - 1  # bytes of one message of protobuf


def load_onnx(path: Path, content: bytes, device: str) -> tuple[OnnxNetwork, dict[str, str]]:
    """The network in an ONNX file, and the sha256 of each data file beside it that was read.

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
        If the file is damaged, needs files from elsewhere or operators outside the ONNX standard, or
        is no encoder of images; or a package is missing.
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
    _check_operators(path, model)
    data_files = _embed_data(path, model)
    if data_files:
        content = model.SerializeToString()

    onnxruntime.set_default_logger_severity(4)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # the runtime's remarks would stand beside our one line
    try:
        session = onnxruntime.InferenceSession(content, options, providers=[provider])
    except Exception as error:  # a class of its own for each way in which a graph can be wrong
        reason = " ".join(str(error).split())
        raise ModelFileError(
            f"{path} is an ONNX model that onnxruntime cannot run ({reason[:200]}){memory_advice(reason)}"
        ) from error
    if provider[0] not in session.get_providers():  # the runtime falls back without an error
        raise InputError(
            f"device {device!r} cannot be used: onnxruntime could not start CUDA; accepted: auto, cpu"
        )
    return OnnxNetwork(path, session, "cpu" if device == "auto" else device), data_files


def import_onnx(path: Path) -> tuple[ModuleType, ModuleType]:
    """The modules onnx and onnxruntime; raises ModelFileError if one is missing."""
    # Its telemetry writes an identifier into the user's cache as it is imported, and asks the network later.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnx
        import onnxruntime
    except ModuleNotFoundError as error:
        if error.name not in ("onnx", "onnxruntime"):
            raise
        raise ModelFileError(
            f"{path} is an ONNX model, and running it needs the package {error.name}; "
            f"install it with: {install_line('onnx')}"
        ) from None
    if hasattr(onnxruntime, "disable_telemetry_events"):  # where the user had imported it before
        onnxruntime.disable_telemetry_events()
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


def _check_operators(path: Path, model: Any) -> None:
    """Raise ModelFileError if any node, however deep, needs an operator library."""
    own = {function.domain for function in model.functions}  # made of nodes that are looked at as well
    for part in _parts(model):
        if type(part).__name__ == "NodeProto" and part.domain not in {*STANDARD_DOMAINS, *own}:
            raise ModelFileError(
                f"{path} uses the operator {part.op_type} of {part.domain!r}, which is not part of the ONNX "
                "standard; export the model with standard operators only"
            )


def _embed_data(path: Path, model: Any) -> dict[str, str]:
    """Put weights that stand in files beside the model into it; the answer is these files' sha256.

    Raises
    ------
    ModelFileError
        If a file is elsewhere or missing, or its size is not what the model says.
    """
    contents: dict[str, bytes] = {}
    total = 0
    for part in list(_parts(model)):
        if type(part).__name__ != "TensorProto":
            continue
        if part.data_location != part.EXTERNAL:
            if part.external_data:
                raise ModelFileError(
                    f"{path}: the tensor {part.name!r} is in two places; export the model again"
                )
            continue
        entries = {entry.key: entry.value for entry in part.external_data}
        name = entries.get("location", "")
        if name not in contents:
            contents[name] = _data_file(path, part.name, name).read_bytes()
        data = _slice(path, part, name, entries, contents[name])
        total += len(data)
        if total > LARGEST_MODEL:
            raise ModelFileError(
                f"{path} has more than 2 GiB of weights, which is not read; save it in float16"
            )
        part.ClearField("external_data")
        part.data_location = part.DEFAULT
        part.raw_data = data
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


def _data_file(path: Path, tensor: str, name: str) -> Path:
    """The file called `name` in the model's folder, and nowhere else."""
    plain = name and name not in (".", "..") and not set(name) & set("/\\\0:")
    file = path.parent / name if plain else path
    if not plain or file.is_symlink():
        raise ModelFileError(
            f"{path} keeps weights in another file ({name!r}, tensor {tensor!r}), and only plain "
            "files in the model's own folder are opened; save the model as a single file (in onnx: "
            "onnx.save(onnx.load(path), new))"
        )
    if not file.is_file():
        raise ModelFileError(
            f"{path} keeps weights in the file {name!r}, which is not beside it; copy it into {path.parent}"
        )
    return file


def _slice(path: Path, tensor: Any, name: str, entries: dict[str, str], content: bytes) -> bytes:
    """The bytes of one tensor; their number must be that of its shape and type."""
    from onnx import helper

    try:
        offset = int(entries.get("offset", 0))
        bits = helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize * 8
        size = math.prod(tensor.dims) * bits // 8
        length = int(entries.get("length", size))
    except (ValueError, TypeError, KeyError) as error:
        raise ModelFileError(f"{path}: the tensor {tensor.name!r} is described wrongly ({error})") from error
    if min(offset, size) < 0 or length != size or offset + length > len(content):
        raise ModelFileError(
            f"{path}: the tensor {tensor.name!r} needs {size:,} bytes from {offset:,} of {name!r}, which has "
            f"{len(content):,}; the two files do not belong together, or one is truncated"
        )
    return content[offset : offset + length]


def _parts(message: Any) -> Iterator[Any]:
    """The message and every message inside it."""
    yield message
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for part in [value] if hasattr(value, "ListFields") else value:
                yield from _parts(part)
