"""compare(): read what is to be compared, test every difference, correct p for the number of tests."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from disentangle_metrics.checks import once_each
from disentangle_metrics.comparison.alignment import aligned
from disentangle_metrics.comparison.comparison import ComparedScore, Comparison, Difference
from disentangle_metrics.comparison.differences import NoInterval, Tested, of_resamples, of_runs, of_votes
from disentangle_metrics.comparison.runs import Runs, read_runs
from disentangle_metrics.errors import InputError, ScoreWarning
from disentangle_metrics.kit import holm
from disentangle_metrics.metrics.lookup import as_signature, find_scores, without_settings
from disentangle_metrics.reporting.view import SIZE
from disentangle_metrics.scoring.early import read_again
from disentangle_metrics.scoring.followed import by_neighbours
from disentangle_metrics.scoring.report import Report
from disentangle_metrics.scoring.requests import Metric
from disentangle_metrics.scoring.signatures import fits

ASK_FOR_INTERVALS = (
    "it was scored without intervals: score it again with `dm.score(..., confidence=0.95)`, which keeps what "
    "a comparison needs"
)
ASK_FOR_RESAMPLES = (
    "the scores on the resamples were not kept: a Tracker keeps none, and `tracker.log(...)` returns the "
    "report that has them"
)


def compare(
    results: Mapping[str, Any],
    *,
    factors: Any = None,
    metrics: Iterable[str | Metric] | str | Metric | None = None,
    confidence: float = 0.95,
    paired: bool | None = None,
    align: bool = False,
    **scoring: Any,
) -> Comparison:
    """Compare representations: the difference of each score, its interval, and p of no difference.

    Parameters
    ----------
    results
        From the name of each representation to what is known of it: a :class:`Report`; several reports, one
        for each training run, as a list or as a mapping from seeds; or latents (N, D), or a list of such
        arrays, which are scored here against `factors`.
    factors
        Shape (N, K): the factors that arrays are scored against.
    metrics
        Metrics, score keys or signatures such as "mig|bins:10" to compare; None: all that every report has.
    confidence
        Nominal coverage of the intervals. A difference is significant if its corrected p is below
        1 - `confidence`.
    paired
        Whether two results share their rows, or their runs in the order given. None: find out. Rows are
        shared if both reports kept the same digest of them. Runs are paired if both have the same seeds, or
        by their places in two lists of one length. True: they are, on your word; runs that both have by
        seed are compared, and no others. False: they are not.
    align
        Leave out scores whose signatures differ, instead of refusing to compare them.
    **scoring
        For arrays: options of :func:`score`, such as `protocol`, `factor_types`, `seed` and `n_jobs`.

    Returns
    -------
    Comparison
        One entry per score. A difference without interval has the reason.

    Raises
    ------
    InputError
        If there are fewer than two results, something is no result, signatures differ, or an argument cannot
        be used.
    """
    if not (isinstance(confidence, int | float) and 0 < confidence < 1):
        raise InputError(f"`confidence` must lie between 0 and 1, got {confidence!r}")
    if paired not in (None, True, False):
        raise InputError(f"`paired` must be None, True or False, got {paired!r}")
    if metrics is not None:
        metrics = [metrics] if isinstance(metrics, str | Metric) else list(metrics)
    runs = read_runs(results, factors, metrics, float(confidence), read_again(scoring))
    failed = [f"{name} is not compared: it failed" for name in getattr(results, "errors", ())]
    names = None if metrics is None else map(as_signature, metrics)
    wanted = None if names is None else [key for name in names for key in _keys_of(name, runs)]
    remarks = once_each({name: item.remarks for name, item in runs.items() if item.remarks is not None})
    for text in remarks:
        warnings.warn(text, ScoreWarning, stacklevel=2)
    keys, left_out = aligned({name: item.reports for name, item in runs.items()}, wanted, align=align)
    scores = {key: _compared(key, runs, confidence, paired) for key in keys}
    scores = _corrected_for_many(scores)
    return Comparison(
        names=tuple(runs),
        scores=scores,
        confidence=float(confidence),
        runs={name: len(item.reports) for name, item in runs.items()},
        shape={name: item.reports[0].shape for name, item in runs.items()},
        left_out=left_out,
        notes=(*failed, *remarks, *(_unpaired(runs) if paired is None else ())),
        dataset=next((str(r.provenance["dataset"]) for r in _reports(runs) if "dataset" in r.provenance), ""),
    )


def _keys_of(name: str, runs: Mapping[str, Runs]) -> tuple[str, ...]:
    """The keys that a metric's name, a key or a signature means: of a signature those with its settings.

    A name means the score whose key it is; where there is none, all whose keys have settings behind it.
    """
    present = dict.fromkeys(key for report in _reports(runs) for key in report)
    if name in present:
        return (name,)
    definition, keys = find_scores(without_settings(name))
    if "|" not in name:
        of_key = {key: [other for other in present if without_settings(other) == key] for key in keys}
        return tuple(one for key in keys for one in ([key] if key in present else of_key[key] or [key]))
    fitting = [
        key
        for report in _reports(runs)
        for key, score in report.items()
        if without_settings(key) in keys and fits(name, score.signature, definition, by_neighbours(report))
    ]
    return tuple(dict.fromkeys(fitting)) or (name,)


def _reports(runs: Mapping[str, Runs]) -> Iterator[Report]:
    return (report for item in runs.values() for report in item.reports)


def _compared(key: str, runs: Mapping[str, Runs], confidence: float, paired: bool | None) -> ComparedScore:
    """One score of all representations, with the difference of every two."""
    values = {name: tuple(float(r[key].value) for r in item.reports) for name, item in runs.items()}
    first = next(_reports(runs))[key]
    differences = []
    for one, other in combinations(runs, 2):
        difference = Difference(key, one, other, _mean(values[other]) - _mean(values[one]))
        try:
            if first.property == SIZE:
                raise NoInterval("it is a size, of which neither more nor less is better")
            tested = _tested(key, runs[one], runs[other], confidence, paired)
            low, high = tested.interval
            most = first.range[1] - first.range[0]  # two scores differ by no more
            difference = replace(
                difference,  # of paired runs that of the pairs: what has no partner is not in the interval
                value=tested.corrected if tested.method == "paired runs" else difference.value,
                corrected=min(max(tested.corrected, -most), most),
                interval=(min(max(low, -most), most), min(max(high, -most), most)),
                p=tested.p,
                method=tested.method,
                count=tested.count,
            )
        except NoInterval as reason:
            difference = replace(difference, reason=str(reason))
        differences.append(difference)
    return ComparedScore(
        key=key,
        values=values,
        differences=tuple(differences),
        direction=first.direction,
        property=first.property,
        range=first.range,
        signatures={name: item.reports[0][key].signature for name, item in runs.items()},
    )


def _mean(values: Sequence[float]) -> float:
    present = [value for value in values if not math.isnan(value)]
    return float(np.mean(present)) if present else math.nan


def _tested(key: str, one: Runs, other: Runs, confidence: float, paired: bool | None) -> Tested:
    """The difference with its interval; NoInterval says why there is none."""
    for item in (one, other):
        if all(math.isnan(report[key].value) for report in item.reports):
            raise NoInterval(f"{item.name} has no value: {item.reports[0][key].reason}")
    single = [item for item in (one, other) if len(item.reports) == 1]
    if len(single) == 2:
        return _of_one_run_each(key, one, other, confidence, paired)
    if single:
        raise NoInterval(f"{single[0].name} has one run, which tells nothing of the spread of its runs")
    wanted = not one.why_unpaired(other) if paired is None else paired
    pairs = one.paired_with(other) if wanted else None
    if paired and pairs is None:
        raise InputError(
            f"`paired`: the runs of {one.name} and {other.name} have not the same number or seeds"
        )
    if pairs is not None:
        first, second = ([float(r[key].value) for r in side] for side in zip(*pairs, strict=True))
        return of_runs(first, second, confidence, paired=True)
    first, second = ([float(r[key].value) for r in item.reports] for item in (one, other))
    return of_runs(first, second, confidence, paired=False)


def _unpaired(runs: Mapping[str, Runs]) -> tuple[str, ...]:
    """Which runs are not paired, and why."""
    named: dict[str, list[str]] = {}
    for one, other in combinations(runs.values(), 2):
        if min(len(one.reports), len(other.reports)) > 1 and (why := one.why_unpaired(other)):
            named.setdefault(why, []).append(f"{one.name} and {other.name}")
    return tuple(
        f"the runs of {', of '.join(of)} are compared by Welch's test, without pairs: {why}"
        for why, of in named.items()
    )


def _of_one_run_each(key: str, one: Runs, other: Runs, confidence: float, paired: bool | None) -> Tested:
    """The difference of two reports, judged by what they kept."""
    first, second = one.reports[0], other.reports[0]
    if first.evidence is None or second.evidence is None:
        name, bare = (one.name, first) if first.evidence is None else (other.name, second)
        if bare.confidence is not None:
            raise NoInterval(f"of {name}, {ASK_FOR_RESAMPLES}")
        raise NoInterval(f"of {name}, {ASK_FOR_INTERVALS}")
    if key in first.evidence.votes and key in second.evidence.votes:
        return of_votes((first.evidence.votes[key], second.evidence.votes[key]), confidence)
    without = [item for item in (one, other) if not _kept(item.reports[0], key)]
    if without:
        raise NoInterval(_why_without(without, key))
    kept = (first.evidence.resampled[key], second.evidence.resampled[key])
    if kept[0].interval != kept[1].interval:
        raise NoInterval("the rows were resampled in two ways")
    same_draws = first.evidence.seed == second.evidence.seed
    same_rows = first.evidence.rows == second.evidence.rows != ""
    if paired and not same_draws:
        raise InputError(
            f"`paired`: the resamples of {one.name} and {other.name} were drawn with seeds "
            f"{first.evidence.seed} and {second.evidence.seed}; score both with one seed"
        )
    together = same_draws and (same_rows if paired is None else paired)
    return of_resamples((first[key].value, second[key].value), kept, confidence, paired=together)


def _kept(report: Report, key: str) -> bool:
    return report.evidence is not None and key in report.evidence.resampled


def _why_without(without: Sequence[Runs], key: str) -> str:
    """Why a score of reports with intervals has none."""
    mark = f"{key} has no confidence interval: "
    warnings = without[0].reports[0][key].warnings
    reason = next((text.removeprefix(mark) for text in warnings if text.startswith(mark)), "")
    who = f"{without[0].name} has no" if len(without) == 1 else "neither has an"
    return f"{who} interval of its own" + (f": {reason}" if reason else "")


def _corrected_for_many(scores: Mapping[str, ComparedScore]) -> dict[str, ComparedScore]:
    """The same scores with Holm's correction for all tests of the comparison."""
    p = np.array(
        [math.nan if d.p is None else d.p for score in scores.values() for d in score.differences],
        dtype=float,
    )
    corrected = iter(holm(p))
    result = {}
    for key, score in scores.items():
        differences = [(d, float(next(corrected))) for d in score.differences]
        result[key] = replace(
            score,
            differences=tuple(d if d.p is None else replace(d, p_holm=holms) for d, holms in differences),
        )
    return result
