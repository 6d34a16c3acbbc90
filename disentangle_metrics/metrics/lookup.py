"""Which metric a name or a score key means."""

from __future__ import annotations

import warnings
from typing import Any

from disentangle_metrics.errors import InputError, PluginWarning
from disentangle_metrics.metrics import METRICS
from disentangle_metrics.metrics.definition import MetricDefinition
from disentangle_metrics.registry import unknown
from disentangle_metrics.settings import texts_of


def find_scores(name: Any) -> tuple[MetricDefinition, tuple[str, ...]]:
    """The metric of this name or score key, and which of its scores that means."""
    if not isinstance(name, str):
        own = getattr(getattr(name, "definition", None), "name", getattr(name, "__name__", ""))
        hint = f"; write {own!r}" if own in METRICS else ""
        raise InputError(f"`metrics` must hold names or `dm.Metric` objects, got {type(name).__name__}{hint}")
    if name in METRICS.builtin or (name in METRICS and name not in METRICS.builtin_keys):
        definition: MetricDefinition = METRICS.load(name)
        return definition, definition.keys
    by_key = score_keys()
    if name in by_key:
        return by_key[name], (name,)
    if name == "udr":
        raise InputError("'udr' compares several models: call `dm.udr(list_of_latents)`")
    if "," in name:
        several = [part.strip() for part in name.split(",") if part.strip()]
        raise InputError(f"unknown metric {name!r}; for several metrics pass a list: `metrics={several}`")
    known = list(dict.fromkeys([*METRICS.names(), *by_key]))
    raise InputError(unknown("metric", name, known))


def score_keys() -> dict[str, MetricDefinition]:
    """Every score key, and the metric that gives it: the first of built-ins, plug-ins and those added.

    A warning names a later metric with a key that is taken.
    """
    owners: dict[str, MetricDefinition] = {}
    for definition in METRICS.load_all().values():
        for key in definition.keys:
            owner = owners.setdefault(key, definition)
            if owner is not definition:
                text = f"the score {key!r} of the metric {definition.name!r} is not found by its key: "
                warnings.warn(f"{text}it is that of the metric {owner.name!r}", PluginWarning, stacklevel=2)
    return owners


def without_settings(key: str) -> str:
    """The key of a score in a report of its metric alone: "mcc" of "mcc|correlation:spearman"."""
    return key.partition("|")[0]


def as_signature(metric: Any) -> Any:
    """A ``dm.Metric`` as the beginning of the signatures that it gives; others as they are."""
    if not (hasattr(metric, "settings") and hasattr(metric, "name")):
        return metric
    texts = texts_of(metric.settings, find_metric(metric.name).types)
    return "|".join([metric.name, *(f"{name}:{text}" for name, text in texts.items())])


def find_metric(name: str) -> MetricDefinition:
    """The metric of this name, or the one that gives the score of this key.

    Raises
    ------
    InputError
        If it is unknown; near names are suggested.
    """
    return find_scores(name)[0]
