"""Every metric of every protocol, called as a user calls it, gives the recorded number of its peer.

Each case that the peer was run on is called. Where its number is a known defect both are still made,
and must differ: an explanation that is no longer needed fails. Only the recorded split of the rows is
passed, and only to those metrics that the peer ran with one (explicitness, DCI and SAP of locatello2019);
of hsu2023, whose record is a mean of seeds, three seeds are called.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics.metrics.lookup import find_scores
from disentangle_metrics.scoring.protocols import PROTOCOLS
from tests.agreement.called import CALLED, Called
from tests.agreement.called_table import anchor, status
from tests.agreement.page import DEFECTS, PAGE, load
from tests.agreement.reference import CASES

pytestmark = pytest.mark.filterwarnings(
    "ignore::disentangle_metrics.ScoreWarning", "ignore::sklearn.exceptions.ConvergenceWarning"
)

CALLS = [
    pytest.param(
        called,
        case,
        id=f"{called.protocol}-{called.metric}-{case[:3]}",
        marks=pytest.mark.slow if called.is_slow(case) else (),
    )
    for called in CALLED
    for case in called.records()
]


@pytest.mark.parametrize(("called", "case"), CALLS)
def test_the_protocol_gives_the_number_of_its_peer(called: Called, case: str):
    for number in called.numbers(case):
        if called.explanation(case, number.key) is None:
            assert number.deviation <= number.allowed, number
        else:
            assert number.deviation > number.allowed, number


def test_every_metric_of_every_protocol_is_called():
    published = {name: set(protocol.suite) for name, protocol in PROTOCOLS.items() if name != "default"}
    assert {(called.protocol, called.metric) for called in CALLED} == {
        (name, metric) for name, suite in published.items() for metric in suite
    }
    assert len(CALLED) == sum(map(len, published.values()))


def test_every_score_of_a_metric_is_compared():
    for called in CALLED:
        assert set(called.theirs) == set(find_scores(called.metric)[1]), called.name


def test_what_a_peer_has_no_record_of_is_only_what_was_too_slow_for_it():
    for called in CALLED:
        missing = {case[:3] for case in CASES} - {case[:3] for case in called.records()}
        assert called.of_posterior or missing <= {"p16"}, called.name


def test_every_explained_score_has_its_explanation():
    by_title = {entry.title: entry for entry in DEFECTS}
    headings = {anchor(line[4:]) for line in PAGE.read_text().splitlines() if line.startswith("### ")}
    for called in CALLED:
        for name, title in called.explained.items():
            case = name[:3]
            assert by_title[title].covers(called.peer, called.recorded, case), (called.name, name)
            assert anchor(title) in headings


@pytest.mark.parametrize("called", CALLED, ids=lambda called: called.name)
def test_the_call_on_the_page_is_the_one_that_is_made(called: Called):
    case = "p14_posterior"
    latents, factors = called.arrays(case)
    made = []
    package = SimpleNamespace(
        score=lambda *arrays, **options: made.append((arrays, options)),
        Metric=dm.Metric,
        GaussianPosterior=dm.GaussianPosterior,
    )
    names = {
        "dm": package,
        "z": latents,
        "v": factors,
        "N": len(factors),
        "n": -(-2 * len(factors) // 3),
        "s": 0,
    }
    if called.of_posterior:
        names |= {"mean": latents.mean, "logvar": latents.logvar}
    eval(called.call, names)
    ((given, options),) = made
    assert type(given[0]) is type(latents)
    assert given[1] is factors
    assert repr(options) == repr(called.options(case))


def test_everything_was_measured_and_agrees():
    found = load()["protocols"]
    assert set(found) == {called.name for called in CALLED}
    for called in CALLED:
        assert set(found[called.name]) == set(called.records()), called.name
        assert status(called, found[called.name]).startswith("agrees")


def test_a_disagreement_shows():
    called = CALLED[0]
    wrong = {"p01_perfect": {"scores": {"mig": {"deviation": 0.5, "share": 5e8}}}}
    undefined = {"p01_perfect": {"scores": {"mig": {"deviation": None, "share": None}}}}
    assert status(called, wrong) == status(called, undefined) == "**disagrees**"


class TestIrsOfMergedFactors:
    LATENTS = np.array([[0.0], [1.0], [4.0], [6.0], [9.0], [10.0]])
    FACTORS = np.array([[0], [1], [2], [3], [4], [5]])

    def test_by_hand(self):
        # Each value is one row, which never moves. In halves of 3: deviations of 7/3 and 7/3 at most,
        # from means 5/3 and 25/3; the largest from the mean of all, 5, is 5.
        labels = {"factor_types": "categorical"}  # six rows, each with a value of its own
        assert dm.irs(self.LATENTS, self.FACTORS, quantile=1.0, **labels).value == 1
        merged = dm.irs(self.LATENTS, self.FACTORS, quantile=1.0, factor_bins=2, **labels)
        assert merged.value == pytest.approx(1 - (7 / 3) / 5)

    def test_values_that_are_few_enough_stay(self):
        assert dm.irs(self.LATENTS, self.FACTORS, factor_bins=6, factor_types="categorical").value == 1

    def test_the_signature_says_so_only_if_they_are_merged(self):
        assert "factor_bins" not in dm.irs(self.LATENTS, self.FACTORS).signature
        assert "factor_bins:2" in dm.irs(self.LATENTS, self.FACTORS, factor_bins=2).signature
