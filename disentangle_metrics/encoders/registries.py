"""The architectures and the bundled checkpoints that can be asked for by name."""

from __future__ import annotations

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
