"""Intervals of differences of nominal 95 percent hold the true difference."""

from __future__ import annotations

import pytest

from tests.comparison.difference_coverage import NOISE, ROWS_OF_TABLE, lines, measure


@pytest.mark.slow
@pytest.mark.parametrize("second", NOISE)
@pytest.mark.parametrize(
    "row", ROWS_OF_TABLE, ids=lambda row: f"{row.metrics[0]}, {'same' if row.paired else 'other'} rows"
)
def test_intervals_hold_the_true_difference(row, second):
    found = measure(row, second)
    print("", *lines(row, found), sep="\n")  # the lines of docs/comparing.md, shown with -s
    assert min(one.share for one in found) >= 0.9, found
    if second == "equally good":  # no test errs much more often than it says
        assert max(one.significant for one in found) <= 0.1, found
