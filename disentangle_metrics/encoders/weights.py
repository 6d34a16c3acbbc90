"""Weights by name: from a safetensors file, or from what a torch.save file held."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from disentangle_metrics.errors import ModelFileError
from disentangle_metrics.kit.installing import install_line

if TYPE_CHECKING:
    import torch

METADATA_KEY = "disentangle_metrics"
CHECKPOINT_FORMAT = 1
MODEL_PREFIX = "model."


@dataclass(frozen=True)
class StoredWeights:
    """Tensors by name, and what the file says about the network they belong to."""

    tensors: dict[str, torch.Tensor]
    architecture: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)


def read_safetensors(path: Path) -> StoredWeights:
    """Every tensor of a safetensors file; of a checkpoint of ours, the model's tensors alone.

    Raises
    ------
    ModelFileError
        If the file is damaged, or its description of the network is.
    """
    try:
        from safetensors import SafetensorError, safe_open
    except ModuleNotFoundError:
        raise ModelFileError(
            f"{path} is a safetensors file, and reading it needs the package safetensors; "
            f"install it with: {install_line('models')}"
        ) from None

    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            described = (file.metadata() or {}).get(METADATA_KEY)
            if described is None:
                return StoredWeights({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
            architecture, arguments = _description(path, described)
            # A resumable checkpoint also holds the optimiser and random states, which are not read.
            tensors = {
                name.removeprefix(MODEL_PREFIX): file.get_tensor(name)
                for name in file.keys()  # noqa: SIM118
                if name.startswith(MODEL_PREFIX)
            }
    except SafetensorError as error:
        raise ModelFileError(
            f"{path} is a safetensors file that is truncated or damaged ({error})"
        ) from error
    return StoredWeights(tensors, architecture, arguments)


def _description(path: Path, text: str) -> tuple[str, dict[str, Any]]:
    """Architecture and arguments from a checkpoint's embedded description."""
    try:
        described = json.loads(text)
        version, architecture = described["format"], described["architecture"]
        arguments = described.get("arguments", {})
        if not isinstance(architecture, str) or not isinstance(arguments, dict):
            raise TypeError("architecture must be text and arguments an object")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ModelFileError(f"the description inside the checkpoint {path} is damaged ({error})") from error
    if version != CHECKPOINT_FORMAT:
        raise ModelFileError(
            f"the checkpoint {path} has format {version!r}, and this version of the package reads format "
            f"{CHECKPOINT_FORMAT}; update the package, or save the checkpoint again"
        )
    return architecture, arguments


def state_dict(path: Path, content: object) -> StoredWeights:
    """Every tensor in what a torch.save file held, by its path in the dictionaries, joined by points.

    Raises
    ------
    ModelFileError
        If there is none.
    """
    import torch

    if isinstance(content, Mapping) and (tensors := dict(_flattened(content, ""))):
        return StoredWeights(tensors)
    if isinstance(content, torch.Tensor):
        raise ModelFileError(
            f"{path} holds one tensor of shape {tuple(content.shape)}, not a network's weights; if these "
            "are latents, score them with `dm.score`"
        )
    found = type(content).__name__
    if isinstance(content, Mapping):
        found = f"a dictionary with the keys {', '.join(map(repr, list(content)[:5])) or '(none)'}"
    raise ModelFileError(
        f"{path} does not hold a network's weights but {found}; accepted: a state_dict, bare or in "
        "a dictionary"
    )


def _flattened(content: Mapping[Any, Any], prefix: str) -> Iterator[tuple[str, torch.Tensor]]:
    import torch

    for name, value in content.items():
        if not isinstance(name, str):
            continue
        if isinstance(value, torch.Tensor):
            yield prefix + name, value
        elif isinstance(value, Mapping):
            yield from _flattened(value, f"{prefix}{name}.")


def under(path: Path, stored: StoredWeights, key: str) -> StoredWeights:
    """The tensors that stand under `key`, a path of names joined by points.

    Raises
    ------
    ModelFileError
        If there are none.
    """
    prefix = key.strip("./").replace("/", ".") + "."
    tensors = {
        name.removeprefix(prefix): tensor
        for name, tensor in stored.tensors.items()
        if name.startswith(prefix)
    }
    if not tensors:
        groups = sorted({name.partition(".")[0] for name in stored.tensors})
        raise ModelFileError(
            f"{path} has no weights under `state_key={key!r}`; its names begin with "
            f"{', '.join(groups[:8])}{' ...' if len(groups) > 8 else ''}"
        )
    return replace(stored, tensors=tensors)
