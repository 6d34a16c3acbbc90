"""From what the user asks for to metrics with every setting bound, and the signature of each score."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from disentangle_metrics.errors import InputError
from disentangle_metrics.metrics.definition import MetricDefinition, setting_text
from disentangle_metrics.metrics.lookup import find_scores
from disentangle_metrics.scoring.protocols import Protocol, find_protocol
from disentangle_metrics.version import __version__


class Metric:
    """A metric with some of its settings chosen: ``dm.Metric("mig", bins=10)``.

    Raises
    ------
    InputError
        If the metric or a setting is unknown.
    """

    def __init__(self, name: str, **settings: Any) -> None:
        _check_settings(find_scores(name)[0], settings)
        self.name, self.settings = name, settings

    def __repr__(self) -> str:
        settings = "".join(f", {name}={value!r}" for name, value in self.settings.items())
        return f"Metric({self.name!r}{settings})"


@dataclass(frozen=True)
class BoundMetric:
    """A metric with a value for every setting, and which of its scores were asked for."""

    definition: MetricDefinition
    settings: Mapping[str, Any]
    keys: tuple[str, ...]

    def signature(self, key: str, shape: tuple[int, int, int], seed: int, extra: Mapping[str, str]) -> str:
        """One line that pins everything which can change the score."""
        parts = [key]
        parts += [f"{name}:{text}" for name, text in sorted(self._spoken().items())]
        facts: dict[str, object] = {**dict(zip("nDK", shape, strict=True)), **extra}
        if not self.definition.needs_factors:
            del facts["K"]  # the factors cannot change the score
        if self.definition.uses_seed(self.settings):
            facts.setdefault("seed", seed)
        parts += [f"{name}:{value}" for name, value in facts.items()]
        parts += [f"def:{self.definition.version}", f"dm:{__version__}"]
        if self.definition.sklearn:
            from importlib.metadata import version

            parts.append(f"sklearn:{version('scikit-learn')}")
        return "|".join(parts)

    def _spoken(self) -> dict[str, str]:
        """The settings as text, without those that are silent at their defaults or do not matter."""
        texts = {
            name: setting_text(value)
            for name, value in self.settings.items()
            if self.definition.matters(name, self.settings)
        }
        defaults = self.definition.settings
        for name in self.definition.silent:
            if name in texts and texts[name] == setting_text(defaults[name]):
                del texts[name]
        return texts


def bind(metrics: Iterable[str | Metric] | str | Metric | None, protocol: str) -> list[BoundMetric]:
    """The metrics asked for, with the protocol's settings under the user's own.

    Parameters
    ----------
    metrics
        Report keys ("dci_completeness"), metric names ("dci"), :class:`Metric` objects; None is
        the protocol's suite.
    protocol
        A protocol's name.

    Raises
    ------
    InputError
        If something is unknown (near names are suggested) or asked for twice with other settings.
    """
    chosen = find_protocol(protocol)
    if metrics is None:
        metrics = chosen.suite
    if isinstance(metrics, str | Metric):
        metrics = [metrics]
    bound: dict[str, BoundMetric] = {}
    for item in metrics:
        name, own = (item.name, item.settings) if isinstance(item, Metric) else (item, {})
        definition, keys = find_scores(name)
        request = BoundMetric(definition, _settings(definition, own, chosen), keys)
        if definition.name in bound:
            request = _merged(bound[definition.name], request)
        bound[definition.name] = request
    if not bound:
        raise InputError("`metrics` is empty; pass None for the protocol's suite")
    return list(bound.values())


def _merged(first: BoundMetric, second: BoundMetric) -> BoundMetric:
    name = first.definition.name
    texts = [{k: setting_text(v) for k, v in request.settings.items()} for request in (first, second)]
    if texts[0] != texts[1]:
        raise InputError(
            f"`metrics` asks for {name!r} twice with different settings; score them in two calls"
        )
    keys = tuple(key for key in first.definition.keys if key in first.keys + second.keys)
    return BoundMetric(first.definition, first.settings, keys)


def _settings(definition: MetricDefinition, own: Mapping[str, Any], protocol: Protocol) -> dict[str, Any]:
    return {**definition.settings, **protocol.settings.get(definition.name, {}), **own}


def _check_settings(definition: MetricDefinition, settings: Mapping[str, Any]) -> None:
    for name in settings:
        if name not in definition.settings:
            near = difflib.get_close_matches(name, definition.settings, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise InputError(
                f"{definition.name!r} has no setting {name!r}{hint}; it has {', '.join(definition.settings)}"
            )
