"""Agreement with DRVI (Moinfar and Theis 2024): every table and score that it gave, of four similarities.

Its neighbours ("spn") take tied rows in the order of the file: on rows put apart in that order ours are the same.
"""

from __future__ import annotations

import numpy as np
import pytest

import disentangle_metrics as dm
from tests.agreement.comparison import measure
from tests.agreement.comparisons_single import DRVI, SINGLE, matching
from tests.agreement.reference import arrays, found, numbers, records, values

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

RECORDS = [
    pytest.param(comparison, case, record, id=f"{record['params']['pairwise']}-{name}")
    for comparison in SINGLE
    if comparison.peer == DRVI
    for name, (case, record) in comparison.records().items()
]


@pytest.mark.parametrize(("comparison", "case", "record"), RECORDS)
def test_tables_and_scores(comparison, case, record):
    result = measure(comparison, case, record)
    assert result.share <= 1
    assert result.numbers == 3 + numbers(record["intermediates"]["table_latents_by_columns"]).size


def test_neighbours_of_tied_rows_differ_by_their_order_alone():
    # Latents are rounded to four decimals, so some rows are tied; a constant latent is nothing but ties.
    for case, record in records(DRVI, "LMS, MSAS, MSGS over SPN"):
        table = matching(case, record)["lms"].details["similarity"].to_numpy()
        theirs = numbers(record["intermediates"]["table_latents_by_columns"])
        assert np.abs(table - theirs).max() < 0.06, case
        constant = np.ptp(arrays(case)[0], axis=0) == 0
        assert (table[constant] == 0).all()
        if constant.any():
            assert theirs[constant].max() > 0.01


def test_a_constant_latent_stops_their_rank_correlation():
    metric = "LMS, MSAS, MSGS over ASC"
    assert not found("p09_inactive", DRVI, metric)
    (record,) = [
        record
        for record in values()["cases"]["p09_inactive"]["results"]
        if (record["peer"], record["metric"]) == (DRVI, metric)
    ]
    assert record["error"].startswith("TypeError")
    report = dm.latent_matching(*arrays("p09_inactive"), similarity="asc", factor_types="categorical")
    assert 0 < report["lms"].value < report["msas"].value < 1
