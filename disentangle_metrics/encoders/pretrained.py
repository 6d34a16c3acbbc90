"""Folders that ``save_pretrained`` writes: config.json beside model.safetensors. None of their code runs.

With `model_code` the folder gives arguments and weights. Without, it is a model of Transformers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from disentangle_metrics.encoders.image_steps import ImageSteps
from disentangle_metrics.errors import ModelFileError
from disentangle_metrics.kit.installing import install_line

if TYPE_CHECKING:
    import torch

CONFIG, WEIGHTS, SHARDS = "config.json", "model.safetensors", "model.safetensors.index.json"
PREPROCESSOR = "preprocessor_config.json"
OWN_CODE = "give `model_code='package.module:Class'` to build the network from your own code"


def is_pretrained(path: Path) -> bool:
    """Whether it is a folder with a description and safe weights."""
    try:
        return (path / CONFIG).is_file() and any((path / name).is_file() for name in (WEIGHTS, SHARDS))
    except OSError:  # no path
        return False


def arguments_in(folder: Path) -> dict[str, Any]:
    """What the class of the network was called with, by config.json; of a model of Transformers nothing.

    Raises
    ------
    ModelFileError
        If the file is damaged.
    """
    config = _json(folder / CONFIG)
    if "model_type" in config:
        return {}
    return {name: value for name, value in config.items() if not name.startswith("_")}


def load_pretrained(folder: Path) -> tuple[torch.nn.Module, str, tuple[str, ...]]:
    """The network of a folder of Transformers, its class, and what to know of it. Nothing is downloaded.

    Raises
    ------
    ModelFileError
        If Transformers is missing or does not know such a model, weights are missing, or it reads no images.
    """
    config = _json(folder / CONFIG)
    if "model_type" not in config:
        raise ModelFileError(f"{folder / CONFIG} names no model of Transformers; {OWN_CODE}")
    try:
        from transformers import AutoModel
    except ModuleNotFoundError as error:
        if error.name != "transformers":
            raise
        raise ModelFileError(
            f"{folder} is a model of Transformers, and loading it needs the package transformers; install it "
            f"with: {install_line('transformers')}"
        ) from None
    try:
        network, found = AutoModel.from_pretrained(
            folder,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        reason = str(error).strip().partition("\n")[0]
        own = "; code in the folder is not run" if "auto_map" in config else ""
        raise ModelFileError(
            f"Transformers cannot load {folder} ({config['model_type']}): {reason}{own}; {OWN_CODE}"
        ) from error
    if network.main_input_name != "pixel_values":
        raise ModelFileError(
            f"{folder} reads {network.main_input_name} and no images; encode the data yourself and score the "
            "latents with `dm.score`"
        )
    missing = sorted(found["missing_keys"])
    pooled = not any(name.startswith("pooler.") for name in missing)
    if others := [name for name in missing if not name.startswith("pooler.")]:
        raise ModelFileError(f"{folder} has no weights {', '.join(others[:3])} of its network")
    steps = ImageSteps.of(_json(folder / PREPROCESSOR) if (folder / PREPROCESSOR).is_file() else {})
    channels = int(getattr(network.config, "num_channels", 3) or 3)
    whole = _of_images(network.float(), steps, channels, pooled)
    return whole, type(network).__name__, steps.remarks(PREPROCESSOR)


def _of_images(network: torch.nn.Module, steps: ImageSteps, channels: int, pooled: bool) -> torch.nn.Module:
    """The network as one of images in [0, 1], prepared by these steps."""
    import torch

    class OfImages(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
            if images.shape[1] == 1 and channels > 1:
                images = images.expand(-1, channels, -1, -1)
            return _tables(self.network(pixel_values=steps(images)), pooled)

    return OfImages()


def _tables(output: Mapping[str, Any], pooled: bool) -> dict[str, torch.Tensor]:
    """The outputs by name, as tables where they can be."""
    found: dict[str, Any] = {}
    for name, value in output.items():
        if not hasattr(value, "ndim") or (name == "pooler_output" and not pooled):
            continue
        found[name] = value.flatten(1) if value.ndim == 4 and tuple(value.shape[2:]) == (1, 1) else value
    if "pooler_output" in found:  # a map of one pixel is no second code
        found.pop("last_hidden_state", None)
    return found


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise ModelFileError(f"{path} is damaged ({error})") from error
    if not isinstance(content, dict):
        raise ModelFileError(f"{path} must hold an object, found a {type(content).__name__}")
    return content
