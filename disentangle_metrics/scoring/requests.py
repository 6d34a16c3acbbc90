"""From what the user asks for to requests, in which everything that can be refused or asked is decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from disentangle_metrics import settings as types
from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.inputs import Inputs
from disentangle_metrics.inputs.joint_cells import JointCells
from disentangle_metrics.kit.near_names import did_you_mean
from disentangle_metrics.metrics.definition import Interval, MetricDefinition, ScoreDefinition
from disentangle_metrics.metrics.lookup import find_scores
from disentangle_metrics.scoring import signatures
from disentangle_metrics.scoring.protocols import PROTOCOLS, Protocol

REPLICATES = 200  # resamples for an interval
COSTLY_REPLICATES = 20  # for metrics that train probes; the interval is then a normal one
LETTERS = {"categorical": "c", "ordinal": "o", "continuous": "r", "circular": "p"}

Anchors = bool | Literal["all"]


class Metric:
    """A metric with some of its settings chosen: ``dm.Metric("mig", bins=10)``.

    Raises
    ------
    InputError
        If the metric or a setting is unknown, or a setting cannot have its value.
    """

    def __init__(self, name: str, **settings: Any) -> None:
        _check(find_scores(name)[0], settings)
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
        definition = find_scores(key)[0]
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


@dataclass(frozen=True)
class Request:
    """A metric about to be run on an input, with everything decided.

    Attributes
    ----------
    name, compute, settings
        The metric's name, its function, and the settings to call it with.
    draws
        Whether the function takes a generator.
    scores, signatures
        The scores asked for, and the signature of each by its key.
    needs_factors, complete_rows, labels_as_numbers
        Whether it reads the factors, only rows with a value of all, and categories as numbers.
    anchored
        Whether chance and ceiling are computed.
    interval, replicates
        Which confidence interval it gets, "none" if none is asked for, and from how many resamples.
    of_numbers
        Its name, or those of its scores, that read the values of a categorical latent as numbers.
    left_out
        Why it is not run at all; empty if it is.
    by_neighbours
        Whether information is estimated from neighbours since groups of latents have too many cells.
    suffix
        What the keys of its scores have besides, where the metric is asked for with several settings.
    """

    name: str
    compute: Callable[..., Any]
    settings: Mapping[str, Any]
    draws: bool
    scores: tuple[ScoreDefinition, ...]
    signatures: Mapping[str, str]
    needs_factors: bool
    complete_rows: bool
    anchored: bool
    interval: Interval
    replicates: int
    of_numbers: tuple[str, ...] = ()
    labels_as_numbers: bool | Callable[[Mapping[str, Any]], bool] = False
    left_out: str = ""
    by_neighbours: bool = False
    suffix: str = ""


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


def bind(choices: Sequence[Choice], options: Options, inputs: Inputs) -> list[Request]:
    """What to run on this input, with everything decided: nothing behind this asks a definition again.

    A metric that is chosen with several settings has each in the keys of its scores, as a signature has it,
    but for those that are its defaults and the protocol's: "mcc" and "mcc|correlation:spearman".

    Raises
    ------
    InputError
        If there are no factors and every metric needs them, or a signature that was given is of another
        input or another call.
    """
    if not inputs.factors and all(choice.definition.needs_factors for choice in choices):
        names = ", ".join(choice.definition.name for choice in choices)
        raise InputError(f"{names} cannot be scored without `factors`")
    shape = dict(zip("nDK", map(str, inputs.shape), strict=True))
    said = dict(inputs.facts) if inputs.missing == "raise" else {**inputs.facts, "missing": inputs.missing}
    kinds = "".join([LETTERS[factor.kind] for factor in inputs.factors])
    periods = ",".join([f"{f.period:.12g}" for f in inputs.factors if f.period is not None])
    cells = JointCells(inputs) if inputs.groups else None
    asked = [choice.definition.name for choice in choices]
    requests = []
    for choice in choices:
        definition, settings = choice.definition, choice.settings
        several = asked.count(definition.name) > 1
        suffix = signatures.told_apart(definition, settings, choice.usual) if several else ""
        complete = definition.needs_factors and not definition.by_factor
        by_neighbours = (
            cells is not None
            and settings.get("estimator") == "histogram"
            and not cells.can_be_counted(settings["bins"], settings.get("factor_bins"), complete)
        )
        if by_neighbours:
            settings = {**settings, "estimator": "nearest_neighbours"}
        if settings.get("active") == "auto" and inputs.logvar is None:
            settings = signatures.with_rule_of_arrays(definition, settings)
        facts = {**shape, **said}
        if inputs.groups:  # whose neighbours are told apart by noise, and whose correlations need folds
            facts["seed"] = str(options.seed)
        if not definition.needs_factors:
            del facts["K"]  # the factors cannot change the score
            if facts.get("missing") == "by_design":
                del facts["missing"]
        else:
            facts["kinds"] = kinds
            if periods:
                facts["periods"] = periods
        interval, replicates = _interval(definition, settings, options, bool(inputs.groups))
        given = definition.scores_with(settings) if definition.range_with else definition.scores
        scores = tuple(score for score in given if score.key in choice.keys)
        said_of = {
            score.key: {**facts, **_interval_facts(score, interval, replicates, options)} for score in scores
        }
        left_out = _too_wide(choice, inputs.shape[1])
        of_numbers = _of_numbers(definition, settings, scores)
        lines = signatures.written(definition, settings, said_of, options.seed, choice.pins)
        if suffix:
            scores = tuple(replace(score, key=score.key + suffix) for score in scores)
            lines = {key + suffix: text for key, text in lines.items()}
        requests.append(
            Request(
                name=definition.name,
                compute=definition.compute,
                settings=settings,
                draws=definition.takes_rng,
                scores=scores,
                signatures=lines,
                needs_factors=definition.needs_factors,
                complete_rows=complete,
                anchored=bool(inputs.factors and options.anchors and not left_out)
                and definition.anchors in (("cheap", "costly") if options.anchors == "all" else ("cheap",)),
                interval=interval,
                replicates=0 if left_out else replicates,
                of_numbers=of_numbers,
                labels_as_numbers=definition.labels_as_numbers,
                left_out=left_out,
                by_neighbours=by_neighbours,
                suffix=suffix,
            )
        )
    return requests


def _of_numbers(
    definition: MetricDefinition, settings: Mapping[str, Any], scores: Sequence[ScoreDefinition]
) -> tuple[str, ...]:
    """What reads latents as numbers: all but information that is counted, or that of neighbours."""
    counts = "mutual information" in definition.relation and not definition.needs_posterior
    if not counts or str(settings.get("estimator")).startswith("posterior"):
        return (definition.name,)
    return tuple(score.key for score in scores if score.key in definition.of_numbers)


def _too_wide(choice: Choice, latents: int) -> str:
    """Why a metric of the suite is left out of so many latents; empty if it is not."""
    most = choice.definition.most_latents
    if choice.by_name or most is None or latents <= most:
        return ""
    return (
        f"left out of the suite, since {latents:,} latents take long (it has it up to {most:,}): ask for it "
        f"by name, `metrics=[{choice.definition.name!r}]`"
    )


def _interval(
    definition: MetricDefinition, settings: Mapping[str, Any], options: Options, grouped: bool
) -> tuple[Interval, int]:
    """Which interval suits the metric with these settings, and how many resamples it takes."""
    if options.confidence is None:
        return "none", 0
    interval = definition.interval_with(settings, grouped)
    if interval not in ("bootstrap", "subsample"):
        return interval, 0
    if options.replicates is not None:
        return interval, int(options.replicates)
    return interval, COSTLY_REPLICATES if definition.anchors == "costly" else REPLICATES


def _interval_facts(
    score: ScoreDefinition, interval: Interval, replicates: int, options: Options
) -> dict[str, str]:
    """What the signature of a score says of its interval."""
    if options.confidence is None:
        return {}
    facts = {"confidence": repr(float(options.confidence))}
    if score.no_interval:
        return {**facts, "interval": "none"}
    facts["interval"] = interval
    return {**facts, "replicates": str(replicates), "seed": str(options.seed)} if replicates else facts
