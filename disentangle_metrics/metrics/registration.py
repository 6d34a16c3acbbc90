"""@metric: register a metric of the user's own in the running program."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from disentangle_metrics.errors import InputError
from disentangle_metrics.metrics import METRICS
from disentangle_metrics.metrics.definition import (
    Anchor,
    Direction,
    Interval,
    MetricDefinition,
    MetricValue,
    ScoreDefinition,
)

Compute = Callable[..., MetricValue | dict[str, MetricValue]]


def metric(
    *,
    name: str | None = None,
    property: str = "",
    range: tuple[float, float] = (0.0, 1.0),
    direction: Direction = "up",
    scores: Sequence[ScoreDefinition] | None = None,
    relation: str = "",
    source: str = "",
    version: int = 1,
    anchors: Anchor = "cheap",
    scale_free: bool = False,
    label_free: bool = False,
    needs_factors: bool = True,
    interval: Interval = "bootstrap",
) -> Callable[[Compute], Compute]:
    """Register the decorated function as a metric, for ``score(..., metrics=[name])``.

    The function takes ``relations`` (latents, factors and the tables between them), then `rng` if
    it draws, then its settings as keyword-only arguments with defaults; it returns a
    :class:`MetricValue`, or a dict of them by score key if `scores` lists several.

    Parameters
    ----------
    name
        Default: the function's name.
    property, range, direction
        What it measures ("modularity", "compactness", ...), its range, and "up" or "down".
    scores
        For a metric with several scores, one ScoreDefinition each.
    relation, source, version, anchors, scale_free, label_free, needs_factors, interval
        See :class:`MetricDefinition`.

    Raises
    ------
    InputError
        If the name is taken by a built-in or an installed plug-in.
    """

    def register(compute: Compute) -> Compute:
        key = name or compute.__name__
        if not key.isidentifier():
            raise InputError(f"a metric's name must be a Python name, got {key!r}")
        facts = tuple(scores) if scores else (ScoreDefinition(key, property, range, direction),)
        METRICS.add(
            key,
            MetricDefinition(
                name=key,
                compute=compute,
                scores=facts,
                relation=relation,
                source=source,
                version=version,
                anchors=anchors,
                scale_free=scale_free,
                label_free=label_free,
                needs_factors=needs_factors,
                interval=interval,
            ),
        )
        return compute

    return register
