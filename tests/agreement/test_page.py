"""The page of agreement forgets no recorded number, and says what was measured."""

from __future__ import annotations

import json
import re

import pytest

from disentangle_metrics.metrics import METRICS
from disentangle_metrics.metrics.catalogue import BUILTIN
from tests.agreement import mig_sups
from tests.agreement.comparison import EVERY_CASE, Comparison, Pair, measure, of, pairs_recorded
from tests.agreement.page import (
    CHOICES,
    COMPARISONS,
    DATA,
    DEFECTS,
    PAGE,
    PEERS,
    UNREPRODUCED,
    key,
    load,
    remeasure,
    render,
    row,
)
from tests.agreement.reference import CASES

NAMED_OTHERWISE = {"r4": ("R4",), "r4c": ("R4c",), "wsepin": ("WINDIN",)}  # in the rows of their peers
RECORDS = [
    (case, peer, metric, record)
    for case in EVERY_CASE
    for peer, metric in pairs_recorded()
    for record in of(case, peer, metric)
]


def test_every_record_is_compared_or_explained_or_left_out_with_a_reason():
    compared = {id(record) for comparison in COMPARISONS for _, record in comparison.records().values()}
    for case, peer, metric, record in RECORDS:
        known = (
            id(record) in compared
            or any(entry.covers(peer, metric, case) for entry in (*DEFECTS, *CHOICES))
            or any((e.peer, e.metric) == (peer, metric) and e.where(record) for e in UNREPRODUCED)
        )
        assert known, (case, peer, metric, record["params"])


def test_every_metric_is_compared_or_said_to_have_no_peer():
    before, _, without = render(load()).partition("\n## Without a peer\n")
    assert "[Twelve names](#without-a-peer)" in before
    for name in [*BUILTIN, "udr"]:
        keys = METRICS.load(name).keys if name in BUILTIN else ()
        words = {name, *keys, *NAMED_OTHERWISE.get(name, ())}
        compared = any(re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", before) for word in words)
        assert compared != (f"`{name}`" in without), name


def test_every_explained_case_has_its_explanation():
    for comparison in COMPARISONS:
        for case in comparison.explained:
            every = (*DEFECTS, *CHOICES)
            covered = [e for e in every if e.covers(comparison.peer, comparison.metric, case)]
            covered += [u for u in UNREPRODUCED if (u.peer, u.metric) == (comparison.peer, comparison.metric)]
            assert covered, (comparison.name, case)


def test_numbers_that_are_not_finite_are_explained():
    for comparison in COMPARISONS:
        for name, result in load()["comparisons"][key(comparison)].items():
            if result["undefined"]:
                covered = [e for e in DEFECTS if e.covers(comparison.peer, comparison.metric, name)]
                assert covered, (comparison.name, name)


def test_everything_that_is_fast_was_measured_and_agrees():
    found = load()["comparisons"]
    assert set(found) == {key(comparison) for comparison in COMPARISONS}
    for comparison in COMPARISONS:
        results = found[key(comparison)]
        for name, (case, _) in comparison.records().items():
            assert comparison.is_slow(case) or name in results
        assert set(results) <= set(comparison.records())
        assert all(result["share"] <= 1 and result["numbers"] > 0 for result in results.values()), (
            comparison.name
        )


def test_every_peer_and_metric_has_a_row_on_the_page():
    lines = PAGE.read_text(encoding="utf-8").split("\n### ")
    for peer, metric in pairs_recorded():
        section = next(part for part in lines if part.startswith(f"{peer}\n"))
        assert f"| {metric}".replace("q(z|x)", "q(z\\|x)") in section, (peer, metric)
        assert peer in PEERS


def test_the_page_is_what_was_measured():
    assert PAGE.read_text(encoding="utf-8") == render(load()), "run: python -m tests.agreement.page --render"


def test_every_explanation_has_both_numbers():
    for entry, lines in load()["explanations"].items():
        assert lines, entry
    for entry in DEFECTS:
        for case, what, ours, theirs in load()["explanations"][entry.title]:
            assert ours != theirs, (entry.title, case, what)


@pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
def test_every_mig_sup_is_reproduced_side_by_side():
    """Recorded numbers against ours, made anew: no two of the rows give one number for one code."""
    for version in mig_sups.VERSIONS:
        for case, (theirs, ours) in load()["mig_sups"][version.whose].items():
            again = version.ours(next(name for name in CASES if name.startswith(case)))
            assert again == pytest.approx(ours, abs=1e-12)
            assert theirs is None or again == pytest.approx(theirs, abs=version.allowed)
    of_p14 = [rows["p14"][0] for rows in load()["mig_sups"].values()]
    assert len({round(value, 3) for value in of_p14}) == len(mig_sups.VERSIONS)


def made_up(ours, theirs, allowed=1e-9):
    return Comparison("disent", "MIG", "", "", "", lambda case, record: iter([Pair(ours, theirs, allowed)]))


@pytest.mark.parametrize(
    ("ours", "theirs", "share"),
    [
        (1.0, 1.0, 0.0),
        (1.0, 1.5, 5e8),
        (float("nan"), 1.0, float("inf")),
        ([1.0, 2.0], [1.0, float("nan")], 0.0),
    ],
)
def test_what_a_measurement_calls_agreement(ours, theirs, share):
    result = measure(made_up(ours, theirs), CASES[0], {})
    assert result.share == pytest.approx(share)
    assert result.undefined == (1 if isinstance(theirs, list) else 0)


def test_a_disagreement_shows():
    comparison = made_up(1.0, 1.5)
    found = {"comparisons": {key(comparison): {"p01 0": {"numbers": 1, "deviation": 0.5, "share": 5e8}}}}
    assert "**disagrees**" in row(comparison, found)


@pytest.mark.parametrize(
    "name",
    ["disent, SAP", pytest.param("", marks=pytest.mark.slow)],
    ids=["one", "all"],
)
@pytest.mark.filterwarnings("ignore")
def test_measuring_again_gives_the_same(name, tmp_path, monkeypatch):
    monkeypatch.setattr("tests.agreement.page.DATA", tmp_path / "agreement.json")
    monkeypatch.setattr("tests.agreement.page.DEFECTS", ())
    monkeypatch.setattr("tests.agreement.page.CHOICES", ())
    again = {"comparisons": {}, "explanations": {}}
    remeasure(again, slow=False, only=name)
    committed = json.loads(DATA.read_text(encoding="utf-8"))["comparisons"]
    for comparison, results in again["comparisons"].items():
        for case, result in results.items():
            assert result["numbers"] == committed[comparison][case]["numbers"]
            assert result["share"] <= 1
