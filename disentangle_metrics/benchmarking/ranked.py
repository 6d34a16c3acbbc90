"""Which scores of a benchmark can be ranked: those whose signatures say the same of every representation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from disentangle_metrics.reporting.ranks import first_scores
from disentangle_metrics.reporting.signatures import differing, shared
from disentangle_metrics.reporting.view import SIZE
from disentangle_metrics.scoring.report import Report

SCORED_ALIKE = "; `dm.Metric(..., active='varying')` scores all alike"

Reports = Mapping[str, Report]


def ranked(reports: Reports) -> Reports:
    """The reports without scores that cannot be compared."""
    without = _differences(reports)
    if not without:
        return reports
    return {
        name: replace(report, scores={key: score for key, score in report.items() if key not in without})
        for name, report in reports.items()
    }


def unranked(reports: Reports) -> tuple[str, ...]:
    """Which scores that all representations have cannot be compared, and why: a line for each difference."""
    keys: dict[str, list[str]] = {}
    for key, difference in _differences(reports).items():
        keys.setdefault(difference, []).append(key)
    return tuple(
        f"not ranked, since signatures differ: {', '.join(each)} ({difference})"
        f"{SCORED_ALIKE if difference.startswith('active is ') else ''}"
        for difference, each in keys.items()
    )


def _differences(reports: Reports) -> dict[str, str]:
    """For each score that all have a value of, but that cannot be compared, what differs."""
    differences = {}
    for key, score in first_scores(reports).items():
        if score.property == SIZE or not all(
            key in report and not math.isnan(report[key].value) for report in reports.values()
        ):
            continue
        said = {name: [shared(report[key].signature)] for name, report in reports.items()}
        if found := differing(said):
            differences[key] = found
    return differences
