"""Checkpoints: one safetensors file each, with a JSON description inside it and, to read, beside it.

Tensors are named ``model.<name in the state_dict>``, and in a checkpoint that training can go on
from also ``optimizer.<parameter>.<state>``, ``random.<generator>`` and, where losses are scaled,
``scaler.<value>``. The description is the value of the file's metadata key ``disentangle_metrics``.
Where it and the readable copy differ, the one inside the file rules.
"""

from __future__ import annotations

import contextlib
import json
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from torch import Tensor

from disentangle_metrics import InputError
from disentangle_metrics.kit import write_whole
from reference_models.models.parts.model import Model

FORMAT = 1
METADATA_KEY = "disentangle_metrics"
FIELDS: Mapping[str, type] = {"architecture": str, "arguments": dict, "dataset": str, "step": int}


def write(path: Path, tensors: Mapping[str, Tensor], description: Mapping[str, Any]) -> None:
    """Write a checkpoint and its readable description, each whole or not at all.

    A reader, and a run that was killed here, finds either the old file or the new one.
    """
    text = json.dumps({"format": FORMAT, **description}, indent=2)
    flat = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_whole(path, serialise(flat, metadata={METADATA_KEY: text}))
    write_whole(path.with_suffix(".json"), text + "\n")


def read_description(path: Path) -> dict[str, Any]:
    """The description inside a checkpoint.

    Raises
    ------
    InputError
        If the file is missing, damaged, or not one of this package's checkpoints.
    """
    with opened(path) as file:
        metadata = file.metadata() or {}
    if METADATA_KEY not in metadata:
        raise InputError(f"{path} is not a checkpoint of this package: it has no description of its model")
    try:
        description: dict[str, Any] = json.loads(metadata[METADATA_KEY])
        found = description.get("format")
    except (ValueError, AttributeError, RecursionError) as error:
        raise InputError(f"the description inside {path} is damaged ({error})") from error
    if found != FORMAT:
        raise InputError(f"{path} has checkpoint format {found!r}; this version reads {FORMAT}")
    for name, kind in FIELDS.items():
        if not isinstance(description.get(name), kind) or isinstance(description[name], bool):
            shown = repr(description.get(name))[:80]
            raise InputError(f"the description inside {path} is damaged ({name} is {shown})")
    if description["step"] < 0:  # a run that goes on would count up from there
        raise InputError(f"the description inside {path} is damaged (step is {description['step']})")
    return description


def read_tensors(path: Path, prefix: str) -> dict[str, Tensor]:
    """The tensors whose names start with `prefix`, which is cut off; raises as :func:`read_description`."""
    with opened(path) as file:
        return {
            name.removeprefix(prefix): file.get_tensor(name)
            for name in file.keys()  # noqa: SIM118 (it is no dict)
            if name.startswith(prefix)
        }


def shapes(path: Path, prefix: str) -> dict[str, tuple[int, ...]]:
    """The shapes of these tensors, none of which is read; as :func:`read_tensors` otherwise."""
    with opened(path) as file:
        return {
            name.removeprefix(prefix): tuple(file.get_slice(name).get_shape())
            for name in file.keys()  # noqa: SIM118 (it is no dict)
            if name.startswith(prefix)
        }


@contextlib.contextmanager
def opened(path: Path) -> Any:
    """A safetensors file, with one clear error where it cannot be read."""
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except FileNotFoundError:
        raise InputError(f"there is no checkpoint {path}") from None
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} cannot be read as a safetensors file: {error}") from error


def model_tensors(model: Model) -> dict[str, Tensor]:
    """A model's weights and buffers under their names in a checkpoint."""
    return {f"model.{name}": tensor for name, tensor in model.state_dict().items()}


def training_tensors(
    model: Model,
    optimizer: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
    generator: torch.Generator | None = None,
) -> dict[str, Tensor]:
    """All that a run needs to go on as if it had not stopped; `generator` is its own, if it has one."""
    tensors = model_tensors(model)
    for name, parameter in model.named_parameters():
        for key, value in optimizer.state[parameter].items():
            tensors[f"optimizer.{name}.{key}"] = value
    for key, number in scaler.state_dict().items():  # none, where losses are not scaled
        tensors[f"scaler.{key}"] = torch.tensor(number)
    tensors["random.torch"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["random.cuda"] = torch.cuda.get_rng_state()
    if generator is not None:
        tensors["random.batches"] = generator.get_state()
    return tensors


def restore_training(
    path: Path, model: Model, optimizer: torch.optim.Optimizer, scaler: torch.amp.GradScaler
) -> int:
    """Put the state that :func:`training_tensors` saved back, and return the step it was saved after.

    Raises
    ------
    InputError
        If the checkpoint is damaged, or holds the state of something else.
    """
    try:
        return _restored(path, model, optimizer, scaler)
    except (KeyError, RuntimeError, ValueError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"{path} is no checkpoint to go on from ({type(error).__name__}: {reason})"
        ) from error


def _restored(
    path: Path, model: Model, optimizer: torch.optim.Optimizer, scaler: torch.amp.GradScaler
) -> int:
    model.load_state_dict(read_tensors(path, "model."))
    saved = read_tensors(path, "optimizer.")
    for name, parameter in model.named_parameters():
        prefix = f"{name}."
        state = {key.removeprefix(prefix): value for key, value in saved.items() if key.startswith(prefix)}
        for key, value in state.items():
            if value.shape != parameter.shape and value.numel() != 1:
                raise ValueError(f"optimizer.{name}.{key} has the shape {tuple(value.shape)}")
        # Copied into the parameter's own memory layout, which the fused optimiser counts on.
        optimizer.state[parameter] = {
            key: torch.empty_like(parameter).copy_(value)
            if value.shape == parameter.shape
            else value.to(parameter.device)
            for key, value in state.items()
        }
    if scaler.is_enabled():
        scaler.load_state_dict({key: value.item() for key, value in read_tensors(path, "scaler.").items()})
    random = read_tensors(path, "random.")
    torch.set_rng_state(random["torch"])
    if torch.cuda.is_available() and "cuda" in random:
        torch.cuda.set_rng_state(random["cuda"])
    return int(read_description(path)["step"])


def restore_generator(path: Path, generator: torch.Generator) -> None:
    """Put the state of a run's own generator back, if it had one."""
    if (state := read_tensors(path, "random.").get("batches")) is not None:
        generator.set_state(state)


def export_weights(
    source: Path, target: Path, extra: Mapping[str, Any], dtype: torch.dtype = torch.float16
) -> None:
    """Write only the weights of a checkpoint, in `dtype`, with `extra` added to its description."""
    tensors = {
        f"model.{name}": value.to(dtype) if value.is_floating_point() else value
        for name, value in read_tensors(source, "model.").items()
    }
    write(target, tensors, {**read_description(source), **extra})


def versions() -> dict[str, str]:
    """What made a checkpoint."""
    try:
        own = version("disentangle-metrics")
    except PackageNotFoundError:  # run from a source folder
        own = "unknown"
    return {
        "disentangle-metrics": own,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
