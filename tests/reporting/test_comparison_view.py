"""What every rendering of a comparison says."""

from __future__ import annotations

import math
import re

import pytest

from disentangle_metrics.comparison.comparison import ComparedScore, Comparison, Difference
from disentangle_metrics.reporting.comparison_view import answers, comparison_view
from disentangle_metrics.reporting.terminal import as_text
from disentangle_metrics.reporting.view import probability
from tests.reporting.example import UNKIND


def compared(key, values, differences=(), direction="up", property_="compactness", range_=(0.0, 1.0)):
    by_name = {name: (value,) for name, value in values.items()}
    return ComparedScore(
        key, by_name, tuple(differences), direction, property_, range_, dict.fromkeys(values, key)
    )


def difference_of(key, first, second, value, p, **rest):
    facts = {"corrected": value, "interval": (value - 0.02, value + 0.02), "p": p / 3, "p_holm": p}
    return Difference(key, first, second, value, **{**facts, "method": "same rows", "count": 200, **rest})


def two(second=UNKIND):
    names = ("a_b", second)
    scores = {
        "mig": compared(
            "mig", dict(zip(names, (0.5, 0.25), strict=True)), [difference_of("mig", *names, -0.25, 0.0004)]
        ),
        "mig_sup": compared(
            "mig_sup",
            dict(zip(names, (0.5, 0.49), strict=True)),
            [difference_of("mig_sup", *names, -0.01, 0.3)],
        ),
        "total_correlation": compared(
            "total_correlation",
            dict(zip(names, (3.0, 2.0), strict=True)),
            [difference_of("total_correlation", *names, -1.0, 0.01)],
            "down",
            "independence",
            (0.0, math.inf),
        ),
        "sap": compared(
            "sap",
            dict(zip(names, (0.1, 0.2), strict=True)),
            [Difference("sap", *names, 0.1, reason="no interval")],
        ),
    }
    runs = dict.fromkeys(names, 1)
    return Comparison(
        names, scores, 0.95, runs, dict.fromkeys(names, (100, 2, 3)), {"irs": "n differs"}, "sprites"
    )


def three():
    names = ("a", "b", "c")
    of_mig = [
        difference_of("mig", "a", "b", -0.1, 0.001),
        difference_of("mig", "a", "c", -0.02, 0.2),
        difference_of("mig", "b", "c", 0.08, 0.01),
    ]
    score = compared("mig", {"a": 0.5, "b": 0.4, "c": 0.48}, of_mig)
    runs, shape = dict.fromkeys(names, 1), dict.fromkeys(names, (100, 2, 3))
    return Comparison(names, {"mig": score}, 0.95, runs, shape)


def test_of_two_there_is_a_column_for_each_and_for_the_difference():
    view = comparison_view(two("c"))
    assert view.columns == ("a_b", "c", "difference", "corrected", "95% interval", "p")
    line = next(row for row in view.rows if row.key == "mig")
    assert line.cells == ("0.500", "0.250", "-0.250", "-0.250", "[-0.270, -0.230]", "<0.001")
    assert line.emphasis == ("best", "", "", "", "", "")
    equal = next(row for row in view.rows if row.key == "mig_sup")
    assert equal.emphasis[:2] == ("best", "not worse")
    falls = next(row for row in view.rows if row.key == "total_correlation")
    assert falls.label == "total_correlation ↓"
    assert falls.emphasis[:2] == ("", "best")
    untested = next(row for row in view.rows if row.key == "sap")
    assert untested.cells[2:] == ("+0.100", "–", "–", "–")


def test_the_answer_comes_first():
    assert list(answers(two("c"))) == [
        "a_b and c are each better in 1 of 4 scores; 1 does not tell them apart, 1 could not be tested."
    ]
    assert list(answers(three())) == [
        "Best, or not significantly worse than the best: a in 1 of 1 scores, c in 1, b in 0.",
    ]
    assert as_text(comparison_view(three())).startswith(
        "Best, or not significantly worse than the best: a in 1 "
    )


def test_of_three_the_best_and_its_equals_are_marked():
    view = comparison_view(three())
    assert view.columns == ("a", "b", "c")
    assert view.rows[0].emphasis == ("best", "", "not worse")
    text = as_text(view)
    assert re.search(r"mig +\*0\.500 0\.400 =0\.480", text)
    words = " ".join(text.split())
    assert (
        "*: the best score. =: not significantly worse than the best (p of 0.05 or more, with Holm" in words
    )
    assert "`comparison.to_frame()`" in words


def test_no_rendering_loses_anything_and_names_are_escaped():
    comparison = two()
    view = comparison_view(comparison)
    page, markdown, latex = comparison._repr_html_(), comparison.to_markdown(), comparison.to_latex()
    assert "<script" not in page
    assert "<script" not in markdown.replace("\\<", "")
    assert "<b>0.500</b>" in page
    assert "<u>0.490</u>" in page
    assert "**0.500**" in markdown
    assert "_0.490_" in markdown
    text = as_text(view, 300)
    for row in view.rows:
        for cell in row.cells:
            assert cell in text
            assert cell.replace("<", "&lt;") in page
    for line in (*view.legend, *(remark.line for remark in view.remarks)):
        assert line.replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#x27;") in page
        assert line in text
    assert "no test of sap: no interval" in text
    assert "not compared: irs: n differs" in text
    assert max(map(len, as_text(view, 60).splitlines())) <= 60
    assert latex.count("{") == latex.count("}")


def test_the_caption_says_the_convention():
    text = two("c").to_latex()
    assert (
        "\\caption{a\\_b and c compared (sprites: 100 rows, 3 factors; 1 run of each; 3 tests). In bold: the best"
        in text
    )
    assert (
        "Underlined: not significantly worse than the best (p of 0.05 or more, with Holm's correction for 3 tests)"
        in text
    )
    assert (
        "MIG & \\textbf{0.500} & 0.250 & $-$0.250 & $-$0.250 & [$-$0.270, $-$0.230] & \\textless{}0.001 \\\\"
        in text
    )
    assert "MIG-sup & \\textbf{0.500} & \\underline{0.490} &" in text
    assert "Metric & a\\_b & c & Difference & Corrected & 95\\% interval & p \\\\" in text
    assert "\\label{tab:comparison}" in text
    assert "\\caption{Mine.}" in two("c").to_latex(caption="Mine.")


def test_without_a_test_nothing_is_underlined_and_the_caption_says_so():
    names = ("a", "b")
    score = compared("mig", {"a": 0.5, "b": 0.4}, [Difference("mig", *names, -0.1, reason="no intervals")])
    bare = Comparison(names, {"mig": score}, 0.95, dict.fromkeys(names, 1), dict.fromkeys(names, (9, 2, 3)))
    view = comparison_view(bare)
    assert view.columns == ("a", "b", "difference")
    assert view.answer == ("Nothing could be tested, so the differences below may be chance.",)
    text = bare.to_latex()
    assert "nderlined" not in text
    assert "In bold: the best score." in text


def test_one_run_each_says_what_it_cannot_say():
    assert "says nothing of another training run" in " ".join(str(three()).split())
    several = three()
    object.__setattr__(several, "runs", dict.fromkeys(several.names, 5))
    assert "says nothing of another training run" not in " ".join(str(several).split())


def test_pairs_without_a_test_are_named_beside_pairs_that_have_one():
    names = ("a", "b", "c")
    without = [Difference("mig", "a", "c", 0.1, reason="few"), Difference("mig", "b", "c", 0.1, reason="few")]
    values = dict.fromkeys(names, 0.5)
    runs, shape = dict.fromkeys(names, 1), dict.fromkeys(names, (9, 2, 2))
    for of, told in (
        ([difference_of("mig", "a", "b", 0.1, 0.01), *without], "any score between a and c, b and c: few"),
        ([Difference("mig", "a", "b", 0.1, reason="few"), *without], "any score: few"),
    ):
        scores = {"mig": compared("mig", values, of)}
        view = comparison_view(Comparison(names, scores, 0.95, runs, shape))
        assert f"no test of {told}" in [remark.text for remark in view.remarks]


def test_a_table_of_many_goes_on_below():
    names = tuple(f"model_{number}" for number in range(40))
    values = {name: 0.1 + place / 100 for place, name in enumerate(names)}
    scores = {key: compared(key, values) for key in ("mig", "sap")}
    facts = dict.fromkeys(names, 1), dict.fromkeys(names, (9, 2, 3))
    many = Comparison(names, scores, 0.95, *facts)
    lines = as_text(comparison_view(many)).splitlines()
    assert max(map(len, lines)) <= 80
    of_mig = [line.split()[1:] for line in lines if line.startswith("mig")]
    assert [cell.lstrip("*") for cells in of_mig for cell in cells] == [f"{v:.3f}" for v in values.values()]
    assert [name for line in lines if line.startswith("metric") for name in line.split()[1:]] == list(names)
    latex = many.to_latex()
    rows = [line.split(" & ") for line in latex.splitlines() if line.strip().startswith("MIG ")]
    assert sum(len(cells) - 1 for cells in rows) == 40
    assert max(map(len, rows)) < 9
    assert latex.count("\\caption{model") == 1
    few = Comparison(names[:5], scores, 0.95, *facts)
    assert as_text(comparison_view(few)).count("metric") == 1


def of_few_rows(*more):
    """Sufficiency of 300 rows: fine has the higher score, from a bias of few rows that is larger than its lead."""
    names = ("coarse", "fine", *more)
    of = [
        difference_of(
            "sufficiency", "coarse", "fine", 0.036, 0.016, corrected=-0.041, interval=(-0.075, -0.008)
        )
    ]
    if more:
        of.append(difference_of("sufficiency", "coarse", *more, -0.084, 0.0001, corrected=-0.104))
        of.append(difference_of("sufficiency", "fine", *more, -0.12, 0.0001, corrected=-0.063))
    values = dict(zip(names, (0.126, 0.162, 0.042), strict=False))
    score = compared("sufficiency", values, of)
    runs, shape = dict.fromkeys(names, 1), dict.fromkeys(names, (300, 2, 2))
    return Comparison(names, {"sufficiency": score}, 0.95, runs, shape)


@pytest.mark.parametrize("more", [(), ("noise",)])
def test_words_star_json_and_frame_name_one_as_better(more):
    comparison = of_few_rows(*more)
    view = comparison_view(comparison)
    (line,) = view.rows
    assert line.emphasis[: 2 + len(more)] == ("best", "", *[""] * len(more))
    (answer,) = view.answer
    assert answer.startswith(
        "Best, or not significantly worse than the best: coarse in 1 of 1 scores, fine in 0"
        if more
        else "coarse is better than fine in 1 of 1 scores."
    )
    stored = comparison.to_dict()["scores"]["sufficiency"]
    assert (stored["best"], stored["not_significantly_worse"]) == (["coarse"], [])
    assert comparison.to_frame().better.iloc[0] == "coarse"
    assert (
        "fine has the better score, and coarse is significantly better less the bias" in view.remarks[1].text
    )
    assert "In bold: the best score that no other is significantly better than." in comparison.to_latex()


def test_one_that_another_beats_is_not_called_equal():
    """The best score is beaten by the third, less the bias; neither differs from the second."""
    values, names = {"top": 0.16, "middle": 0.15, "low": 0.14}, ("top", "middle", "low")
    of = [
        difference_of("sufficiency", "top", "middle", -0.01, 0.4),
        difference_of("sufficiency", "top", "low", -0.02, 0.01, corrected=0.03, interval=(0.01, 0.05)),
        difference_of("sufficiency", "middle", "low", -0.01, 0.4),
    ]
    score = compared("sufficiency", values, of)
    assert (score.best(0.05), score.not_worse(0.05)) == (("middle",), ("low",))
    runs, shape = dict.fromkeys(names, 1), dict.fromkeys(names, (300, 2, 2))
    (line,) = comparison_view(Comparison(names, {"sufficiency": score}, 0.95, runs, shape)).rows
    assert line.emphasis[:3] == ("", "best", "not worse")


def test_where_each_is_beaten_by_another_the_scores_alone_count():
    of = [
        difference_of("mig", "a", "b", 0.1, 0.01, corrected=0.1, interval=(0.05, 0.15)),
        difference_of("mig", "b", "c", 0.1, 0.01, corrected=0.1, interval=(0.05, 0.15)),
        difference_of("mig", "a", "c", 0.2, 0.01, corrected=-0.1, interval=(-0.15, -0.05)),
    ]
    assert compared("mig", {"a": 0.1, "b": 0.2, "c": 0.3}, of).best(0.05) == ("c",)


@pytest.mark.parametrize(
    ("p", "confidence", "text", "mark"),
    [
        (0.0496, 0.95, "0.0496", ""),
        (0.0503, 0.95, "0.050", "not worse"),
        (0.05, 0.95, "0.050", "not worse"),
        (0.049999996, 0.95, "0.049999996", ""),
        (0.0004, 0.9995, "<0.0005", ""),
        (0.0008, 0.9995, "0.001", "not worse"),
        (0.0004, 0.9997, "0.0004", "not worse"),
        (0.0996, 0.9, "0.0996", ""),
    ],
)
def test_a_p_shows_on_which_side_of_the_level_it_lies(p, confidence, text, mark):
    score = compared("mig", {"a": 0.3, "b": 0.4}, [difference_of("mig", "a", "b", 0.1, p)])
    runs, shape = dict.fromkeys("ab", 1), dict.fromkeys("ab", (9, 2, 2))
    (line,) = comparison_view(Comparison(("a", "b"), {"mig": score}, confidence, runs, shape)).rows
    assert (line.cells[-1], line.emphasis[0]) == (text, mark)


@pytest.mark.parametrize(
    ("p", "text"), [(None, "–"), (0.0, "<0.001"), (0.00099, "<0.001"), (0.0312, "0.031"), (1.0, "1.000")]
)
def test_a_p_is_never_shown_as_zero(p, text):
    assert probability(p) == text
