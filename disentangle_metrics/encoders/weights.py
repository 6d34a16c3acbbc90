"""Weights from files, through readers that cannot run code: safetensors, and torch.load weights-only."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from disentangle_metrics.encoders.sniffing import FileKind
from disentangle_metrics.errors import ModelFileError, UntrustedModelError

if TYPE_CHECKING:
    import torch

METADATA_KEY = "disentangle_metrics"
CHECKPOINT_FORMAT = 1
MODEL_PREFIX = "model."
WRAPPERS = ("state_dict", "model_state_dict", "model")  # what training scripts file the weights under


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
            'install it with: pip install "disentangle-metrics[models]"'
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
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelFileError(f"the description inside the checkpoint {path} is damaged ({error})") from error
    if version != CHECKPOINT_FORMAT:
        raise ModelFileError(
            f"the checkpoint {path} has format {version!r}, and this version of the package reads format "
            f"{CHECKPOINT_FORMAT}; update the package, or save the checkpoint again"
        )
    return architecture, arguments


def unsafe_globals(path: Path, kind: FileKind) -> list[str]:
    """What the pickle inside a torch.save file would import beyond plain weights; read, not run.

    Empty for the format from before PyTorch 1.6, whose content only the loader can look through.
    """
    if kind is FileKind.TORCH_SAVE_LEGACY:
        return []
    from torch.serialization import get_unsafe_globals_in_checkpoint

    try:
        with path.open("rb") as file:
            return sorted(get_unsafe_globals_in_checkpoint(file))
    except Exception as error:  # a damaged archive fails in as many ways as there are readers in it
        raise damaged(path, kind, error) from error


def read_torch_save(path: Path, kind: FileKind) -> StoredWeights:
    """Weights from a torch.save file, by the restricted unpickler only; never retried otherwise.

    Raises
    ------
    UntrustedModelError
        If the file holds more than weights.
    ModelFileError
        If it is damaged, or holds something that is not a dictionary of tensors.
    """
    import torch

    try:
        with path.open("rb") as file:  # given a path, torch.load goes by the name's ending
            content = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UntrustedModelError(
            f"{path} is {kind.value} that is damaged or holds more than weights: reading it could run "
            f"code, so it was not read; {HOW_TO_SAVE}"
        ) from error
    except Exception as error:  # a damaged archive fails in as many ways as there are readers in it
        raise damaged(path, kind, error) from error
    return state_dict(path, content)


HOW_TO_SAVE = (
    "save the weights alone with torch.save(network.state_dict(), ...) and give arch= or model_code= "
    "(--arch, --model-code), or, if you trust whoever made the file, pass trust=True (--trust-file)"
)


def damaged(path: Path, kind: FileKind, error: Exception) -> ModelFileError:
    """The error for a file whose kind was recognised but whose content cannot be read."""
    reason = str(error).partition("\n")[0].strip() or type(error).__name__
    return ModelFileError(f"{path} is {kind.value} that is truncated or damaged ({reason[:200]})")


def state_dict(path: Path, content: object) -> StoredWeights:
    """The dictionary of tensors in what a torch.save file held, bare or under a usual key.

    Raises
    ------
    ModelFileError
        If there is none.
    """
    import torch

    candidates = [content]
    if isinstance(content, Mapping):
        candidates += [content[key] for key in WRAPPERS if key in content]
    for candidate in candidates:
        if isinstance(candidate, Mapping) and candidate:
            tensors = {
                k: v for k, v in candidate.items() if isinstance(k, str) and isinstance(v, torch.Tensor)
            }
            # State dicts may carry the odd non-tensor (extra state), but not only those.
            if len(tensors) == len(candidate) or (candidate is not content and tensors):
                return StoredWeights(tensors)
    if isinstance(content, torch.Tensor):
        raise ModelFileError(
            f"{path} holds one tensor of shape {tuple(content.shape)}, not a network's weights; if these "
            "are latents, save them with numpy.save and score them with dm.score, or dm-eval --latents"
        )
    found = type(content).__name__
    if isinstance(content, Mapping):
        found = f"a dictionary with the keys {', '.join(map(repr, list(content)[:5])) or '(none)'}"
    raise ModelFileError(
        f"{path} does not hold a network's weights but {found}; accepted: a state_dict, bare or under one "
        f"of the keys {', '.join(WRAPPERS)}"
    )
