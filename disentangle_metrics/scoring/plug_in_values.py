"""What a metric from elsewhere returned, checked, so that a wrong one costs no other score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
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
    values: Mapping[str, Any], keys: Iterable[str], latents: Sequence[str], factors: Sequence[str]
) -> dict[str, MetricValue]:
    """The values of these keys; others, which may be another metric's, are left out.

    A part of pandas goes by its labels, in the order of these names of latents and factors. A number in an
    array without axes is a plain one. A number alone is a value without parts.

    Raises
    ------
    TypeError
        If there is none of a key, it is no MetricValue and no number, or a report cannot hold what is in it.
    ValueError
        If a part of it has another length or other labels than there are latents or factors, or no numbers.
    """
    names = {"latents": latents, "factors": factors}
    known: dict[str, MetricValue] = {}
    for key in keys:
        if key not in values:
            raise TypeError(f"it returned no score {key!r}, but {', '.join(map(repr, values)) or 'none'}")
        value = _scalar(values[key])
        if isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool):
            value = MetricValue(float(value))
        if not isinstance(value, MetricValue):
            raise TypeError(f"it returned a {type(value).__name__} where a MetricValue or a number is due")
        value = replace(value, baseline=_scalar(value.baseline))
        _check_forms(value)
        value = replace(
            value,
            per_factor=_by_place("per_factor", value.per_factor, [factors]),
            per_latent=_by_place("per_latent", value.per_latent, [latents]),
            details={name: _detail(name, item, names) for name, item in value.details.items()},
        )
        _check_lengths(value, {axis: len(own) for axis, own in names.items()})
        known[key] = value
    return known


def _scalar(item: Any) -> Any:
    """A number in an array or a tensor without axes as such; anything else as it is."""
    return item.tolist() if getattr(item, "shape", None) == () and hasattr(item, "tolist") else item


def _by_place(name: str, part: Any, axes: Sequence[Sequence[str]]) -> Any:
    """A table of pandas as an array whose axes have these names; anything else as it is."""
    import pandas as pd

    if not isinstance(part, pd.Series | pd.DataFrame) or part.ndim != len(axes):
        return part
    for axis, names in enumerate(axes):
        labels = part.axes[axis]
        if labels.is_unique and labels.isin(names).all():
            part = part.reindex(names, axis=axis)
        elif list(labels) != list(range(len(labels))):
            raise ValueError(f"{name} has the labels {', '.join(map(str, labels))} for {', '.join(names)}")
    return part.to_numpy()


def _detail(name: str, item: Any, names: Mapping[str, Sequence[str]]) -> Any:
    if not isinstance(item, Labelled):
        return _scalar(item)
    axes = [{**names, "classes": item.classes}[axis] for axis in item.axes]
    return replace(item, values=_by_place(f"its {name}", item.values, axes))


def _check_forms(value: MetricValue) -> None:
    for name, form in FORMS.items():
        if not isinstance(item := getattr(value, name), form):
            raise TypeError(f"its {name} must be a {form[0].__name__}, got a {type(item).__name__}")
    for said in value.warnings:
        if not isinstance(said, str | Check):
            raise TypeError(f"its warnings must be texts, got a {type(said).__name__}")
    for name, item in value.details.items():
        if not _can_be_kept(item):
            got = type(item).__name__
            raise TypeError(f"its {name} must be a Labelled of numbers, or what JSON can hold, got a {got}")


def _can_be_kept(item: Any) -> bool:
    """Whether a stored report gives it back: numbers and texts, and lists, mappings and tables of them."""
    import pandas as pd

    if isinstance(item, Labelled):
        return np.asarray(item.values).dtype.kind in "biuf"
    if item is None or isinstance(item, str | Real | np.bool_):
        return True
    if isinstance(item, Mapping):  # one of these names would come back as a table
        return not {"index", "data"} <= set(item) and all(map(_can_be_kept, item.values()))
    if isinstance(item, tuple | list):
        return all(map(_can_be_kept, item))
    if isinstance(item, pd.Series | pd.DataFrame):  # pages show tables as numbers
        return item.to_numpy().dtype.kind in "biuf"
    return hasattr(item, "tolist") and _can_be_kept(item.tolist())


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
