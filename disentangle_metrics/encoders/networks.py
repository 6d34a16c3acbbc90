"""A network from a registered architecture or from the user's code, and weights put into it."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from disentangle_metrics.encoders.matching import Match, Mismatch, match
from disentangle_metrics.encoders.registries import ENCODERS
from disentangle_metrics.encoders.weights import StoredWeights
from disentangle_metrics.errors import InputError, ModelFileError, PluginError
from disentangle_metrics.kit.files import expanded
from disentangle_metrics.kit.limits import refuse_growth
from disentangle_metrics.text import some_of

if TYPE_CHECKING:
    import torch

MOST_NAMED = 4  # parts of a network in a message
MOST_SHOWN = 200  # characters of a checkpoint's arguments in a message


def from_architecture(
    path: Path, name: str, arguments: dict[str, Any], stored: StoredWeights
) -> torch.nn.Module:
    """The registered architecture `name`, built from a checkpoint's arguments.

    It is built without memory first, and compared with the weights: the arguments may ask for anything.

    Raises
    ------
    ModelFileError
        If the architecture refuses the arguments, or `stored` are not its weights.
    InputError, PluginError
        If the name is unknown, or its plug-in cannot be loaded.
    """
    import torch

    build = ENCODERS.load(name)
    try:
        with torch.device("meta"):
            outline: torch.nn.Module | None = build(arguments)
    except NotImplementedError:  # a plug-in's, which needs the values of its tensors
        outline = None
    except Exception as error:  # arguments from a file can be wrong in any way
        outline = None
        if "meta" not in str(error):
            raise _cannot_be_built(path, name, arguments, error) from error
    if outline is not None:
        _check_module(name, outline)
        own = {name: tensor for name, tensor in outline.state_dict().items() if hasattr(tensor, "shape")}
        _matched(path, own, stored)
        size = sum(tensor.numel() * tensor.element_size() for tensor in own.values())
        refuse_growth(path, size, "its arguments ask for a network of")
    try:
        network: torch.nn.Module = build(arguments)
    except (TypeError, ValueError, KeyError) as error:
        raise _cannot_be_built(path, name, arguments, error) from error
    _check_module(name, network)
    return network


def _check_module(name: str, network: Any) -> None:
    """Refuse what a plug-in gives in place of a network."""
    import torch

    if not isinstance(network, torch.nn.Module):
        raise PluginError(
            f"the architecture {name!r} gave a {type(network).__name__}; expected a torch.nn.Module"
        )


def _cannot_be_built(path: Path, name: str, arguments: dict[str, Any], error: Exception) -> ModelFileError:
    shown = repr(arguments)
    shown = shown if len(shown) < MOST_SHOWN else f"{shown[:MOST_SHOWN]} ..."
    return ModelFileError(
        f"the architecture {name!r} cannot be built from the arguments {shown} of {path}: {_said(error)}"
    )


def from_user_code(reference: str, arguments: Mapping[str, Any] | None = None) -> torch.nn.Module:
    """The network that ``package.module:factory`` or ``file.py:factory`` returns; a class is a factory too.

    Raises
    ------
    InputError
        If it cannot be imported or called with these arguments, or returns something else.
    """
    import torch

    module_name, _, attribute = reference.rpartition(":")
    if not module_name or not attribute:
        raise InputError(
            f"`model_code={reference!r}` must be package.module:factory or file.py:factory, such as "
            "mymodels.vae:build"
        )
    arguments = dict(arguments or {})
    try:
        factory: Any = _module(module_name)
        for part in attribute.split("."):
            factory = getattr(factory, part)
    except InputError:
        raise
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # importing the user's module can fail in any way; it may exit
        raise InputError(f"`model_code={reference!r}` cannot be imported: {_said(error)}") from error
    if isinstance(factory, torch.nn.Module):
        if arguments:
            raise InputError(f"`model_code={reference!r}` is a network already and takes no `model_args`")
        return factory
    if not callable(factory):
        raise InputError(
            f"`model_code={reference!r}` must be a function or class, found {type(factory).__name__}"
        )
    with_what = (
        f"with {', '.join(f'{k}={v!r}' for k, v in arguments.items())}" if arguments else "without arguments"
    )
    try:
        network = factory(**arguments)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # so can building the user's network
        hint = ""
        if isinstance(error, TypeError) and "argument" in str(error):
            hint = _parameters_of(factory, arguments)
        raise InputError(
            f"`model_code={reference!r}` failed when called {with_what}{hint}: {_said(error)}"
        ) from error
    if not isinstance(network, torch.nn.Module):
        raise InputError(
            f"`model_code={reference!r}` must return a torch.nn.Module, found {type(network).__name__}"
        )
    return network


def _parameters_of(factory: Any, arguments: Mapping[str, Any]) -> str:
    """What a factory can be given by name, beyond these arguments; empty where it does not tell."""
    try:
        parameters = inspect.signature(factory).parameters
    except (TypeError, ValueError):
        return ""
    if not parameters:
        return " (it takes no arguments)"
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    names = [name for name, parameter in parameters.items() if parameter.kind in by_name]
    left = next((name for name in names if name not in arguments), None)
    example = "" if left is None else f"; give them as in `model_args={{{left!r}: ...}}`"
    return f" (it takes {', '.join(names)}{example})" if names else ""


def _module(name: str) -> ModuleType:
    """A module by its name, or by the path of its file; the file's folder is where it finds its own."""
    if not name.endswith(".py"):
        return importlib.import_module(name)
    path = expanded(name)
    if not path.is_file():
        raise InputError(f"model_code: no such file: {path}")
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    module = importlib.import_module(path.stem)
    found = getattr(module, "__file__", None)
    if found is None or Path(found).resolve() != path.resolve():
        raise InputError(
            f"model_code: {path} cannot be imported, since the name {path.stem!r} is taken by "
            f"{found}; rename it"
        )
    return module


def put_weights(path: Path, network: torch.nn.Module, stored: StoredWeights) -> tuple[str, ...]:
    """Load `stored` into `network`, cast to the network's own precision; the answer is what to know of it.

    Raises
    ------
    ModelFileError
        If names or shapes differ, beyond wrappers and parts beside the network (see ``matching``).
    """
    own = network.state_dict()
    wanted = {name: tensor for name, tensor in own.items() if hasattr(tensor, "shape")}
    found = _matched(path, wanted, stored)
    network.load_state_dict({**own, **found.tensors})
    remarks = []
    if found.unread:
        remarks.append(f"{path} also holds {_parts(found.unread)}, which the network does not have")
    if found.kept:
        remarks.append(f"{path} has no weights of {_parts(found.kept)}, which keep their first values")
    return tuple(remarks)


def _matched(path: Path, wanted: Mapping[str, torch.Tensor], stored: StoredWeights) -> Match:
    try:
        return match(wanted, stored.tensors)
    except Mismatch as difference:
        raise ModelFileError(f"the weights in {path} do not fit the network: {difference}") from difference


def _parts(names: tuple[str, ...]) -> str:
    """The parts of a network that these weights belong to."""
    parts = list(dict.fromkeys(name.rpartition(".")[0].partition(".")[0] or name for name in names))
    return some_of(parts, MOST_NAMED)


def _said(error: BaseException) -> str:
    first_line = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__
