"""One content: what terminal and notebook say of a report, and what they never lose."""

from __future__ import annotations

import io
import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from rich.console import Console

import disentangle_metrics as dm
from disentangle_metrics.checks import Check
from disentangle_metrics.reporting.terminal import as_text, printable, render
from disentangle_metrics.reporting.view import HEADLINE, near_chance, report_view, score_view
from tests.reporting.example import REPORT, UNKIND, score

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")


class Texts(HTMLParser):
    """The text of each cell, paragraph and list item."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag in ("td", "th", "li", "p"):
            self.texts.append("")

    def handle_data(self, data):
        if self.texts:
            self.texts[-1] += data


def test_the_headline_comes_first_and_every_score_once():
    view = report_view(REPORT)
    assert view.groups[0].title == "headline"
    assert [row.score.key for row in view.groups[0].rows] == [
        "mig",
        "mig_sup",
        "dci_disentanglement",
        "factor_vae",
    ]
    assert sorted(row.score.key for row in view.rows) == sorted(REPORT)
    assert [group.title for group in view.groups[1:]] == [
        "compactness",
        "modularity",
        "independence",
        "other",
    ]


def test_brief_is_the_headline_alone():
    assert [row.score.key for row in report_view(REPORT, brief=True).rows] == [
        "mig",
        "mig_sup",
        "dci_disentanglement",
        "factor_vae",
    ]
    few = dm.Report({key: REPORT[key] for key in ("modularity", "mig")})
    assert [row.score.key for row in report_view(few, brief=True).rows] == ["mig", "modularity"]


def test_the_headline_scores_are_of_the_default_suite():
    rng = np.random.default_rng(0)
    keys = set(
        dm.score(
            rng.normal(size=(60, 2)), rng.integers(2, size=(60, 2)), metrics=list(HEADLINE), anchors=False
        )
    )
    assert keys == set(HEADLINE)


@pytest.mark.parametrize(
    ("value", "chance", "ceiling", "direction", "near"),
    [
        (0.14, 0.1, 1.0, "up", True),  # 0.04 of 0.9 is less than a twentieth
        (0.15, 0.1, 1.0, "up", False),
        (0.05, 0.1, 1.0, "up", True),  # below chance
        (0.14, 0.1, None, "up", True),  # to the end of the range
        (0.96, 1.0, 0.0, "down", True),
        (0.94, 1.0, 0.0, "down", False),
        (0.5, 0.9, 0.8, "up", True),  # a ceiling below chance
        (0.95, 0.9, 0.8, "up", False),
        (0.2, None, 1.0, "up", False),
        (math.nan, 0.1, 1.0, "up", False),
    ],
)
def test_near_chance_is_a_twentieth_of_the_way(value, chance, ceiling, direction, near):
    assert near_chance(score("s", value, "", chance=chance, ceiling=ceiling, direction=direction)) is near


def test_the_terminal_shows_everything_in_80_columns():
    text = str(REPORT)
    assert max(map(len, text.splitlines())) <= 80
    for row in report_view(REPORT).rows:
        for part in (row.label, *row.cells):
            assert part in text
    assert "mig (compactness)" in text
    assert "[0.689, 0.704]" in text
    assert "0.697" in text
    assert "≈ 0.020" in text
    assert "total_correlation ↓" in text
    assert "! factor 'one' is constant (1) and is left out" in text
    assert f"! beware of {UNKIND}" in text
    assert "- factor_vae: needs two factors" in text
    assert "-0.000" not in text


@pytest.mark.parametrize("width", [20, 40, 60])
def test_nothing_is_cut_on_a_narrow_terminal(width):
    text = as_text(report_view(REPORT), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    letters = re.sub(r"\s", "", text)
    whole = re.sub(r"\s", "", as_text(report_view(REPORT), 200))
    assert sorted(letters) == sorted(whole)


def test_an_encoding_without_the_signs_gets_others():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    render(report_view(REPORT), Console(file=stream, width=80))
    stream.flush()
    text = stream.buffer.getvalue().decode("cp1252")
    assert "total_correlation v" in text
    assert "~ 0.020" in text
    assert printable("\u4e2d \u2193", "ascii") == "? v"
    assert printable("\u4e2d \u2193", "utf-8") == "\u4e2d \u2193"


def test_the_notebook_says_what_the_terminal_says():
    view = report_view(REPORT)
    parser = Texts()
    parser.feed(REPORT._repr_html_())
    expected = ["metric", *view.columns]
    for group in view.groups:
        expected.append(group.title)
        for row in group.rows:
            expected += [row.label, *row.cells]
    expected += [view.facts, *view.legend, *(remark.line for remark in view.remarks)]
    assert [text.rstrip("\n") for text in parser.texts] == expected
    assert "script" not in parser.tags


def test_a_score_alone_is_shown_with_its_interval_and_remarks():
    view = score_view(REPORT["mig"])
    assert view.columns == ("score", "corrected", "90% interval", "chance", "ceiling")
    assert view.rows[0].cells == ("0.688", "0.697", "[0.689, 0.704]", "0.010", "0.980")
    parser = Texts()
    parser.feed(REPORT["dci_disentanglement"]._repr_html_())
    assert f"! beware of {UNKIND}" in parser.texts
    assert str(REPORT["mig"]) == "mig 0.688, corrected 0.697 [0.689, 0.704] (chance 0.010, ceiling 0.980)"


def test_a_size_is_neither_better_nor_worse():
    size, distance = (score("s", 4.0, name, direction="down") for name in ("size", "independence"))
    assert score_view(size).rows[0].label == "s"
    assert score_view(distance).rows[0].label == "s ↓"
    assert not near_chance(score("s", 0.8, "size", chance=0.8))  # of any latents


def test_what_every_score_says_is_said_once():
    scores = {key: score(key, 0.5, "", warnings=("one", "of " + key)) for key in ("a", "b")}
    remarks = report_view(dm.Report(scores, warnings=("one",))).remarks
    assert [remark.text for remark in remarks] == ["one", "of a", "of b"]


def test_checks_come_with_their_severity_and_remedy_and_are_said_once():
    checks = (
        Check("swapped", "they may be swapped", "swap them"),
        Check("constant_factor", "factor 'one' is constant", "leave it out"),
        Check("fewer_latents", "2 latents and 3 factors"),
        Check("at_chance", "mig 0.010 is at its chance level 0.009", "", "mig"),
    )
    said = score(
        "mig", 0.01, "", chance=0.009, ceiling=1.0, warnings=("factor 'one' is constant; leave it out",)
    )
    report = dm.Report({"mig": said}, warnings=("they may be swapped; swap them",), found=checks)
    assert [remark.line for remark in report_view(report).remarks] == [
        "!! they may be swapped; swap them [swapped]",
        "! factor 'one' is constant; leave it out [constant_factor]",
        "· 2 latents and 3 factors [fewer_latents]",
    ]
    assert report_view(report).rows[0].near_chance  # which says what the check at_chance says
    assert "- they may be swapped; swap them" in report.to_markdown()
    page = report.to_html()
    assert "<strong>Serious.</strong> <code>swapped</code>" in page
    assert '<span class="remedy">swap them</span>' in page


def test_columns_that_nobody_asked_for_are_left_out():
    rng = np.random.default_rng(0)
    report = dm.score(rng.normal(size=(50, 2)), rng.integers(2, size=(50, 2)), metrics=["mig"], anchors=False)
    assert report_view(report).columns == ("score",)


def test_the_frame_has_the_corrected_estimate():
    frame = REPORT.to_frame()
    assert list(frame.columns[:4]) == ["value", "corrected", "interval_low", "interval_high"]
    assert frame.loc["mig", "corrected"] == 0.697
    assert math.isnan(frame.loc["modularity", "corrected"])


def test_reports_of_before_still_load():
    values = REPORT.to_dict()
    for one in values["scores"].values():
        del one["corrected"]
    again = dm.Report.from_dict(values)
    assert again["mig"].corrected is None
    assert "[0.689, 0.704]" in str(again)
    assert dm.Report.from_dict(REPORT.to_dict())["mig"].corrected == 0.697
