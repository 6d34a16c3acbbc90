"""One public function per metric, made from its definition: ``dm.mig(latents, factors, bins=10)``."""

from __future__ import annotations

import inspect
import textwrap
import warnings
from collections.abc import Callable
from typing import Any

from disentangle_metrics.definition import MetricDefinition
from disentangle_metrics.errors import ScoreWarning
from disentangle_metrics.inputs import check
from disentangle_metrics.requests import Metric, bind
from disentangle_metrics.results import Report, Score
from disentangle_metrics.scoring import score_inputs

COMMON: dict[str, Any] = {
    "protocol": "default",
    "factor_names": None,
    "factor_types": None,
    "latent_names": None,
    "seed": 0,
    "n_jobs": 1,
    "anchors": False,
}

ARRAYS = """\
latents
    Shape (N, D), real numbers, or a GaussianPosterior.
factors
    Shape (N, K), an array or a DataFrame.
"""

REST = """\
protocol, factor_names, factor_types, latent_names, seed, n_jobs, anchors
    As for `score`; settings given here win over the protocol's.
"""


def metric_function(definition: MetricDefinition) -> Callable[..., Score | Report]:
    """The function of arrays for one metric; it returns a Score, or a Report of several."""

    def function(latents: Any, factors: Any, **options: Any) -> Score | Report:
        common = {name: options.pop(name, default) for name, default in COMMON.items()}
        requests = bind([Metric(definition.name, **options)], common["protocol"])
        names = ("factor_names", "factor_types", "latent_names")
        inputs = check(latents, factors, **{name: common.pop(name) for name in names})
        report = score_inputs(inputs, requests, strict=True, **common)
        for text in dict.fromkeys(text for score in report.values() for text in score.warnings):
            warnings.warn(text, ScoreWarning, stacklevel=2)
        return report if len(definition.keys) > 1 else report[definition.keys[0]]

    function.__name__ = function.__qualname__ = definition.name
    function.__module__ = "disentangle_metrics"
    function.__doc__ = _documentation(definition)
    function.__signature__ = _signature(definition)  # type: ignore[attr-defined]
    return function


def _signature(definition: MetricDefinition) -> inspect.Signature:
    arrays = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in ("latents", "factors")
    ]
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)
        for name, default in {**definition.settings, **COMMON}.items()
    ]
    return inspect.Signature(arrays + options)


def _documentation(definition: MetricDefinition) -> str:
    """The metric's own documentation with the arguments that every function shares put in."""
    head, parameters, tail = definition.documentation.partition("Parameters\n----------\n")
    if not parameters:
        return f"{head}\n\nParameters\n----------\n{ARRAYS}{REST}"
    own, blank, rest = tail.partition("\n\n")
    return textwrap.dedent(
        f"{head}{parameters}{ARRAYS}{own}\n{REST}\n{rest}"
        if blank
        else f"{head}{parameters}{ARRAYS}{own}\n{REST}"
    )
