"""What is asked for, whatever the input: metrics with their settings, and options; each is checked here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import numpy as np

from disentangle_metrics import settings as types
from disentangle_metrics.errors import InputError
from disentangle_metrics.kit.near_names import did_you_mean
from disentangle_metrics.metrics.definition import MetricDefinition
from disentangle_metrics.metrics.lookup import find_metric, find_scores
from disentangle_metrics.scoring import signatures
from disentangle_metrics.scoring.protocols import PROTOCOLS, Protocol

Anchors = bool | Literal["all"]


class Metric:
    """A metric with some of its settings chosen: ``dm.Metric("mig", bins=10)``.

    Raises
    ------
    InputError
        If the metric or a setting is unknown, or a setting cannot have its value.
    """

    def __init__(self, name: str, **settings: Any) -> None:
        _check(find_metric(name), settings)
        self.name, self.settings = name, settings
        self.pinned: Mapping[str, str] = {}

    @classmethod
    def parse(cls, signature: str) -> Metric:
        """The metric that a signature is of, so that a published score can be computed again.

        A whole signature, which has ``def:``, is honoured whole, whatever the protocol: a setting that it
        does not name has its default. A part of one, such as ``mig|bins:10``, pins what it names; the other
        settings are the protocol's. What else it says must hold where it is scored: n, D, K, the kinds of
        factors, `missing`, `seed`, `confidence` and `replicates`, and the definition's version. The
        versions of this package and of scikit-learn may differ; the new signature has today's.

        Raises
        ------
        InputError
            If it cannot be read, or holds a value that text cannot bring back, such as a fitted probe.
            Where what it pins does not hold, scoring raises it.

        Examples
        --------
        >>> import disentangle_metrics as dm
        >>> dm.Metric.parse("mig|bins:10|n:400").settings["bins"]
        10
        """
        if not isinstance(signature, str):
            raise InputError(f"`signature` must be a line of text, got {type(signature).__name__}")
        key = signature.strip().partition("|")[0]
        definition = find_metric(key)
        settings, pinned = signatures.parsed(signature, definition)
        metric = cls(key, **{**(definition.settings if "def" in pinned else {}), **settings})
        metric.pinned = pinned
        return metric

    def __repr__(self) -> str:
        settings = "".join(f", {name}={value!r}" for name, value in self.settings.items())
        return f"Metric({self.name!r}{settings})"


@dataclass(frozen=True)
class Options:
    """How to score, whatever the metrics: see :func:`.score.score`.

    Raises
    ------
    InputError
        If an option cannot be used.
    """

    seed: int = 0
    n_jobs: int | None = 1
    anchors: Anchors = True
    confidence: float | None = None
    replicates: int | None = None
    permutations: int | None = None

    def __post_init__(self) -> None:
        if not _whole(self.seed) or self.seed < 0:
            raise InputError(f"`seed` must be a whole number of at least 0, got {self.seed!r}")
        if self.n_jobs is not None and not (_whole(self.n_jobs) and self.n_jobs):
            raise InputError(
                "`n_jobs` must be a number of processes, -1 for one on each core, or None, "
                f"got {self.n_jobs!r}"
            )
        if self.anchors not in (True, False, "all"):
            raise InputError(f"`anchors` must be True, False or 'all', got {self.anchors!r}")
        if self.permutations is not None:
            if not _whole(self.permutations) or self.permutations < 1:
                raise InputError(
                    f"`permutations` must be a whole number of at least 1, got {self.permutations!r}"
                )
            if not self.anchors:
                raise InputError(
                    "`permutations` gives each score with a chance level its p: leave anchors on"
                )
        if self.confidence is None:
            if self.replicates is not None:
                raise InputError(
                    "`replicates` is the number of resamples for intervals: pass `confidence` too"
                )
            return
        confidence = self.confidence
        if isinstance(confidence, bool) or not isinstance(confidence, int | float | np.number):
            raise InputError(f"`confidence` must be a number between 0 and 1, got {confidence!r}")
        if not 0 < confidence < 1:
            hint = f"; for {confidence:g} percent pass {confidence / 100:g}" if 1 < confidence < 100 else ""
            raise InputError(f"`confidence` must lie between 0 and 1, got {confidence!r}{hint}")
        if self.replicates is not None and (not _whole(self.replicates) or self.replicates < 2):
            raise InputError(f"`replicates` must be a whole number of at least 2, got {self.replicates!r}")


OPTIONS = tuple(option.name for option in fields(Options))


def _whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


@dataclass(frozen=True)
class Choice:
    """A metric that was asked for, with a checked value for every setting, before the input is known.

    `usual` has the settings that the protocol alone gives it; `keys` are those of its scores that were
    asked for; `by_name` says whether it was asked for itself, and not with the protocol's suite; `pins`
    holds for some of them what a signature that was given says of input and call.
    """

    definition: MetricDefinition
    settings: Mapping[str, Any]
    usual: Mapping[str, Any]
    keys: tuple[str, ...]
    pins: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    by_name: bool = True


def choose(metrics: Iterable[str | Metric] | str | Metric | None, protocol: str) -> list[Choice]:
    """The metrics asked for, with the protocol's settings under the user's own.

    Parameters
    ----------
    metrics
        Report keys ("dci_completeness"), metric names ("dci"), signatures ("mig|bins:10"),
        :class:`Metric` objects, a metric also with several settings; None is the protocol's suite.
    protocol
        A protocol's name.

    Raises
    ------
    InputError
        If something is unknown (near names are suggested), or cannot be.
    """
    if not isinstance(protocol, str):
        raise InputError(f"`protocol` must be a name, such as 'default', got {type(protocol).__name__}")
    published = PROTOCOLS[protocol]
    by_name = metrics is not None
    if metrics is None:
        metrics = published.suite
    if isinstance(metrics, str | Metric):
        metrics = [metrics]
    if not isinstance(metrics, Iterable) or isinstance(metrics, dict):
        hint = "; give settings as in `[dm.Metric('mig', bins=10)]`" if isinstance(metrics, dict) else ""
        name = type(metrics).__name__
        raise InputError(f"`metrics` must hold names or `dm.Metric` objects, got {name}{hint}")
    choices: dict[tuple[Any, ...], Choice] = {}
    for item in metrics:
        metric = Metric.parse(item) if isinstance(item, str) and "|" in item else item
        definition, keys = find_scores(metric.name if isinstance(metric, Metric) else metric)
        if isinstance(metric, Metric):
            pins = {key: metric.pinned for key in keys if metric.pinned}
            choice = choose_one(definition, metric.settings, published, keys, pins)
        else:
            choice = replace(choose_one(definition, {}, published, keys), by_name=by_name)
        said = (definition.name, *signatures.spoken(definition, choice.settings).items())
        choices[said] = _merged(choices[said], choice) if said in choices else choice
    if not choices:
        raise InputError("`metrics` is empty; pass None for the protocol's suite")
    return list(choices.values())


def choose_one(
    definition: MetricDefinition,
    own: Mapping[str, Any],
    protocol: Protocol,
    keys: tuple[str, ...],
    pins: Mapping[str, Mapping[str, str]] | None = None,
) -> Choice:
    """One metric, with the protocol's settings under the user's own."""
    usual = {**definition.settings, **protocol.settings.get(definition.name, {})}
    settings = {**usual, **own}
    _check(definition, settings)
    return Choice(definition, settings, usual, keys, pins or {})


def _check(definition: MetricDefinition, settings: Mapping[str, Any]) -> None:
    defaults = definition.settings
    for name in settings:
        if name not in defaults:
            hint = definition.by_place(name) or did_you_mean(name, defaults)
            raise InputError(
                f"{definition.name!r} has no setting {name!r}; {hint}it has {', '.join(defaults) or 'none'}"
            )
    types.check(settings, definition.types, defaults)


def _merged(first: Choice, second: Choice) -> Choice:
    """One metric that is asked for twice with the same settings."""
    keys = tuple(key for key in first.definition.keys if key in first.keys + second.keys)
    return replace(first, keys=keys, pins={**first.pins, **second.pins})
