"""What a metric from elsewhere returned, checked, so that a wrong one costs no other score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Real
from types import NoneType
from typing import Any

import numpy as np

from disentangle_metrics.checks import Check
from disentangle_metrics.metrics.definition import Labelled, MetricValue, VoteCount

FORMS: Mapping[str, tuple[type, ...]] = {
    "details": (Mapping,),
    "warnings": (tuple, list),
    "reason": (str,),
    "vote_count": (VoteCount, NoneType),
    "baseline": (Real, NoneType),
}


def checked(
    values: Mapping[str, Any], keys: Iterable[str], latents: int, factors: int
) -> dict[str, MetricValue]:
    """The values of these keys; others, which may be another metric's, are left out.

    Raises
    ------
    TypeError
        If there is none of a key, it is no MetricValue, or a report cannot hold what is in it.
    ValueError
        If a part of it has another length than there are latents or factors, or no numbers.
    """
    known: dict[str, MetricValue] = {}
    for key in keys:
        if key not in values:
            raise TypeError(f"it returned no score {key!r}, but {', '.join(map(repr, values)) or 'none'}")
        value = values[key]
        if not isinstance(value, MetricValue):
            raise TypeError(f"it returned a {type(value).__name__} where a MetricValue is due")
        _check_forms(value)
        _check_lengths(value, {"latents": latents, "factors": factors})
        known[key] = value
    return known


def _check_forms(value: MetricValue) -> None:
    for name, form in FORMS.items():
        if not isinstance(item := getattr(value, name), form):
            raise TypeError(f"its {name} must be a {form[0].__name__}, got a {type(item).__name__}")
    for said in value.warnings:
        if not isinstance(said, str | Check):
            raise TypeError(f"its warnings must be texts, got a {type(said).__name__}")
    for name, item in value.details.items():
        numbers = np.asarray(item.values).dtype.kind in "biuf" if isinstance(item, Labelled) else True
        if not isinstance(item, (Labelled, str, Real, np.bool_)) or not numbers:
            got = type(item).__name__
            raise TypeError(f"its {name} must be a Labelled of numbers, a number or text, got a {got}")


def _check_lengths(value: MetricValue, lengths: Mapping[str, int]) -> None:
    import pandas as pd

    parts = {"per_factor": (value.per_factor, "factors"), "per_latent": (value.per_latent, "latents")}
    for name, (part, axis) in parts.items():
        if part is not None and np.shape(part) != (lengths[axis],):
            raise ValueError(f"{name} has the shape {np.shape(part)} for {lengths[axis]} {axis}")
        pd.Series(part, dtype=float)  # as the score has it; refuses what are no numbers
    for name, item in value.details.items():
        if isinstance(item, Labelled):
            wanted = tuple({**lengths, "classes": len(item.classes)}[axis] for axis in item.axes)
            if np.shape(item.values) != wanted or len(wanted) not in (1, 2):
                raise ValueError(f"its {name} has the shape {np.shape(item.values)} for {wanted} names")
