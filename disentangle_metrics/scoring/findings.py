"""Checks that need scores: what the chance level, the bins and the metrics themselves say."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.checks import Check, texts_of
from disentangle_metrics.inputs.factor import Factor
from disentangle_metrics.inputs.inputs import Inputs
from disentangle_metrics.inputs.joint_cells import JointCells
from disentangle_metrics.inputs.missing_rows import constant_in_complete_rows
from disentangle_metrics.metrics.definition import MetricValue
from disentangle_metrics.relations.counted import CountedRelations
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.reporting.view import SIZE
from disentangle_metrics.scoring.anchors import at_chance
from disentangle_metrics.scoring.binding import Request

FULLEST = 0.5  # share of the rows in one bin of equal width
SAMPLE = 20_000
CONSTANT = 1e-13  # of a latent's place is a range in which no number of bins has a width
DISTINCT = 10  # different values in the fullest bin, from which on it hides something
AS_LISTED = "as they are listed (by the alphabet, or as their categories are), which is no order of theirs"


def of_scores(
    whole: Relations,
    requests: Sequence[Request],
    values: Mapping[str, MetricValue],
    chance: Mapping[str, float],
    ceiling: Mapping[str, float],
) -> tuple[tuple[Check, ...], dict[str, tuple[str, ...]]]:
    """All checks that need scores, and by score what those of its bins and of labels without order say."""
    tails = tuple(heavy_tails(whole, requests))
    of_factors = tuple(heavy_tails_of_factors(whole, requests))
    merged = merged_labels(whole.inputs, requests)
    unordered = {
        request.name + request.suffix: _unordered(request, whole.inputs, values) for request in requests
    }
    numbered = labels_as_numbers(unordered)
    sizes = {score.key for request in requests for score in request.scores if score.property == SIZE}
    told = {key: chance[key] for key in chance if key not in sizes}
    of_unordered = _of_unordered(whole.inputs, requests, unordered) if numbered else ()
    known = whole.inputs.warnings
    costly = [request for request in requests if request.left_out]
    left_out = tuple(
        Check("costly", f"{request.name} is {request.left_out}", "", request.name) for request in costly
    )
    checks = (
        *left_out,
        *as_numbers(whole, requests),
        *by_neighbours(whole, requests, values),
        *tested_on_trained(whole, requests, values),
        *unread_tree(whole.inputs, requests),
        *constant_together(whole.inputs, requests),
        *fewer_units(whole.inputs),
        *idle(values),
        *tails,
        *of_factors,
        *merged.values(),
        *numbered.values(),
        *(at_chance(values, told, ceiling, of_unordered) if told else ()),
        *remarks(values, known),
    )
    said_of: dict[str, tuple[str, ...]] = {}
    for request in requests if tails or of_factors or merged or numbered else ():
        factors = _merged_by(request, whole.inputs)
        own = unordered[request.name + request.suffix]
        said = [
            *(tails if cuts_equally(request.settings) else ()),
            *(of_factors if cuts_equally(request.settings) and request.needs_factors else ()),
            *([merged[factors]] if factors else ()),
            *(numbered[code, names] for code, names in own.items()),
        ]
        if texts := texts_of(said):
            said_of |= dict.fromkeys([score.key for score in request.scores], texts)
    return checks, said_of


def without_p(requests: Sequence[Request]) -> Iterator[Check]:
    """Metrics of latents and factors whose chance is not computed, so that permutations give them no p."""
    names = [r.name for r in requests if r.needs_factors and not r.anchored and not r.left_out]
    if names:
        yield Check(
            "no_p",
            f"no p of {', '.join(dict.fromkeys(names))}, whose chance is slow to compute",
            '`anchors="all"` computes it',
        )


def unread_tree(inputs: Inputs, requests: Sequence[Request]) -> Iterator[Check]:
    """A hierarchy of factors where every metric reads the latents alone."""
    if not any(request.needs_factors for request in requests) and any(f.switch for f in inputs.factors):
        names = ", ".join(dict.fromkeys(request.name for request in requests))
        yield Check(
            "hierarchy_unread",
            f"`hierarchy` changes no score here: only latents are read by {names}",
            "ask for a metric that reads factors, such as r4c or mig",
        )


def constant_together(inputs: Inputs, requests: Sequence[Request]) -> Iterator[Check]:
    """Factors that are constant in the rows that a metric reads: those that have a value of every factor."""
    if inputs.incomplete and any(request.complete_rows and not request.left_out for request in requests):
        yield from constant_in_complete_rows(inputs.factors, inputs.present(range(len(inputs.factors))))


def as_numbers(whole: Relations, requests: Sequence[Request]) -> Iterator[Check]:
    """Metrics that read the codes of categorical latents as numbers."""
    categorical = whole.inputs.latents_of("categorical") if any(whole.inputs.latent_types) else ()
    names = [name for request in requests if not request.left_out for name in request.of_numbers]
    if categorical and names:
        latent = whole.inputs.ungrouped().latent_names[categorical[0]]
        yield Check(
            "latents_as_numbers",
            f"{', '.join(names)} read the codes of {latent!r} as numbers, which they are not",
            "trust the metrics of information, such as mig and jemmig",
            latent,
            {"latents": len(categorical)},
        )


def labels_as_numbers(
    unordered: Mapping[str, Mapping[str, tuple[str, ...]]],
) -> dict[tuple[str, tuple[str, ...]], Check]:
    """For each code and set of factors, of which metrics it is said: see :func:`_unordered`."""
    readers: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for name, by_code in unordered.items():
        for code, factors in by_code.items():
            readers.setdefault((code, factors), []).append(name)
    checks = {}
    for (code, factors), names in readers.items():
        of, these = ", ".join(factors), names[0] if len(names) == 1 else "these metrics"
        if code == "no_order":
            values = f"the labels of {of} as numbers, {AS_LISTED}"
            remedy = f"give their values an order (an ordered categorical), or leave {of} out of {these}"
        else:
            values = f"the declared categories of {of} as numbers, and they may have no order"
            remedy = f"if they have none, leave {of} out of {these}"
        text = f"{', '.join(names)} read{'s' if len(names) == 1 else ''} {values}"
        checks[code, factors] = Check(code, text, remedy, factors[0], {"factors": len(factors)})
    return checks


def _unordered(
    request: Request, inputs: Inputs, values: Mapping[str, MetricValue]
) -> dict[str, tuple[str, ...]]:
    """The factors without an order that a metric with a score reads as numbers, by the code that says so.

    Texts have none. Categories that the caller declares may have none, also those of a published data set.
    """
    read = request.labels_as_numbers
    if not read or all(math.isnan(values[score.key].value) for score in request.scores):
        return {}
    if callable(read) and not read(request.settings):
        return {}
    named: dict[str, list[str]] = {}
    for factor in _of_more_values(2, request, inputs):
        if _has_texts(factor):
            named.setdefault("no_order", []).append(factor.name)
        elif factor.reading is not None and (factor.reading.declared or factor.reading.labels):
            named.setdefault("order_uncertain", []).append(factor.name)
    return {code: tuple(names) for code, names in named.items()}


def _of_unordered(
    inputs: Inputs, requests: Sequence[Request], unordered: Mapping[str, Mapping[str, tuple[str, ...]]]
) -> list[str]:
    """Scores of metrics that read as numbers factors without an order alone."""
    varying = {factor.name for factor in inputs.factors if factor.varies}
    return [
        score.key
        for request in requests
        if varying <= {*unordered[request.name + request.suffix].get("no_order", ())}
        for score in request.scores
    ]


def merged_labels(inputs: Inputs, requests: Sequence[Request]) -> dict[tuple[str, ...], Check]:
    """For each set of factors whose text labels metrics merge: that these have no order."""
    merged: dict[tuple[str, ...], list[str]] = {}
    for request in requests:
        if factors := _merged_by(request, inputs):
            merged.setdefault(factors, []).append(request.name + request.suffix)
    return {
        factors: Check(
            "no_order",
            f"`factor_bins` merges the labels of {', '.join(factors)} {AS_LISTED}, for {', '.join(names)}",
            "give their values an order (an ordered categorical), or pass `dm.Metric(..., factor_bins=None)`",
            factors[0],
            {"factors": len(factors)},
        )
        for factors, names in merged.items()
    }


def _merged_by(request: Request, inputs: Inputs) -> tuple[str, ...]:
    """The factors whose text labels a metric merges, as it keeps no more than its `factor_bins`."""
    most = request.settings.get("factor_bins")
    if most is None or request.left_out:
        return ()
    return tuple(factor.name for factor in _of_more_values(most, request, inputs) if _has_texts(factor))


def _of_more_values(most: int, request: Request, inputs: Inputs) -> list[Factor]:
    """The categorical factors of more values than `most` in the rows that a metric reads."""
    many = [factor for factor in inputs.factors if factor.kind == "categorical" and len(factor.levels) > most]
    if many and request.complete_rows and inputs.incomplete:
        rows = np.flatnonzero(inputs.present(range(len(inputs.factors))))
        many = [factor for factor in many if len(factor.kept(rows).levels) > most]
    return many


def _has_texts(factor: Factor) -> bool:
    return any(isinstance(level, str | bytes) for level in factor.levels)


def _bins_that_count(cells: JointCells, request: Request) -> str:
    """The advice to take fewer bins, with the most that would do for a metric; empty if none does."""
    most = math.isqrt(len(cells.inputs.latents))  # a unit of two latents has so many bins squared
    for bins in range(min(request.settings["bins"] - 1, most), 1, -1):
        if cells.can_be_counted(bins, request.settings.get("factor_bins"), request.complete_rows):
            return f"fewer bins make it one of counts, as in `dm.Metric({request.name!r}, bins={bins})`"
    return ""


def by_neighbours(
    whole: Relations, requests: Sequence[Request], values: Mapping[str, MetricValue]
) -> Iterator[Check]:
    """Groups of latents that have too many joint cells to be counted, where metrics still have a score."""
    measured = [
        request
        for request in requests
        if request.by_neighbours and not all(math.isnan(values[facts.key].value) for facts in request.scores)
    ]
    if measured:
        names = [request.name for request in measured]
        widest, cells = max(map(len, whole.inputs.groups)), JointCells(whole.inputs)
        fewer = _bins_that_count(cells, measured[0])
        rows = min(count for request in measured for count in cells.rows(request.complete_rows))
        yield Check(
            "groups_by_neighbours",
            f"{', '.join(names)}: groups of up to {widest} latents have too many joint cells for "
            f"{rows:,} rows, so information is estimated from nearest neighbours",
            fewer or "groups of fewer latents, or more rows, make it one of counts",
            ", ".join(names),
            {"latents": widest},
        )


def tested_on_trained(
    whole: Relations, requests: Sequence[Request], values: Mapping[str, MetricValue]
) -> Iterator[Check]:
    """Probes that are tested on rows that trained them: they look better than they are on others."""
    about: dict[tuple[int, int], list[str]] = {}
    for request in requests:
        split = request.settings.get("split")
        of_rows = isinstance(split, tuple | list)
        if of_rows and not all(math.isnan(values[facts.key].value) for facts in request.scores):
            train, test = whole.split(split=split, max_rows=None)
            if shared := int(np.isin(test, train).sum()):
                about.setdefault((shared, len(test)), []).append(request.name)
    for (shared, tested), names in about.items():
        yield Check(
            "split_overlaps",
            f"{shared:,} of the {tested:,} test rows of `split` are training rows too",
            "pass parts that have no row in common, such as `(mask, ~mask)`",
            ", ".join(names),
            {"rows": shared},
        )


def fewer_units(inputs: Inputs) -> Iterator[Check]:
    """Groups of latents of which there are fewer than factors, where there are latents enough."""
    _, units, factors = inputs.shape
    if inputs.groups and units < factors <= len(inputs.column_names):
        yield Check(
            "fewer_latents",
            f"there {'is' if units == 1 else 'are'} {units} unit{'' if units == 1 else 's'} "
            f"for {factors} factors",
            "",
            "",
            {"units": units, "factors": factors},
        )


def idle(values: Mapping[str, MetricValue]) -> Iterator[Check]:
    """A posterior of which no latent is active: the network does not see these images as it should."""
    if "active_units" in values and values["active_units"].value == 0:
        yield Check(
            "input_scale",
            "no latent is active (active_units 0)",
            "check the scale of the network's input, the order of its outputs, or that it is trained",
            "active_units",
        )


def remarks(values: Mapping[str, MetricValue], known: Sequence[str]) -> Iterator[Check]:
    """What metrics say of their scores, without what was said of the input; once for all that say it."""
    about: dict[str, list[str]] = {}
    checks: dict[str, Check] = {}
    for key, value in values.items():
        for said in value.warnings:
            about.setdefault(str(said), []).append(key)
            checks[str(said)] = said if isinstance(said, Check) else Check("remark", said)
    for text, check in checks.items():
        if text not in known:
            yield check if check.about else replace(check, about=", ".join(about[text]))


def heavy_tails(whole: Relations, requests: Sequence[Request]) -> Iterator[Check]:
    """Latents of which one bin of equal width holds most rows, and different values."""
    binned = [r for r in requests if cuts_equally(r.settings)]
    inputs: Inputs = whole.inputs
    if not binned or isinstance(whole, CountedRelations):
        return
    size = int(binned[0].settings["bins"])
    rows = inputs.latents[:: max(1, len(inputs.latents) // SAMPLE)].astype(np.float64)
    low = inputs.latents.min(axis=0).astype(np.float64)
    width = inputs.latents.max(axis=0) - low
    worst: tuple[float, str] | None = None
    count = 0
    for j, name in enumerate(inputs.column_names or inputs.latent_names):
        said = inputs.latent_types[j] if inputs.latent_types else None
        if width[j] <= CONSTANT * np.abs(low[j]) or (said is not None and said.kind == "categorical"):
            continue
        share = _crowded((rows[:, j] - low[j]) / width[j], size)
        if share is None:
            continue
        count += 1
        if worst is None or share > worst[0]:
            worst = share, name
    if worst is not None:
        share, name = worst
        more = f", and {count - 1} more latents like it" if count > 1 else ""
        yield Check(
            "heavy_tails",
            f"{share:.1%} of the rows fall in one of the {size} equal bins of latent {name!r}{more}",
            "use `dm.Metric(..., strategy='quantile')` or `dm.Metric(..., estimator='nearest_neighbours')`, "
            "or look for outliers",
            name,
            {"share": round(share, 4), "latents": count},
        )


def heavy_tails_of_factors(whole: Relations, requests: Sequence[Request]) -> Iterator[Check]:
    """Measured factors of which one bin of equal width holds most rows, and different values."""
    binned = [r for r in requests if cuts_equally(r.settings) and r.needs_factors]
    for factor in whole.inputs.factors if binned else ():
        if factor.kind != "continuous" or factor.values is None or not factor.varies:
            continue
        values = factor.values[~np.isnan(factor.values)]
        low, size = values.min(), int(binned[0].settings["bins"])
        values = values[:: max(1, len(values) // SAMPLE)] - low
        share = _crowded(values / (np.nanmax(factor.values) - low), size)
        if share is not None:
            yield Check(
                "heavy_tails",
                f"{share:.1%} of the rows fall in one of the {size} equal bins of factor {factor.name!r}",
                "look for outliers, such as -999 where a value is missing, or use "
                "`dm.Metric(..., strategy='quantile')`",
                factor.name,
                {"share": round(share, 4)},
            )


def _crowded(column: NDArray[np.float64], size: int) -> float | None:
    """The share of a column in 0..1 that its fullest bin holds, if that is most and hides something."""
    # NumPy cuts no range that is tiny, or far from 0.
    counts, edges = np.histogram(column, size, range=(0, 1))
    share, fullest = float(counts.max() / len(column)), int(counts.argmax())
    inside = column[(column >= edges[fullest]) & (column <= edges[fullest + 1])]
    return None if share <= FULLEST or len(np.unique(inside)) <= DISTINCT else share


def cuts_equally(settings: Mapping[str, object]) -> bool:
    """Whether a metric with these settings counts rows in bins of equal width."""
    return (
        "bins" in settings
        and settings.get("strategy", "quantile") == "uniform"
        and settings.get("estimator", "histogram") == "histogram"
    )
