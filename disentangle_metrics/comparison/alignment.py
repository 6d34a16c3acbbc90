"""Which scores may be compared: those whose signatures are equal in all that makes one score better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from disentangle_metrics.errors import InputError
from disentangle_metrics.metrics.lookup import without_settings
from disentangle_metrics.reporting.signatures import differing, shared
from disentangle_metrics.scoring.report import Report
from disentangle_metrics.text import listed, some_of

Named = Mapping[str, Sequence[Report]]  # the runs of each representation, by its name
MOST_NAMED = 3  # scores named of those that differ alike


class Aligned(NamedTuple):
    """The keys of the scores that may be compared, and for each other one why it may not."""

    keys: list[str]
    left_out: dict[str, str]


def aligned(runs: Named, wanted: Sequence[str] | None, *, align: bool) -> Aligned:
    """Which scores may be compared.

    Parameters
    ----------
    wanted
        Keys to keep to; None: all that every report has.
    align
        Leave out scores whose signatures differ, rather than refuse them.

    Raises
    ------
    InputError
        If the reports are of several data sets, signatures differ and `align` is not set, or no score is
        left.
    """
    if wanted is not None and not wanted:
        raise InputError("`metrics` is empty; name at least one, or leave it out for all scores in common")
    _same_data(runs)
    keys: list[str] = []
    left_out: dict[str, str] = {}
    differ: dict[str, list[str]] = {}
    two_rules = ""  # a score of arrays beside one of posteriors
    for key in dict.fromkeys(key for reports in runs.values() for report in reports for key in report):
        if wanted is not None and key not in wanted:
            continue
        without = [name for name, reports in runs.items() if not all(key in report for report in reports)]
        if without:
            left_out[key] = f"{listed(without)} {'has' if len(without) == 1 else 'have'} no such score"
            continue
        several = any(len(reports) > 1 for reports in runs.values())
        said = {}
        for name, reports in runs.items():
            of_runs = [shared(report[key].signature) for report in reports]
            if several:  # over runs the seed is part of what varies
                of_runs = [{**facts, "seed": ""} for facts in of_runs]
            if of_runs.count(of_runs[0]) == len(of_runs):
                said[name] = of_runs
            else:  # the runs of one result differ
                said.update({f"run {place} of {name}": [facts] for place, facts in enumerate(of_runs)})
        if found := differing(said):
            left_out[key] = found
            differ.setdefault(found, []).append(key)
            if {facts.get("active") for runs_of in said.values() for facts in runs_of} == {"auto", "varying"}:
                two_rules = two_rules or without_settings(key)
        else:
            keys.append(key)
    if wanted is not None and (missing := [key for key in wanted if key not in keys and key not in left_out]):
        there = dict.fromkeys(key for reports in runs.values() for report in reports for key in report)
        raise InputError(f"`metrics`: no report has a score {missing[0]!r}; there are {', '.join(there)}")
    if differ and not align:
        rule = f", posteriors with `dm.Metric({two_rules!r}, active='varying')`" if two_rules else ""
        rest = ", or pass `align=True` to compare only the scores whose signatures are equal" if keys else ""
        raise InputError(f"signatures differ: {_told(differ)}; score all alike{rule}{rest}")
    if not keys:
        raise InputError(f"no score can be compared: {_why_none(differ, left_out, wanted)}")
    return Aligned(keys, left_out)


def _same_data(runs: Named) -> None:
    """Refuse reports of several data sets or factors."""
    sets: dict[str, str] = {}
    named: dict[tuple[str, ...], str] = {}
    rows: dict[str, str] = {}
    for name, reports in runs.items():
        for report in reports:
            if "dataset" in report.provenance:
                sets.setdefault(_data_of(report), name)
            named.setdefault(tuple(sorted(report.factor_names)), name)
            rows.setdefault(report.evidence.rows if report.evidence else "", name)
    if len(sets) > 1:
        told = listed([f"{owner} of {dataset}" for dataset, owner in sets.items()])
        raise InputError(f"the scores are of several data sets ({told}); compare those of one")
    if len(named) > 1 and (len(rows) > 1 or "" in rows):
        told = "; ".join(f"{owner}: {', '.join(names) or 'none'}" for names, owner in named.items())
        alike = len(set(map(len, named))) == 1
        names = ", or score with the same `factor_names` if only the names differ" if alike else ""
        raise InputError(f"the scores are of several sets of factors ({told}); compare those of one{names}")


def _data_of(report: Report) -> str:
    """The data set of a report and the size of its images, as far as it is known."""
    shape = report.provenance.get("image_shape")
    size = f" at {shape[0]}x{shape[1]}" if shape else ""
    return f"{report.provenance['dataset']}{size}"


def _why_none(
    differ: Mapping[str, Sequence[str]], left_out: Mapping[str, str], wanted: Sequence[str] | None
) -> str:
    """Why no score is left: what differs, else which report lacks those that were asked for."""
    if differ:
        return _told(differ)
    if wanted is None:
        return "the reports have no score in common"
    lacking: dict[str, list[str]] = {}
    for key, reason in left_out.items():
        lacking.setdefault(reason, []).append(key)
    return _told(lacking)


def _told(differ: Mapping[str, Sequence[str]]) -> str:
    """What differs, each once with the scores it concerns."""
    return "; ".join(f"{text} (of {some_of(keys, MOST_NAMED)})" for text, keys in differ.items())
