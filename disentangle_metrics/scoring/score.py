"""score(): check the input once, share relations between metrics, collect the numbers in a report."""

from __future__ import annotations

import contextlib
import math
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from disentangle_metrics.errors import InputError, NotApplicable, ScoreWarning
from disentangle_metrics.inputs.inputs import Inputs, Missing, check
from disentangle_metrics.metrics.definition import Labelled, MetricValue
from disentangle_metrics.relations.incomplete import relate
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.scoring import anchors as resampling
from disentangle_metrics.scoring.intervals import Bounds, IntervalOptions, clipped, intervals
from disentangle_metrics.scoring.report import Report, Score
from disentangle_metrics.scoring.requests import BoundMetric, Metric, bind

Anchors = bool | Literal["all"]
Advance = Callable[[str], None]


def score(
    latents: Any,
    factors: Any,
    *,
    metrics: Iterable[str | Metric] | str | Metric | None = None,
    protocol: str = "default",
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | None = None,
    latent_names: Iterable[str] | None = None,
    missing: Missing = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: Anchors = True,
    progress: bool = False,
) -> Report:
    """Score whether latents are a disentangled representation of factors.

    Parameters
    ----------
    latents
        Shape (N, D), real numbers; or a :class:`GaussianPosterior`. Arrays of any framework, data
        frames and lists are taken.
    factors
        Shape (N, K): the known factors of the same N samples, an array or a DataFrame. Integers,
        strings, booleans and categoricals are categories; floats with a fractional part are
        continuous. None, if the metrics asked for read the latents alone.
    metrics
        Report keys, metric names, or ``dm.Metric(name, setting=...)``; None is the protocol's suite.
    protocol
        A named, published set of settings; see ``dm-eval --list``.
    factor_names, latent_names
        Names, if not those of the DataFrames' columns.
    factor_types
        "categorical", "ordinal" or "continuous" for each factor, or by name.
    missing
        "raise": refuse missing (NaN, None, NA, masked) and infinite numbers, naming the first row and
        column. "drop": leave out rows whose latents have one. A row without a value of some factor is
        left out for that factor alone by the metrics that treat each factor by itself (of mutual
        information, correlation or one predictor per factor, such as mig, modularity, dci, sap, mcc and
        infomec), and altogether by those of several factors at once (votes, irs, omes, unibound, dmig, xmig,
        dlig, minimality). Chance is taken on the same rows, the ceiling on rows with a value of every
        factor. Warnings say how many rows were left out; signatures hold ``missing:drop``.
    seed
        Seed of everything that draws. The same seed gives the same bits, whatever `n_jobs`.
    n_jobs
        Processes that train predictors, one for each factor (dci, sap, explicitness, infomec); -1 uses
        every core. They map one file of the rows, and copy none.
    confidence
        Give each score a confidence interval of this nominal coverage, such as 0.95: where the score of
        the whole source lies, in the bins of these rows, with the bias of few rows taken off (bootstrap
        or half samples); for probes, what other samples of as many rows would score (half samples); for
        scores of votes, what many more votes on these rows would (Wilson's). See
        :mod:`disentangle_metrics.scoring.intervals`. None: no intervals.
    replicates
        Resamples for each interval; None: 200, and 20 where probes are trained anew on each (then
        taken as normal), which takes 20 times as long as the score.
    anchors
        Chance and ceiling of each score: True for all metrics that are not slow, "all", or False.
    progress
        Show a progress bar on stderr.

    Returns
    -------
    Report
        One Score per key. A metric that has no value on this input is there with NaN and a reason.

    Raises
    ------
    InputError
        If an argument cannot be used; the message says which, and what to do.
    """
    inputs = check(
        latents,
        factors,
        factor_names=factor_names,
        factor_types=factor_types,
        latent_names=latent_names,
        missing=missing,
    )
    requests = bind(metrics, protocol)
    report = score_inputs(
        inputs,
        requests,
        protocol=protocol,
        seed=seed,
        n_jobs=n_jobs,
        confidence=confidence,
        replicates=replicates,
        anchors=anchors,
        progress=progress,
    )
    for text in report.warnings:
        warnings.warn(text, ScoreWarning, stacklevel=2)
    return report


def score_inputs(
    inputs: Inputs,
    requests: list[BoundMetric],
    *,
    protocol: str,
    seed: int,
    n_jobs: int | None,
    anchors: Anchors,
    confidence: float | None = None,
    replicates: int | None = None,
    progress: bool = False,
    strict: bool = False,
    relations: Relations | None = None,
) -> Report:
    """Score checked input. `strict` lets a metric's exception through rather than making it a reason.

    `relations` are those of the input where it has them already; anchors and intervals need its rows.
    """
    options = check_options(
        seed=seed, n_jobs=n_jobs, anchors=anchors, confidence=confidence, replicates=replicates
    )
    if not inputs.factors and all(request.definition.needs_factors for request in requests):
        names = ", ".join(request.definition.name for request in requests)
        raise InputError(f"`factors` is None, but {names} cannot be scored without factors")
    anchored = [request for request in requests if _has_anchors(request, anchors, inputs)]
    steps = len(requests) + len(anchored) * (resampling.PERMUTATIONS + 1)
    steps += sum(options.replicates_of(request) for request in requests) if options else 0
    seconds: dict[str, float] = {}
    with _progress(steps, progress) as advance:

        def run(relations: Relations, chosen: list[BoundMetric], note: str) -> dict[str, MetricValue]:
            values: dict[str, MetricValue] = {}
            for request in chosen:
                name = request.definition.name
                advance(f"{name}{note}")
                start = time.perf_counter()
                values.update(_values(request, relations, strict))
                seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - start
            return values

        def numbers(part: Inputs, note: str) -> dict[str, float]:
            found = run(relate(part, seed=seed, n_jobs=n_jobs), anchored, note)
            return {key: value.value for key, value in found.items()}

        whole = relations or relate(inputs, seed=seed, n_jobs=n_jobs)
        values = run(whole, requests, "")
        floor: Mapping[str, float] = {}
        top: Mapping[str, float] = {}
        if anchored:
            rng = np.random.default_rng([seed, *b"chance"])
            floor = resampling.chance(lambda part: numbers(part, ", chance"), inputs, rng)
            top = resampling.ceiling(lambda part: numbers(part, ", ceiling"), inputs)
        bounds: Mapping[str, Bounds] = {}
        if options is not None:
            bounds, without = intervals(run, whole, requests, values, options)
            values |= {
                k: replace(values[k], warnings=(*values[k].warnings, why)) for k, why in without.items()
            }
        advance("done")
    scores = {
        key: replace(
            _score(request, key, values[key], inputs, seed, options),
            chance=floor.get(key),
            ceiling=top.get(key),
            interval=None if key not in bounds else clipped(bounds[key], request.definition.facts(key).range),
        )
        for request in requests
        for key in request.keys
    }
    return Report(
        scores=scores,
        protocol=protocol,
        seed=seed,
        shape=inputs.shape,
        factor_names=inputs.factor_names,
        latent_names=inputs.latent_names,
        confidence=None if confidence is None else float(confidence),
        warnings=inputs.warnings,
        seconds=seconds,
    )


def check_options(
    *, seed: Any = 0, n_jobs: Any = 1, anchors: Any = True, confidence: Any = None, replicates: Any = None
) -> IntervalOptions | None:
    """What was asked for in the way of intervals.

    Raises
    ------
    InputError
        If an option cannot be used.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"`seed` must be a whole number of at least 0, got {seed!r}")
    whole = isinstance(n_jobs, int | np.integer) and not isinstance(n_jobs, bool)
    if n_jobs is not None and not (whole and n_jobs):
        raise InputError(
            f"`n_jobs` must be a number of processes, -1 for one on each core, or None, got {n_jobs!r}"
        )
    if anchors not in (True, False, "all"):
        raise InputError(f"`anchors` must be True, False or 'all', got {anchors!r}")
    if confidence is None and replicates is not None:
        raise InputError("`replicates` is the number of resamples for intervals: pass `confidence` too")
    return None if confidence is None else IntervalOptions(confidence, replicates)


def _has_anchors(request: BoundMetric, anchors: Anchors, inputs: Inputs) -> bool:
    if not inputs.factors:
        return False
    cost = request.definition.anchors
    return bool(anchors) and (cost == "cheap" or (cost == "costly" and anchors == "all"))


def _values(request: BoundMetric, relations: Relations, strict: bool) -> dict[str, MetricValue]:
    """The metric's values by key; NaN with the reason where it has none."""
    definition = request.definition
    try:
        if definition.needs_factors and not relations.inputs.factors:
            raise NotApplicable(f"{definition.name} needs factors, and none were given")
        if definition.needs_factors and not definition.by_factor:
            relations = relations.complete_cases()
        arguments = [relations.generator(definition.name)] if definition.takes_rng else []
        value = definition.compute(relations, *arguments, **request.settings)
    except NotApplicable as error:
        return {key: MetricValue(math.nan, reason=str(error)) for key in definition.keys}
    except InputError:
        raise
    except Exception as error:
        if strict:
            raise
        # One metric that fails must not lose the others' numbers.
        reason = f"failed: {type(error).__name__}: {error}"
        return {key: MetricValue(math.nan, reason=reason, warnings=(f"{definition.name} {reason}",))
                for key in definition.keys}  # fmt: skip
    return value if isinstance(value, dict) else {definition.keys[0]: value}


def _score(
    request: BoundMetric,
    key: str,
    value: MetricValue,
    inputs: Inputs,
    seed: int,
    options: IntervalOptions | None,
) -> Score:
    import pandas as pd

    facts = request.definition.facts(key)
    labels = {"latents": list(inputs.latent_names), "factors": list(inputs.factor_names)}

    def series(part: Any, axis: str) -> Any:
        return None if part is None else pd.Series(part, index=labels[axis], name=key, dtype=float)

    def table(item: Labelled | float | int | str) -> Any:
        if not isinstance(item, Labelled):
            return item
        if len(item.axes) == 1:
            return pd.Series(item.values, index=labels[item.axes[0]])
        return pd.DataFrame(item.values, index=labels[item.axes[0]], columns=labels[item.axes[1]])

    extra = _facts(inputs, request.definition.needs_factors)
    if options is not None:
        extra |= options.signature(request, key, seed)
    return Score(
        key=key,
        value=float(value.value),
        signature=request.signature(key, inputs.shape, seed, extra),
        per_factor=series(value.per_factor, "factors"),
        per_latent=series(value.per_latent, "latents"),
        details={name: table(item) for name, item in value.details.items()},
        warnings=(*inputs.warnings, *value.warnings),
        reason=value.reason,
        range=facts.range,
        direction=facts.direction,
        property=facts.property,
    )


def _facts(inputs: Inputs, factors: bool) -> dict[str, str]:
    """For the signature: whether rows may be dropped, and the factors' kinds unless all are categories."""
    facts = dict(inputs.facts) if inputs.missing == "raise" else {**inputs.facts, "missing": inputs.missing}
    if not factors:
        return facts
    letters = "".join({"categorical": "c", "ordinal": "o", "continuous": "r"}[f.kind] for f in inputs.factors)
    return facts if set(letters) == {"c"} else {**facts, "kinds": letters}


@contextlib.contextmanager
def _progress(steps: int, shown: bool) -> Iterator[Advance]:
    if not shown:
        yield lambda name: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("scoring"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=steps, completed=-1)

        def advance(name: str) -> None:
            bar.update(task, advance=1, description=name)

        yield advance
