"""Checkpoints as files for elsewhere: an encoder in a single ONNX file, or the bare weights."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import torch

from disentangle_metrics import InputError
from disentangle_metrics.kit import install_line, write_whole
from reference_models.trained import checkpoints
from reference_models.trained.load import TrainedModel, load

PRECISIONS = {"float32": torch.float32, "float16": torch.float16}
OPSET = 17  # of 2022, so that old runtimes read it; nothing newer is needed


def export_safetensors(source: Path, target: Path, precision: str = "float32") -> None:
    """Write a checkpoint's weights, without what training needs to go on, and its description.

    Raises
    ------
    InputError
        If `source` is no checkpoint, or the precision is not float32 or float16.
    """
    if precision not in PRECISIONS:
        raise InputError(f"precision is {precision!r}; accepted: {', '.join(PRECISIONS)}")
    checkpoints.export_weights(source, target, {}, PRECISIONS[precision])


def export_onnx(source: Path, target: Path) -> None:
    """Write a checkpoint's encoder as one ONNX file, which needs neither PyTorch nor this package.

    Its input is ``images``, float32 (n, channels, height, width) in [0, 1] with n free; its outputs
    are ``mean`` and ``logvar``, float32 (n, latents), or ``mean`` alone if the encoder is
    deterministic. The checkpoint's description is in the model's metadata.

    Raises
    ------
    InputError
        If `source` is no checkpoint, or the package onnx is not installed.
    """
    onnx = _import_onnx()
    trained = load(source)
    model = onnx.load_model_from_string(_traced(trained))
    description = checkpoints.read_description(source)
    model.doc_string = f"Encoder of {trained.label}, trained on {trained.dataset}"
    onnx.helper.set_model_props(model, {checkpoints.METADATA_KEY: json.dumps(description)})
    onnx.checker.check_model(model, full_check=True)
    write_whole(target, model.SerializeToString())


def _traced(trained: TrainedModel) -> bytes:
    """The encoder as ONNX."""
    images = torch.zeros(2, *trained.image_shape)
    with torch.no_grad():
        deterministic = isinstance(trained.model(images), torch.Tensor)
    outputs = ["mean"] if deterministic else ["mean", "logvar"]
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        # The exporter by tracing is the older one. The newer needs two packages more and twenty times
        # as long for the same graph; our encoders have no control flow for it to follow.
        warnings.simplefilter("ignore", DeprecationWarning)
        written = Path(folder) / "encoder.onnx"
        torch.onnx.export(
            trained.model,
            (images,),
            written,
            input_names=["images"],
            output_names=outputs,
            dynamic_axes={name: {0: "n"} for name in ["images", *outputs]},
            opset_version=OPSET,
            dynamo=False,
        )
        return written.read_bytes()


def _import_onnx() -> ModuleType:
    try:
        import onnx
    except ModuleNotFoundError:
        raise InputError(
            "writing ONNX needs the package onnx, which is not installed; install it with: "
            f"{install_line('onnx')}"
        ) from None
    return onnx
