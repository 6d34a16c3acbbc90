"""The architectures and the bundled checkpoints that can be asked for by name."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from disentangle_metrics.errors import DisentangleMetricsError, PluginError
from disentangle_metrics.registry import Registry

ENCODERS = Registry("architecture", "disentangle_metrics.encoders")
"""Name -> ``build_encoder(arguments: dict) -> torch.nn.Module``."""

CHECKPOINTS = Registry("bundled checkpoint", "disentangle_metrics.checkpoints")
"""Name -> function without arguments that returns the path of the checkpoint's file."""


def architecture_name(name: str) -> str:
    """`name` as the registry spells it: ``pro_vlae`` and ``pro-vlae`` are the same architecture."""
    if name in ENCODERS:
        return name
    return next(
        (known for known in ENCODERS.names() if known.replace("_", "-") == name.replace("_", "-")), name
    )


def checkpoint_file(name: str) -> Path:
    """The file that the function behind a checkpoint's name gives; it may be missing.

    Raises
    ------
    PluginError
        If the function cannot be loaded, fails, or gives no path.
    """
    function = CHECKPOINTS.load(name)
    try:
        path = function()
    except DisentangleMetricsError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(f"the checkpoint {name!r} fails: {type(error).__name__}: {error}") from error
    if not isinstance(path, str | PathLike):
        raise PluginError(f"the checkpoint {name!r} gave a {type(path).__name__}; expected a file's path")
    return Path(path)
