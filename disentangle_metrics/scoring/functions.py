"""One public function per metric, made from its definition: ``dm.mig(latents, factors, bins=10)``."""

from __future__ import annotations

import inspect
import textwrap
import warnings
from collections.abc import Callable
from typing import Any

from disentangle_metrics.errors import InputError, ScoreWarning
from disentangle_metrics.inputs.inputs import check
from disentangle_metrics.kit.near_names import did_you_mean
from disentangle_metrics.metrics.definition import MetricDefinition
from disentangle_metrics.scoring.protocols import PROTOCOLS
from disentangle_metrics.scoring.report import Report, Score
from disentangle_metrics.scoring.requests import OPTIONS, Options, choose_one
from disentangle_metrics.scoring.score import score_inputs

COMMON: dict[str, Any] = {
    "protocol": "default",
    "factor_names": None,
    "factor_types": None,
    "latent_names": None,
    "latent_types": None,
    "groups": None,
    "hierarchy": None,
    "missing": "raise",
    "seed": 0,
    "n_jobs": 1,
    "confidence": None,
    "replicates": None,
    "anchors": False,
    "permutations": None,
}
ABOUT_FACTORS = ("factor_names", "factor_types", "hierarchy")

LATENTS = """\
latents
    Shape (N, D), real numbers, or a GaussianPosterior.
"""

FACTORS = """\
factors
    Shape (N, K), or (N,) for one, an array or a DataFrame.
"""


def common_options(definition: MetricDefinition) -> dict[str, Any]:
    """The options that every function takes, with their defaults, without those that do not apply."""
    return {
        name: default
        for name, default in COMMON.items()
        if definition.needs_factors or name not in ABOUT_FACTORS
    }


def metric_function(definition: MetricDefinition) -> Callable[..., Score | Report]:
    """The function of arrays for one metric; it returns a Score, or a Report of several."""
    common = common_options(definition)

    def function(latents: Any, factors: Any, **given: Any) -> Score | Report:
        settings = {name: value for name, value in given.items() if name not in common}
        if of_factors := [name for name in ABOUT_FACTORS if name in settings]:
            raise InputError(f"`{of_factors[0]}` is of factors, and {definition.name} reads latents alone")
        if unknown := [name for name in settings if name not in definition.settings]:
            near = did_you_mean(unknown[0], [*definition.settings, *common])
            has = ", ".join(definition.settings) or "none"
            raise InputError(f"{definition.name!r} has no setting {unknown[0]!r}; {near}it has {has}")
        about = {**common, **{name: value for name, value in given.items() if name in common}}
        protocol = about.pop("protocol")
        options = Options(**{name: about.pop(name) for name in OPTIONS})
        choice = choose_one(definition, settings, PROTOCOLS[protocol], definition.keys)
        report = score_inputs(
            check(latents, factors, rule=PROTOCOLS[protocol].reading, **about),
            [choice],
            options,
            protocol=protocol,
            strict=True,
        )
        for text in dict.fromkeys(text for score in report.scores.values() for text in score.warnings):
            warnings.warn(text, ScoreWarning, stacklevel=2)
        return report if len(report.scores) > 1 else next(iter(report.scores.values()))

    def function_of_latents(latents: Any, **options: Any) -> Score | Report:
        return function(latents, None, **options)

    public: Callable[..., Score | Report] = function if definition.needs_factors else function_of_latents
    public.__name__ = public.__qualname__ = definition.name
    public.__module__ = "disentangle_metrics"
    public.__doc__ = _documentation(definition)
    public.__signature__ = _signature(definition)  # type: ignore[attr-defined]
    return public


def arguments(definition: MetricDefinition) -> list[str]:
    """Names of the arrays the function takes."""
    return ["latents", "factors"] if definition.needs_factors else ["latents"]


def _signature(definition: MetricDefinition) -> inspect.Signature:
    arrays = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in arguments(definition)
    ]
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)
        for name, default in {**definition.settings, **common_options(definition)}.items()
    ]
    return inspect.Signature(arrays + options)


def _documentation(definition: MetricDefinition) -> str:
    """The metric's own documentation with the arguments that every function shares put in."""
    arrays = LATENTS + (FACTORS if definition.needs_factors else "")
    shared = (
        f"{', '.join(common_options(definition))}\n"
        "    As for `score`; settings given here win over the protocol's.\n"
    )
    head, parameters, tail = definition.documentation.partition("Parameters\n----------\n")
    if not parameters:
        return f"{head}\n\nParameters\n----------\n{arrays}{shared}"
    own, _, rest = tail.partition("\n\n")
    return textwrap.dedent(f"{head}{parameters}{arrays}{own}\n{shared}" + (f"\n{rest}" if rest else ""))
