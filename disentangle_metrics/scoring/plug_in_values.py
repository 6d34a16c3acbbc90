"""What a metric from elsewhere returned, checked, so that a wrong one costs no other score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from disentangle_metrics.metrics.definition import Labelled, MetricValue


def checked(
    values: Mapping[str, Any], keys: Iterable[str], latents: int, factors: int
) -> dict[str, MetricValue]:
    """The values of these keys; others, which may be another metric's, are left out.

    Raises
    ------
    TypeError
        If there is none of a key, or it is no MetricValue.
    ValueError
        If a part of it has another length than there are latents or factors.
    """
    known: dict[str, MetricValue] = {}
    for key in keys:
        if key not in values:
            raise TypeError(f"it returned no score {key!r}, but {', '.join(map(repr, values)) or 'none'}")
        value = values[key]
        if not isinstance(value, MetricValue):
            raise TypeError(f"it returned a {type(value).__name__} where a MetricValue is due")
        _check_lengths(value, {"latents": latents, "factors": factors})
        known[key] = value
    return known


def _check_lengths(value: MetricValue, lengths: Mapping[str, int]) -> None:
    parts = {"per_factor": (value.per_factor, "factors"), "per_latent": (value.per_latent, "latents")}
    for name, (part, axis) in parts.items():
        if part is not None and np.shape(part) != (lengths[axis],):
            raise ValueError(f"{name} has the shape {np.shape(part)} for {lengths[axis]} {axis}")
    for name, item in value.details.items():
        if isinstance(item, Labelled):
            wanted = tuple({**lengths, "classes": len(item.classes)}[axis] for axis in item.axes)
            if np.shape(item.values) != wanted or len(wanted) not in (1, 2):
                raise ValueError(f"its {name} has the shape {np.shape(item.values)} for {wanted} names")
    if not isinstance(value.warnings, tuple | list):
        raise TypeError(f"its warnings are a {type(value.warnings).__name__}, and no tuple")
