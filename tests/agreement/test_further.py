"""The second nine implementations and CEBRA: each comparison of the page, made anew on its smaller cases."""

from __future__ import annotations

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics.metrics.shared.gap import gap_in_order_of
from tests.agreement.comparison import EVERY_CASE, measure, of
from tests.agreement.comparisons_further import BOILARD, FURTHER
from tests.agreement.reference import arrays, values

pytestmark = pytest.mark.filterwarnings("ignore")


def rows(case):
    return values()["cases"][case]["input"]["N"]


@pytest.mark.parametrize("most_rows", [2_500, pytest.param(10**6, marks=pytest.mark.slow)])
@pytest.mark.parametrize("comparison", FURTHER, ids=lambda comparison: comparison.name)
def test_ours_gives_the_recorded_number(comparison, most_rows):
    compared = 0
    fewest = min(rows(case) for case, _ in comparison.records().values())
    for name, (case, record) in comparison.records().items():
        if rows(case) > max(most_rows, fewest):
            continue
        result = measure(comparison, case, record)
        assert result.share <= 1, name
        assert not result.undefined, name
        compared += result.numbers
    assert compared > 0


def test_boilard_by_hand():
    """Raw 0.9 and 0.5 over entropies 3 and 1: 0.3 less 0.5. In the order of the shares it is 0.5 less 0.3."""
    information = np.array([[0.9, 0.5, 0.1]])
    assert gap_in_order_of(information, information / [3.0, 1.0, 1.0]) == pytest.approx([-0.2])


def test_a_latent_of_boilard_can_count_below_nothing():
    recorded = [
        min(record["values"]["per_latent_recomputed"])
        for record in of("p06_mixed_linear", BOILARD, "MIG-sup")
        if record["params"]["bins"] == 20
    ]
    assert recorded[0] < -0.1
    assert dm.mig_sup(*arrays("p06_mixed_linear"), active=None).per_latent.min() >= 0


def test_every_peer_is_compared_or_left_out_by_name():
    """A record whose peer has neither a comparison nor a reason would be seen by tests/agreement/test_page.py."""
    peers = {record["peer"] for case in EVERY_CASE for record in values()["cases"][case]["results"]}
    assert {comparison.peer for comparison in FURTHER} <= peers
    assert len({comparison.peer for comparison in FURTHER}) == 8
