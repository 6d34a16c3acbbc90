"""A network from a registered architecture or from the user's code, and weights put into it."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from disentangle_metrics.encoders.registries import ENCODERS
from disentangle_metrics.encoders.weights import StoredWeights
from disentangle_metrics.errors import InputError, ModelFileError

if TYPE_CHECKING:
    import torch


def from_architecture(path: Path, name: str, arguments: dict[str, Any]) -> torch.nn.Module:
    """The registered architecture `name`, built from a checkpoint's arguments.

    Raises
    ------
    ModelFileError
        If the architecture refuses the arguments.
    InputError, PluginError
        If the name is unknown, or its plug-in cannot be loaded.
    """
    build = ENCODERS.load(name)
    try:
        network: torch.nn.Module = build(arguments)
    except (TypeError, ValueError, KeyError) as error:
        raise ModelFileError(
            f"the architecture {name!r} cannot be built from the arguments {arguments!r} of {path}: {error}"
        ) from error
    return network


def from_user_code(reference: str) -> torch.nn.Module:
    """The network that ``package.module:factory`` returns; a class is a factory too.

    Raises
    ------
    InputError
        If it cannot be imported or called without arguments, or returns something else.
    """
    import torch

    module_name, _, attribute = reference.partition(":")
    if not module_name or not attribute:
        raise InputError(
            f"model_code={reference!r} must be package.module:factory, such as mymodels.vae:build"
        )
    try:
        factory: Any = importlib.import_module(module_name)
        for part in attribute.split("."):
            factory = getattr(factory, part)
    except Exception as error:  # importing the user's module can fail in any way
        raise InputError(f"model_code={reference!r} cannot be imported: {_said(error)}") from error
    if isinstance(factory, torch.nn.Module):
        return factory
    if not callable(factory):
        raise InputError(
            f"model_code={reference!r} must be a function or class, found {type(factory).__name__}"
        )
    try:
        network = factory()
    except Exception as error:  # so can building the user's network
        raise InputError(
            f"model_code={reference!r} failed when called without arguments: {_said(error)}"
        ) from error
    if not isinstance(network, torch.nn.Module):
        raise InputError(
            f"model_code={reference!r} must return a torch.nn.Module, found {type(network).__name__}"
        )
    return network


def put_weights(path: Path, network: torch.nn.Module, stored: StoredWeights) -> None:
    """Load `stored` into `network`, cast to the network's own precision.

    One prefix that all names of one side share (``module.``, ``_orig_mod.``, a wrapper's attribute)
    is looked through; nothing else is guessed.

    Raises
    ------
    ModelFileError
        If names or shapes differ.
    """
    wanted = network.state_dict()
    tensors = _same_names(stored.tensors, list(wanted))
    differences = []
    if missing := [name for name in wanted if name not in tensors]:
        differences.append(f"the file lacks {_listed(missing)}")
    if unexpected := [name for name in tensors if name not in wanted]:
        differences.append(f"the network has no {_listed(unexpected)}")
    shapes = [
        f"{name} (file {tuple(tensors[name].shape)}, network {tuple(tensor.shape)})"
        for name, tensor in wanted.items()
        if name in tensors and tensors[name].shape != tensor.shape
    ]
    if shapes:
        differences.append(f"shapes differ: {_listed(shapes)}")
    if differences:
        raise ModelFileError(f"the weights in {path} do not fit the network: {'; '.join(differences)}")
    network.load_state_dict(tensors)


def _same_names(tensors: dict[str, torch.Tensor], wanted: list[str]) -> dict[str, torch.Tensor]:
    """`tensors` renamed to `wanted` if a shared prefix is the only difference, else unchanged."""
    names = list(tensors)
    while set(names) != set(wanted) and (shorter := _without_prefix(names)):
        names = shorter
    if set(names) != set(wanted) and (inner := _without_prefix(wanted)) and set(inner) == set(tensors):
        names = [wanted[inner.index(name)] for name in tensors]
    if set(names) != set(wanted):
        return tensors
    return dict(zip(names, tensors.values(), strict=True))


def _without_prefix(names: list[str]) -> list[str]:
    """The names without their first part, if all have it in common; else nothing."""
    first = {name.partition(".")[0] for name in names}
    rest = [name.partition(".")[2] for name in names]
    return rest if len(first) == 1 and all(rest) else []


def _listed(items: list[str], most: int = 3) -> str:
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more


def _said(error: Exception) -> str:
    first_line = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__
