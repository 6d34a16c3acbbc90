"""score(): check the input once, share relations between metrics, collect the numbers in a report."""

from __future__ import annotations

import contextlib
import math
import time
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from disentangle_metrics.checks import Check, gravest_first, texts_of
from disentangle_metrics.errors import InputError, NotApplicable, ScoreWarning
from disentangle_metrics.inputs.hierarchy import Hierarchy
from disentangle_metrics.inputs.inputs import Inputs, Missing, check
from disentangle_metrics.inputs.latent_groups import Groups
from disentangle_metrics.kit.progress import LateProgress, Share
from disentangle_metrics.metrics import METRICS
from disentangle_metrics.metrics.definition import Axis, Labelled, MetricValue
from disentangle_metrics.relations.relate import relate
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.reporting.view import SIZE
from disentangle_metrics.scoring import findings
from disentangle_metrics.scoring.anchors import PERMUTATIONS, ideals, mean_scores, p_values, permuted
from disentangle_metrics.scoring.annotated_parts import or_anndata
from disentangle_metrics.scoring.binding import Request, bind
from disentangle_metrics.scoring.evidence import Evidence, keep
from disentangle_metrics.scoring.intervals import Located, intervals, plans
from disentangle_metrics.scoring.older_signatures import refuse_rule_of_posteriors
from disentangle_metrics.scoring.plug_in_values import checked
from disentangle_metrics.scoring.protocols import PROTOCOLS
from disentangle_metrics.scoring.report import Report, Score
from disentangle_metrics.scoring.requests import Anchors, Choice, Metric, Options, choose
from disentangle_metrics.scoring.signatures import variant_fact

if TYPE_CHECKING:
    import pandas as pd


@or_anndata
def score(
    latents: Any,
    factors: Any,
    *,
    metrics: Iterable[str | Metric] | str | Metric | None = None,
    protocol: str = "default",
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | None = None,
    latent_names: Iterable[str] | None = None,
    latent_types: Iterable[str] | Mapping[str, str] | None = None,
    groups: Groups | None = None,
    hierarchy: Hierarchy | None = None,
    missing: Missing = "raise",
    variant: str = "",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: Anchors = True,
    permutations: int | None = None,
    progress: bool = False,
) -> Report:
    """Score whether latents are a disentangled representation of factors.

    Parameters
    ----------
    latents
        Shape (N, D), real numbers; or a :class:`GaussianPosterior`. Arrays of any framework, data
        frames and lists are taken. Of an AnnData object name the parts:
        ``dm.score(adata, latents="X_vae", factors=["batch", "cell_type"])``.
    factors
        Shape (N, K), or (N,) for one: the known factors of the same N samples, an array or a DataFrame. A
        Series names its factor. Strings and few numbers are categories, many numbers a measurement; the
        report says how each was read, by the rule of :mod:`disentangle_metrics.inputs.reading`. None, if the
        metrics asked for read latents alone.
    metrics
        Report keys, metric names, ``dm.Metric(name, setting=...)``, or signatures of scores to compute
        again (see :meth:`Metric.parse`); None is the protocol's suite. A metric may be there with several
        settings. Its scores then have keys such as "mcc" and "mcc|correlation:spearman".
    protocol
        A named, published set of settings; see ``dm-eval --list``.
    factor_names, latent_names
        Names, if not those of the DataFrames' columns.
    factor_types
        "categorical", "ordinal", "continuous" or "circular" for each factor, or by name. A circular one
        may name its period, as in "circular:360".
    latent_types
        "continuous" (the default), "categorical" for codes such as those of vector quantisation, or
        "circular:PERIOD" for each latent, or by name. Metrics of information count the values of a
        categorical latent instead of cutting it into bins; correlations and nearest neighbours go round
        circular ones; all others read numbers.
    groups
        Units of several latents, such as the layers of a model: names, and the columns of each by place
        or name, as in ``{"layer 1": [0, 1]}``. Each group is then one latent, and D counts groups; a column
        that is in none stays by itself. Metrics that have no definition for groups have no value, and
        say so. See :mod:`disentangle_metrics.relations.grouped`.
    hierarchy
        Which factors exist only under one value of another, their switch, as in
        ``{"phase": ("shape", "moon")}``. Everywhere else such a factor must be missing (NaN, None, NA), which
        is then no error, and a value there is one. Metrics that treat each factor by itself read it where it
        exists; metrics of several factors at once read the rows that have a value of every factor, and have
        no value if there are none.
    missing
        "raise": refuse missing (NaN, None, NA, masked) and infinite numbers, naming the first row and
        column. "drop": leave out rows whose latents have one. A row without a value of some factor is
        left out for that factor alone by the metrics that treat each factor by itself (of mutual
        information, correlation or one predictor per factor), and altogether by those of several factors
        at once; the card of each says which it is (see :func:`describe`). Chance is taken on the same
        rows, the ceiling on rows with a value of every factor. Warnings say how many rows were left out;
        signatures hold ``missing:drop``.
    variant
        The variant of a data set that the rows are of, as its attribute ``variant`` says, such as
        "colour(seed=1)". Signatures hold it. Empty: none.
    seed
        Seed of everything that draws. The same seed gives the same bits, whatever `n_jobs`.
    n_jobs
        Processes that train predictors, one for each factor; -1 uses every core. They map one file of
        the rows, and copy none.
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
    permutations
        Give each score that has a chance level a p against chance, from so many permutations of the factors'
        rows: 199 for a p of at least 0.005. It takes as many times as long as the score. Slow metrics, such
        as `dci`, get one with ``anchors="all"`` only. None: no p.
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
    options = Options(seed, n_jobs, anchors, confidence, replicates, permutations)
    choices = choose(metrics, protocol)
    inputs = check(
        latents,
        factors,
        factor_names=factor_names,
        factor_types=factor_types,
        latent_names=latent_names,
        latent_types=latent_types,
        missing=missing,
        rule=PROTOCOLS[protocol].reading,
        groups=groups,
        hierarchy=hierarchy,
    )
    if variant:
        inputs = replace(inputs, facts={**variant_fact(variant), **inputs.facts})
    report = score_inputs(inputs, choices, options, protocol=protocol, progress=progress)
    for text in report.warnings:
        warnings.warn(text, ScoreWarning, stacklevel=3)
    return report


def score_inputs(
    inputs: Inputs,
    choices: Sequence[Choice],
    options: Options,
    *,
    protocol: str,
    progress: bool | Share = False,
    strict: bool = False,
    relations: Relations | None = None,
) -> Report:
    """Score checked input. `strict` lets a metric's exception through rather than making it a reason.

    `relations` are those of the input where it has them already; anchors and intervals need its rows.
    `progress` shows a bar, or moves its share of a bar of several inputs.
    """
    requests = bind(choices, options, inputs)
    anchored = [request for request in requests if request.anchored]
    steps = len(requests) + len(anchored) * (_shuffles(options) + 1) + sum(r.replicates for r in requests)
    with _bar(progress, steps) as bar:
        runner = Runner(strict, bar)
        whole = relations or relate(inputs, seed=options.seed, n_jobs=options.n_jobs)
        if any(choice.pins for choice in choices):
            refuse_rule_of_posteriors(choices, whole)
        values = runner.run(requests, whole)
        chance, ceiling, p = _held_to(runner, anchored, inputs, options, values)
        located: Mapping[str, Located] = {}
        evidence: Evidence | None = None
        if options.confidence is not None:
            resampled = [
                (plan, [runner.scores(plan.requests, rows, ", interval") for rows in plan.resamples(whole)])
                for plan in plans(whole, requests, values)
            ]
            located, without = intervals(whole, requests, values, resampled, options.confidence)
            for key, reason in without.items():
                said = Check("no_interval", reason, "", key)
                values[key] = replace(values[key], warnings=(*values[key].warnings, said))
            evidence = keep(inputs, options.seed, values, resampled, located)
    found, of_bins = findings.of_scores(whole, requests, values, chance, ceiling)
    scores = {}
    for request in requests:
        for facts in request.scores:
            key = facts.key
            interval = located[key].within(facts.range) if key in located else None
            scores[key] = replace(
                _score(request, key, values[key], (*inputs.warnings, *of_bins.get(key, ())), inputs),
                range=facts.range,
                direction=facts.direction,
                property=facts.property,
                chance=chance.get(key, values[key].baseline if options.anchors else None),
                ceiling=ceiling.get(key),
                p=p.get(key),
                interval=None if interval is None else interval.bounds,
                corrected=None if interval is None else interval.corrected,
            )
    if options.permutations:
        found = (*found, *findings.without_p(requests))
    checks = (*inputs.checks, *found)
    return Report(
        scores=scores,
        readings={f.name: f.reading.text for f in inputs.factors if f.reading is not None},
        found=gravest_first(checks) if checks else (),
        protocol=protocol,
        seed=options.seed,
        shape=inputs.shape,
        factor_names=inputs.factor_names,
        latent_names=inputs.latent_names,
        confidence=None if options.confidence is None else float(options.confidence),
        permutations=None if options.permutations is None else int(options.permutations),
        warnings=texts_of([check for check in checks if check.code != "remark"]) if checks else (),
        seconds=runner.seconds,
        evidence=evidence,
        groups=dict(zip(inputs.latent_names, inputs.groups, strict=True)) if inputs.groups else {},
        column_names=inputs.column_names,
    )


def _held_to(
    runner: Runner,
    anchored: Sequence[Request],
    inputs: Inputs,
    options: Options,
    values: Mapping[str, MetricValue],
) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
    """Chance, ceiling and p of scores by key: of shuffled rows, and of the factors themselves as the code."""
    if not anchored:
        return {}, {}, {}
    shuffled = (
        relate(rows, seed=options.seed, n_jobs=options.n_jobs)
        for rows in permuted(inputs, options.seed, _shuffles(options))
    )
    runs = [runner.scores(anchored, rows, ", chance") for rows in shuffled]
    p: dict[str, float] = {}
    if options.permutations:
        judged = [facts for request in anchored for facts in request.scores if facts.property != SIZE]
        p = p_values(values, runs[: options.permutations], {facts.key: facts.direction for facts in judged})
    perfect: dict[str, float] = {}
    with contextlib.suppress(NotApplicable):  # if no row has a value of every factor
        for read, code in ideals(anchored, inputs):
            of_code = relate(code, seed=options.seed, n_jobs=options.n_jobs)
            perfect |= runner.scores(read, of_code, ", ceiling")
    reached = {facts.key for request in anchored for facts in request.scores if facts.has_ceiling}
    ceiling = {key: value for key, value in perfect.items() if key in reached}
    return mean_scores(runs[:PERMUTATIONS]), ceiling, p


def _shuffles(options: Options) -> int:
    return max(PERMUTATIONS, options.permutations or 0)


def _bar(
    progress: bool | Share, steps: int
) -> contextlib.AbstractContextManager[LateProgress | Share | None]:
    if isinstance(progress, Share):
        return contextlib.nullcontext(replace(progress, steps=steps))
    return LateProgress("scoring", steps, "steps") if progress else contextlib.nullcontext()


@dataclass
class Runner:
    """Runs requests.

    Attributes
    ----------
    strict
        Let a metric's exception through rather than making it a reason.
    bar
        A bar that is moved on with each metric.
    seconds
        The time spent on each metric so far.
    """

    strict: bool = False
    bar: LateProgress | Share | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    def run(
        self, requests: Iterable[Request], relations: Relations, note: str = ""
    ) -> dict[str, MetricValue]:
        """The values of these metrics by key. A `note` says of which rows, if not of those given."""
        values: dict[str, MetricValue] = {}
        for request in requests:
            start = time.perf_counter()
            values.update(self._values(request, relations, given=not note))
            name = request.name + request.suffix
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start
            if self.bar is not None:
                self.bar.update(1, f"scoring {request.name}{note}")
        return values

    def scores(self, requests: Iterable[Request], relations: Relations, note: str) -> dict[str, float]:
        """The scores alone, without the tables that they were read from."""
        return {key: value.value for key, value in self.run(requests, relations, note).items()}

    def _values(self, request: Request, relations: Relations, given: bool) -> dict[str, MetricValue]:
        """The metric's values by key; NaN with the reason where it has none."""
        warnings: tuple[Check, ...] = ()
        built_in = request.name in METRICS.builtin
        try:
            if request.left_out:
                raise NotApplicable(request.left_out)
            if request.needs_factors and not relations.inputs.factors:
                raise NotApplicable(f"{request.name} needs factors, and none were given")
            if request.complete_rows:
                relations = relations.complete_cases()
            arguments = [relations.generator(request.name)] if request.draws else []
            value = request.compute(relations, *arguments, **request.settings)
            if isinstance(value, dict):
                values = {key + request.suffix: each for key, each in value.items()}
            else:
                values = {request.scores[0].key: value}
            if not built_in:
                keys = [score.key for score in request.scores]
                values = checked(values, keys, relations.inputs.latent_names, relations.inputs.factor_names)
            return {key: _with_reason(value, request.name) for key, value in values.items()}
        except NotApplicable as error:
            reason = str(error)
        except (Exception, SystemExit) as error:
            of_settings = isinstance(error, InputError)  # that cannot work: of other rows only, if not given
            if (given or not of_settings) and (self.strict or (built_in and of_settings)):
                raise
            # One metric that fails must not lose the others' numbers.
            reason = f"failed: {type(error).__name__}: {error}"
            remedy = "report it, with the shape and the types of this input"
            warnings = (Check("failed", f"{request.name} {reason}", remedy, request.name),)
        return {
            score.key: MetricValue(math.nan, reason=reason, warnings=warnings) for score in request.scores
        }


def _with_reason(value: MetricValue, name: str) -> MetricValue:
    """The value; one that is not finite and says nothing gets a reason."""
    if math.isfinite(value.value) or value.reason:
        return value
    return replace(value, value=math.nan, reason=f"{name} is not a number on this input ({value.value})")


def _score(
    request: Request, key: str, value: MetricValue, warnings: tuple[str, ...], inputs: Inputs
) -> Score:
    """The score with the names of latents and factors on its parts."""
    import pandas as pd

    names: dict[Axis, list[str]] = {
        "latents": list(inputs.latent_names),
        "factors": list(inputs.factor_names),
    }

    def series(part: Any, axis: Axis) -> pd.Series[float] | None:
        return None if part is None else pd.Series(part, index=names[axis], name=key, dtype=float)

    def frame(item: Labelled | float | int | str) -> Any:
        if not isinstance(item, Labelled):
            return item
        along = {**names, "classes": list(item.classes)}
        if len(item.axes) == 1:
            return pd.Series(item.values, index=along[item.axes[0]], copy=True)
        return pd.DataFrame(item.values, along[item.axes[0]], along[item.axes[1]], copy=True)

    return Score(
        key=key,
        value=float(value.value),
        signature=request.signatures[key],
        per_factor=series(value.per_factor, "factors"),
        per_latent=series(value.per_latent, "latents"),
        details={name: frame(item) for name, item in value.details.items()},
        warnings=(*warnings, *map(str, value.warnings)),
        reason=value.reason,
    )
