"""The metrics, one file per family, and the one door for them: :func:`metric`.

Each is a pure function of relations, decorated with the facts about it. Built-in ones, those of installed
packages and a user's own all come through the same decorator.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack, overload

from disentangle_metrics.errors import InputError, PluginError
from disentangle_metrics.metrics.catalogue import BUILTIN
from disentangle_metrics.registry import Registry

if TYPE_CHECKING:  # a definition needs NumPy, which importing the package must not load
    from disentangle_metrics.metrics.definition import (
        Anchor,
        Direction,
        Interval,
        MetricDefinition,
        MetricValue,
        ScoreDefinition,
    )

Compute = TypeVar("Compute", bound="Callable[..., MetricValue | float | Mapping[str, MetricValue | float]]")


VARIABLE: tuple[Any, ...] = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
BY_PLACE: tuple[Any, ...] = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.VAR_POSITIONAL,
)


class Facts(TypedDict, total=False):
    """What may be said of a metric beside its scores; the defaults are those of :class:`MetricDefinition`."""

    relation: str
    source: str
    version: int
    anchors: Anchor
    scale_free: bool
    label_free: bool
    sklearn: bool
    silent: tuple[str, ...]
    only_with: Mapping[str, tuple[Any, ...]]
    always_named: tuple[str, ...]
    range_with: Mapping[str, tuple[Any, tuple[float, float]]]
    needs_factors: bool
    needs_posterior: bool
    by_factor: bool
    interval: Interval
    interval_studied: bool
    suite: bool
    most_latents: int | None
    of_numbers: tuple[str, ...]
    labels_as_numbers: bool | Callable[[Mapping[str, Any]], bool]
    from_counts: bool


class Metrics(Registry):
    """The metrics by name; :meth:`load` gives the definition of each."""

    @cached_property
    def builtin_keys(self) -> dict[str, str]:
        """Every score key of the built-in metrics, and the name of the metric that gives it."""
        return {key: name for name in self.builtin for key in self.load(name).keys}

    def load(self, name: str) -> MetricDefinition:
        """The definition of the metric of this name.

        Raises
        ------
        InputError
            If the name is unknown.
        PluginError
            If it is that of a plug-in that cannot be loaded, has no facts, or takes a built-in's score key.
        """
        metric = super().load(name)
        definition: MetricDefinition | None = getattr(metric, "definition", None)
        if definition is None:
            if callable(metric):
                raise PluginError(
                    f"the metric {name!r} is a function without facts: decorate it with `@dm.metric`"
                )
            definition = metric
        if name not in self.builtin and (taken := set(definition.keys) & set(self.builtin_keys)):
            raise PluginError(_taken(name, min(taken), self.builtin_keys[min(taken)]))
        return definition

    def owner_elsewhere(self, key: str, compute: Any) -> str | None:
        """The metric that has this score key: built-in, or added by a package other than `compute`'s."""
        for name, other in self._added.items():
            if key in other.keys and _package(other.compute) != _package(compute):
                return name
        return self.builtin_keys.get(key)


def _package(function: Any) -> str:
    module = getattr(function, "__module__", None) or ""  # none where code is executed as text
    return module.partition(".")[0]


def _taken(name: str, key: str, owner: str) -> str:
    return f"the metric {name!r} gives the score {key!r}, which is that of the metric {owner!r}: rename it"


METRICS = Metrics(
    kind="metric",
    group="disentangle_metrics.metrics",
    builtin={name: f"disentangle_metrics.metrics.{name}:{name}" for name in BUILTIN},
)


@overload
def metric(compute: Compute, /) -> Compute: ...


@overload
def metric(
    *,
    name: str | None = None,
    property: str = "",
    range: tuple[float, float] = (0.0, 1.0),
    direction: Direction = "up",
    no_interval: str = "",
    meaning: str = "",
    has_ceiling: bool = True,
    scores: Sequence[ScoreDefinition] = (),
    **facts: Unpack[Facts],
) -> Callable[[Compute], Compute]: ...


def metric(
    compute: Any = None,
    /,
    *,
    name: str | None = None,
    property: str = "",
    range: tuple[float, float] = (0.0, 1.0),
    direction: Direction = "up",
    no_interval: str = "",
    meaning: str = "",
    has_ceiling: bool = True,
    scores: Sequence[ScoreDefinition] = (),
    **facts: Unpack[Facts],
) -> Any:
    """Make the decorated function a metric, for ``score(..., metrics=[name])``.

    The function takes ``relations`` (latents, factors and the tables between them), then `rng` if
    it draws, then its settings as keyword-only arguments with defaults. It returns a
    :class:`MetricValue` or a number, or a dict of them by score key if `scores` lists several. A setting
    with a type is checked before any work, see :mod:`disentangle_metrics.settings`.

    Parameters
    ----------
    name
        Default: the function's name.
    property, range, direction, no_interval, meaning, has_ceiling
        Of its one score: what it measures ("modularity", "compactness", ...), its range, "up" or "down",
        the reason why it has no confidence interval, if it has none, one plain sentence on it, and whether
        the factors as the code are its ceiling.
    scores
        For a metric with several scores, one ScoreDefinition each.
    **facts
        The fields of :class:`MetricDefinition`, with the same defaults.

    Raises
    ------
    InputError
        If the name is that of another metric, built-in or of an installed plug-in, or is no Python name; or
        a score's key is that of a metric from elsewhere.
    """

    def register(compute: Compute) -> Compute:
        from disentangle_metrics.metrics.definition import MetricDefinition, ScoreDefinition

        key = name or compute.__name__
        if not key.isidentifier():
            raise InputError(f"a metric's name must be a Python name, got {key!r}")
        _check_parameters(key, compute)
        own = ScoreDefinition(key, property, range, direction, no_interval, meaning, has_ceiling)
        known = tuple(scores) or (own,)
        definition = MetricDefinition(name=key, compute=compute, scores=known, **facts)
        for taken in definition.keys if key not in METRICS.builtin else ():
            if (owner := METRICS.owner_elsewhere(taken, compute)) not in (None, key):
                raise InputError(_taken(key, taken, str(owner)))
        METRICS.add(key, definition, module=compute.__module__)
        compute.definition = definition  # type: ignore[attr-defined]
        return compute

    return register if compute is None else register(compute)


def _check_parameters(key: str, compute: Callable[..., Any]) -> None:
    """Refuse a function that no score can call."""
    signature = inspect.signature(compute)
    parameters = list(signature.parameters.values())
    relations = bool(parameters) and parameters[0].kind in BY_PLACE
    needed = [one.name for one in parameters[1:] if one.default is one.empty and one.kind not in VARIABLE]
    if not relations or [name for name in needed if name != "rng"]:
        raise InputError(
            f"the metric {key!r} must take `relations`, then `rng` if it draws, then settings with defaults; "
            f"it takes {signature}; `relations.latents` are the latents, and "
            "`relations.inputs.factors[k].as_numbers()` is factor k"
        )
