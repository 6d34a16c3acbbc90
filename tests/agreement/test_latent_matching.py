"""Agreement with DRVI (Moinfar and Theis 2024): every table and score that it gave, of four similarities.

Three kinds of difference are explained, and no other is left. DRVI's neighbours ("spn") take tied rows in the
order of the file: on rows put apart in that order ours are the same. A constant latent has similarity 0 here
in any order. Its rank correlation raises where a latent is constant.
"""

from __future__ import annotations

import numpy as np
import pytest

import disentangle_metrics as dm
from tests.agreement.reference import arrays, found, ids, numbers, records, values

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

EXACT = 1e-9
ALL = "all factors' values as columns"
RECORDS = [
    (case, record)
    for similarity in ("SMI", "SPN", "BMMI", "ASC")
    for case, record in records("DRVI", f"LMS, MSAS, MSGS over {similarity}")
]


def report_of(case, record, latents):
    columns = record["params"]["columns"]
    factors = arrays(case)[1]
    factors = factors if columns == ALL else factors[:, [int(columns.split()[1])]]
    similarity = record["params"]["pairwise"].lower()
    return dm.latent_matching(latents, factors, similarity=similarity, factor_types="categorical")


def in_order_of_the_file(latents):
    """Tied rows put apart as the peer has them: those of one value in the order that its sort leaves them."""
    return np.argsort(np.argsort(latents, axis=0), axis=0).astype(float)


@pytest.mark.parametrize(("case", "record"), RECORDS, ids=ids(RECORDS))
def test_tables_and_scores(case, record):
    latents = arrays(case)[0]
    if record["params"]["pairwise"] == "SPN":
        latents = in_order_of_the_file(latents)
    report = report_of(case, record, latents)
    for key in ("lms", "msas", "msgs"):
        assert report[key].value == pytest.approx(record["values"][key.upper()], abs=EXACT), key
    theirs = numbers(record["intermediates"]["table_latents_by_columns"])
    np.testing.assert_allclose(report["lms"].details["similarity"], theirs, atol=EXACT, rtol=0)


def test_neighbours_of_tied_rows_differ_by_their_order_alone():
    # Latents are rounded to four decimals, so some rows are tied; a constant latent is nothing but ties.
    for case, record in records("DRVI", "LMS, MSAS, MSGS over SPN"):
        table = report_of(case, record, arrays(case)[0])["lms"].details["similarity"].to_numpy()
        theirs = numbers(record["intermediates"]["table_latents_by_columns"])
        assert np.abs(table - theirs).max() < 0.06, case
        constant = np.ptp(arrays(case)[0], axis=0) == 0
        assert (table[constant] == 0).all()
        if constant.any():
            assert theirs[constant].max() > 0.01


def test_a_constant_latent_stops_their_rank_correlation():
    metric = "LMS, MSAS, MSGS over ASC"
    assert not found("p09_inactive", "DRVI", metric)
    (record,) = [
        record
        for record in values()["cases"]["p09_inactive"]["results"]
        if (record["peer"], record["metric"]) == ("DRVI", metric)
    ]
    assert record["error"].startswith("TypeError")
    report = dm.latent_matching(*arrays("p09_inactive"), similarity="asc", factor_types="categorical")
    assert 0 < report["lms"].value < report["msas"].value < 1
