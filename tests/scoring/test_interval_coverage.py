"""Intervals of nominal 95 percent hold what they are about at least 90 times in 100, for every metric."""

from __future__ import annotations

import pytest

from disentangle_metrics.metrics import METRICS
from tests.scoring.interval_coverage import ROWS, lines, measure


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_intervals_hold_the_truth(row):
    found = measure(row)
    assert found
    print("", *lines(row, found), sep="\n")  # the lines of docs/intervals.md, shown with -s
    assert min(coverage.share for coverage in found.values()) >= 0.9, found


def test_the_rows_are_of_the_metrics_that_say_so():
    studied = {name for name in METRICS.builtin if METRICS.load(name).interval_studied}
    assert {metric.name for row in ROWS for metric in row.metrics} == studied
    for name in studied:
        definition = METRICS.load(name)
        assert definition.interval != "none"
        assert not all(score.no_interval for score in definition.scores)
