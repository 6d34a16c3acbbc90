"""Intervals of nominal 95 percent hold what they are about at least 90 times in 100, for every metric."""

from __future__ import annotations

import pytest

from disentangle_metrics.metrics.catalogue import BUILTIN
from disentangle_metrics.scoring.requests import bind
from tests.scoring.interval_coverage import ROWS, lines, measure


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_intervals_hold_the_truth(row):
    found = measure(row)
    assert found
    print("", *lines(row, found), sep="\n")  # the lines of docs/intervals.md, shown with -s
    assert min(coverage.share for coverage in found.values()) >= 0.9, found


def test_every_metric_with_an_interval_has_a_row():
    with_one = {
        request.definition.name
        for request in bind(list(BUILTIN), "default")
        if request.definition.interval != "none"
        and not all(score.no_interval for score in request.definition.scores)
    }
    assert {metric.name for row in ROWS for metric in row.metrics} == with_one
