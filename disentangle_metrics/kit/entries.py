"""Entry points of installed packages, in the order in which a name is given away."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import EntryPoint

OWN = ("disentangle-metrics", "disentangle-metrics-checkpoints")


def own_first(points: Iterable[EntryPoint]) -> list[EntryPoint]:
    """Entry points of this project's packages before those of all others, which keep their order."""
    return sorted(points, key=lambda point: point.dist is None or point.dist.name not in OWN)
