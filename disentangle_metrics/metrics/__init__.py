"""The metrics, one file per family; each is a pure function of relations with a definition."""

from __future__ import annotations

from disentangle_metrics.metrics.catalogue import BUILTIN
from disentangle_metrics.registry import Registry

METRICS = Registry(
    kind="metric",
    group="disentangle_metrics.metrics",
    builtin={name: f"disentangle_metrics.metrics.{name}:definition" for name in BUILTIN},
)
