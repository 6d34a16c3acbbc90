"""Requests: what is asked for, bound to an input, with everything decided that can be refused or asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.inputs import Inputs
from disentangle_metrics.inputs.joint_cells import JointCells
from disentangle_metrics.metrics.definition import Interval, MetricDefinition, ScoreDefinition
from disentangle_metrics.scoring import signatures
from disentangle_metrics.scoring.requests import Choice, Options

REPLICATES = 200  # resamples for an interval
COSTLY_REPLICATES = 20  # for metrics that train probes; the interval is then a normal one
LETTERS = {"categorical": "c", "ordinal": "o", "continuous": "r", "circular": "p"}


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
    cells = JointCells(inputs) if inputs.groups else None
    asked = [choice.definition.name for choice in choices]
    return [
        _bound(choice, options, inputs, cells, asked.count(choice.definition.name) > 1) for choice in choices
    ]


def _bound(
    choice: Choice, options: Options, inputs: Inputs, cells: JointCells | None, several: bool
) -> Request:
    """The request of one choice; `several` says whether its metric was chosen with other settings too."""
    definition = choice.definition
    complete = definition.needs_factors and not definition.by_factor
    by_neighbours = cells is not None and not _can_be_counted(choice.settings, cells, complete)
    settings = {**choice.settings, "estimator": "nearest_neighbours"} if by_neighbours else choice.settings
    if settings.get("active") == "auto" and inputs.logvar is None:
        settings = signatures.with_rule_of_arrays(definition, settings)
    suffix = signatures.told_apart(definition, choice.settings, choice.usual) if several else ""
    interval, replicates = _interval(definition, settings, options, bool(inputs.groups))
    given = definition.scores_with(settings) if definition.range_with else definition.scores
    scores = tuple(score for score in given if score.key in choice.keys)
    facts = _facts(definition, inputs, options.seed)
    facts_of = {
        score.key: {**facts, **_interval_facts(score, interval, replicates, options)} for score in scores
    }
    lines = signatures.written(definition, settings, facts_of, options.seed, choice.pins)
    left_out = _too_wide(choice, inputs.shape[1])
    wanted = ("cheap", "costly") if options.anchors == "all" else ("cheap",) if options.anchors else ()
    return Request(
        name=definition.name,
        compute=definition.compute,
        settings=settings,
        draws=definition.takes_rng,
        scores=tuple(replace(score, key=score.key + suffix) for score in scores) if suffix else scores,
        signatures={key + suffix: line for key, line in lines.items()},
        needs_factors=definition.needs_factors,
        complete_rows=complete,
        anchored=bool(inputs.factors) and not left_out and definition.anchors in wanted,
        interval=interval,
        replicates=0 if left_out else replicates,
        of_numbers=_of_numbers(definition, settings, scores),
        labels_as_numbers=definition.labels_as_numbers,
        left_out=left_out,
        by_neighbours=by_neighbours,
        suffix=suffix,
    )


def _can_be_counted(settings: Mapping[str, Any], cells: JointCells, complete: bool) -> bool:
    """Whether groups of latents have rows enough for a histogram, if that is what the settings ask for."""
    if settings.get("estimator") != "histogram":
        return True
    return cells.can_be_counted(settings["bins"], settings.get("factor_bins"), complete)


def _facts(definition: MetricDefinition, inputs: Inputs, seed: int) -> dict[str, str]:
    """What the signatures of a metric say of the input, and of the seed where the input makes it draw."""
    facts = {**dict(zip("nDK", map(str, inputs.shape), strict=True)), **inputs.facts}
    if inputs.missing != "raise":
        facts["missing"] = inputs.missing
    if inputs.groups:  # whose neighbours are told apart by noise, and whose correlations need folds
        facts["seed"] = str(seed)
    if not definition.needs_factors:
        del facts["K"]  # the factors cannot change the score
        if facts.get("missing") == "by_design":
            del facts["missing"]
        return facts
    facts["kinds"] = "".join(LETTERS[factor.kind] for factor in inputs.factors)
    if periods := ",".join(f"{f.period:.12g}" for f in inputs.factors if f.period is not None):
        facts["periods"] = periods
    return facts


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
