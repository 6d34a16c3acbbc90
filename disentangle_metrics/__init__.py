"""Score whether a representation is disentangled: ``import disentangle_metrics as dm``.

``dm.score(latents, factors)`` gives every metric at once. ``dm.mig(latents, factors)`` and its
siblings give one. ``dm.evaluate(encoder, dataset)`` scores a model. Everything is resolved on first
use, so importing the package costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

from disentangle_metrics.metrics.catalogue import BUILTIN as _METRICS
from disentangle_metrics.version import __version__

_WHERE = {
    "Accumulator": "streams.accumulator",
    "Agreement": "model_agreement",
    "Benchmark": "benchmarking.results",
    "Comparison": "comparison.comparison",
    "Encoder": "encoders",
    "FactorDataset": "datasets",
    "GaussianPosterior": "inputs.gaussian_posterior",
    "Labelled": "metrics.definition",
    "Metric": "scoring.requests",
    "MetricDefinition": "metrics.definition",
    "MetricValue": "metrics.definition",
    "Relations": "relations.relations",
    "Report": "scoring.report",
    "Score": "scoring.report",
    "ScoreDefinition": "metrics.definition",
    "Tracker": "tracking",
    "DatasetError": "errors",
    "DisentangleMetricsError": "errors",
    "InputError": "errors",
    "ModelFileError": "errors",
    "NotApplicable": "errors",
    "PluginError": "errors",
    "PluginWarning": "errors",
    "ScoreWarning": "errors",
    "UntrustedModelError": "errors",
    "Citation": "reporting.citation",
    "benchmark": "benchmarking.benchmark",
    "cite": "scoring.citing",
    "compare": "comparison.compare",
    "describe": "metrics.cards",
    "evaluate": "evaluation",
    "list_metrics": "metrics.cards",
    "load_dataset": "datasets",
    "load_encoder": "encoders",
    "metric": "metrics",
    "per_group": "groups_alone",
    "published": "reference_scores.table",
    "score": "scoring.score",
    "udr": "model_agreement",
}

_MODULES = ("datasets", "integrations", "plot")

_NAMES = (*_WHERE, *_METRICS, *_MODULES)

__all__ = ["__version__", *_NAMES]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        value = getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
    elif name in _METRICS:
        from disentangle_metrics.metrics.lookup import find_metric
        from disentangle_metrics.scoring.functions import metric_function

        value = metric_function(find_metric(name))
    elif name in _MODULES:
        value = importlib.import_module(f"{__name__}.{name}")
    else:
        return _renamed(name)
    globals()[name] = value  # resolved once
    return value


def _renamed(name: str) -> Any:
    """What an old name means now, with a warning at each use."""
    from disentangle_metrics.deprecations import RENAMED

    if name not in RENAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    RENAMED[name].warn(stacklevel=4)
    return __getattr__(RENAMED[name].new)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
