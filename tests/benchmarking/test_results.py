"""What a benchmark looks like: a frame, ranks, text, HTML, Markdown, LaTeX, JSON and a picture."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import disentangle_metrics as dm
from disentangle_metrics.benchmarking.results import Benchmark
from disentangle_metrics.reporting.blocks import Block, Column, Line, in_parts
from disentangle_metrics.reporting.terminal import blocks_as_text
from tests.reporting.example import REPORT, UNKIND, score


def report(**values: float) -> dm.Report:
    """A report with these scores, each of a property."""
    of = {"mig": "compactness", "sap": "compactness", "mig_sup": "modularity", "active_units": "size"}
    down = {"total_correlation": "independence"}
    scores = {
        key: score(key, value, of.get(key) or down[key], direction="down" if key in down else "up")
        for key, value in values.items()
    }
    return dm.Report(scores, shape=(100, len(values), 2))


THREE = Benchmark(
    {
        "pca": report(mig=0.2, sap=0.1, mig_sup=0.5, total_correlation=1.0, active_units=9.0),
        "vae": report(mig=0.4, sap=0.1, mig_sup=0.5, total_correlation=0.5, active_units=4.0),
        "gan": report(mig=0.1, sap=0.3, mig_sup=0.5, total_correlation=2.0, active_units=2.0),
    },
    errors={"flow": "too few rows"},
    names=("pca", "flow", "vae", "gan"),
)
# By hand. mig: vae, pca, gan = 1, 2, 3; sap: gan 1, pca and vae share 2 and 3; lower total correlation is better.
RANKS = {
    "compactness": {"pca": (2 + 2.5) / 2, "vae": (1 + 2.5) / 2, "gan": (3 + 1) / 2},
    "modularity": {"pca": 2.0, "vae": 2.0, "gan": 2.0},
    "independence": {"pca": 2.0, "vae": 1.0, "gan": 3.0},
}
MANY = Benchmark({"first": REPORT, UNKIND: replace(REPORT, confidence=None)}, {"x_1 *": "a <b> $c$"})


@pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
def test_a_score_of_two_rules_is_not_ranked_and_a_note_says_why() -> None:
    rng = np.random.default_rng(0)
    factors = rng.integers(0, 3, size=(300, 2))
    latents = np.column_stack([factors + 0.3 * rng.normal(size=(300, 2)), 0.05 * rng.normal(size=300)])
    both = {"pca": latents, "vae": dm.GaussianPosterior(latents, np.full(latents.shape, -6.0))}
    mixed = dm.benchmark(both, factors, metrics=["mig", "mig_sup", "modularity"], anchors=False)
    equal = {"compactness": {"pca": 1.5, "vae": 1.5}}  # mig has one rule for both, and one value
    assert mixed.ranks().to_dict() == mixed.to_dict()["ranks"] == equal
    (note,) = mixed.notes
    assert note == (
        "not ranked, since signatures differ: mig_sup, modularity (active is varying in pca and auto in vae); "
        "`dm.Metric(..., active='varying')` scores all alike"
    )
    assert f"! {note[:40]}" in str(mixed)
    alike = [dm.Metric("mig_sup", active="varying"), dm.Metric("modularity", active="varying")]
    assert dm.benchmark(both, factors, metrics=alike, anchors=False).ranks().to_dict() == {
        "modularity": {"pca": 1.5, "vae": 1.5}
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"names": 3}, {"names": [[]]}, {"names": ["pca"]}, {"names": [None]}, {"reports": None}, {"reports": {"pca": 1}},
        {"errors": {"flow": 3}}, {"errors": []}, {"notes": [1]}, {"notes": 1}, {"provenance": []}, {"benchmark": [1]},
    ],
)  # fmt: skip
def test_a_changed_benchmark_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(dm.InputError, match="^not a (report|benchmark)"):
        Benchmark.from_dict({**THREE.to_dict(), **changes})


def test_ranks_by_property() -> None:
    expected = pd.DataFrame(RANKS).rename_axis("representation")
    pd.testing.assert_frame_equal(THREE.ranks(), expected)


def test_scores_that_differ_in_the_last_bits_are_equal() -> None:
    both = Benchmark({"a": report(mig=32 / 134), "b": report(mig=math.nextafter(32 / 134, 1))})
    assert both.ranks().to_dict() == {"compactness": {"a": 1.5, "b": 1.5}}
    assert dm.compare(dict(both.items()))["mig"].best(0) == ("a", "b")


def test_a_score_that_one_lacks_does_not_rank() -> None:
    both = Benchmark({"a": report(mig=0.2, sap=0.5), "b": report(mig=0.1, sap=math.nan)})
    assert both.ranks().to_dict() == {"compactness": {"a": 1.0, "b": 2.0}}
    assert Benchmark({"alone": report(mig=0.2)}).ranks().empty


def test_the_frame_has_a_row_for_each_and_the_errors() -> None:
    frame = THREE.to_frame()
    assert list(frame.index) == ["pca", "flow", "vae", "gan"]
    assert list(frame.columns) == ["mig", "sap", "mig_sup", "total_correlation", "active_units", "error"]
    assert frame.loc["vae", "mig"] == 0.4
    assert frame.loc["flow", "error"] == "too few rows"
    assert frame.loc["flow"].drop("error").isna().all()
    assert (frame["error"] != "").sum() == 1


def test_the_long_frame_has_every_signature() -> None:
    long = THREE.to_frame(long=True)
    assert len(long) == 15
    assert long.loc[("gan", "sap"), "value"] == 0.3
    assert long["signature"].str.contains(r"\|dm:").all()


def test_as_a_mapping_it_holds_what_was_scored() -> None:
    assert list(THREE) == ["pca", "vae", "gan"]
    assert "flow" not in THREE
    with pytest.raises(KeyError, match="no representation 'none'; there are pca, flow"):
        THREE["none"]


def test_json_gives_the_same_again(tmp_path: Path) -> None:
    for result in (THREE, MANY.with_provenance(command="dm-eval")):
        path = tmp_path / "benchmark.json"
        result.to_json(path)
        again = Benchmark.from_json(path)
        assert again.to_dict() == result.to_dict()
        assert str(again) == str(result)
    path.write_text("[" * 100_000)  # deeper than Python reads
    with pytest.raises(dm.InputError, match="cannot be read as a benchmark"):
        Benchmark.from_json(path)
    path.write_text("[]")
    with pytest.raises(dm.InputError, match="is not a benchmark"):
        Benchmark.from_json(path)
    REPORT.to_json(path)
    with pytest.raises(
        dm.InputError, match=r"not a benchmark of format 1 .*; it is one report, which `dm.Report.from_json\("
    ):
        Benchmark.from_json(path)


def test_the_text_has_rows_ranks_and_the_error_in_a_line() -> None:
    lines = str(THREE).splitlines()
    assert any(line.split() == ["vae", "0.400", "0.100", "0.500", "0.500", "4.000"] for line in lines)
    assert any(line.split() == ["vae", "1.75", "2.00", "1.00"] for line in lines)
    assert any(line.split()[:2] == ["flow", "failed"] for line in lines)
    assert "!! flow failed: too few rows" in lines
    assert all(len(line) <= 80 for line in lines)


def test_remarks_are_said_once_and_of_whom() -> None:
    both = Benchmark({"a": REPORT, "b": REPORT, "c": replace(REPORT, warnings=("of c alone",))})
    text = blocks_as_text(both._blocks(), width=300)
    assert text.count("factor 'one' is constant") == 1
    assert "! a, b: factor 'one' is constant" in text
    assert "! c: of c alone" in text
    assert text.count("- factor_vae: needs two factors") == 1


def test_the_corrected_score_is_beside_every_interval() -> None:
    text = blocks_as_text(MANY._blocks(), width=200)
    assert re.search(r"^first +0\.688", text, re.M)
    assert re.search(r"^  90% interval +0\.697 \[0\.689, 0\.704\]", text, re.M)
    assert "Below a score: the corrected score, then its interval." in text


def test_the_notebook_says_what_the_terminal_says() -> None:
    shown = unescape(re.sub(r"<[^>]+>", " ", MANY._repr_html_()))
    for line in blocks_as_text(MANY._blocks(), width=500).splitlines():
        for words in line.split():
            assert words in shown
    assert UNKIND not in MANY._repr_html_()


def test_markdown_and_latex_escape_names() -> None:
    markdown = MANY.to_markdown()
    assert r"| x\_1 \*" in markdown
    assert UNKIND not in markdown
    latex = MANY.to_latex()
    assert r"x\_1 *" in latex
    assert r"\textless{}script" in latex
    assert latex.count(r"\begin{table}") == latex.count(r"\end{table}") == 2  # what fits on a page each
    assert latex.count(r"\label") == 1
    assert latex.count(r"\begin{tabular}") == latex.count(r"\end{tabular}") > 1
    assert "MIG-sup" in latex
    assert "Below a score" in latex
    for tabular in re.findall(r"\\begin\{tabular\}\{l(r+)\}(.*?)\\end", latex, re.S):
        rows = [line for line in tabular[1].splitlines() if "&" in line and "multicolumn" not in line]
        assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {len(tabular[0])}


def test_brief_keeps_the_headline_and_the_ranks() -> None:
    brief = MANY.to_markdown(brief=True)
    assert "**headline**" in brief
    assert "**mean rank**" in brief
    assert "**independence**" not in brief
    assert "**independence**" in MANY.to_markdown()


def test_all_failed_is_still_a_table() -> None:
    none = Benchmark({}, {"a": "no rows", "b": "no columns"})
    assert re.search(r"^b +no columns", str(none), re.M)
    assert "no columns" in none._repr_html_()
    assert none.to_frame()["error"].to_dict() == {"a": "no rows", "b": "no columns"}
    assert none.to_frame(long=True).empty
    assert none.ranks().empty


def test_a_wide_table_goes_on_below() -> None:
    columns = tuple(Column(f"c{place}") for place in range(5))
    block = Block("title", columns, (Line("name", ("12345678",) * 5),))
    parts = list(in_parts(block, "corner", 26))  # 6 for names, 9 for each column: two of them
    assert [len(part.columns) for part in parts] == [2, 2, 1]
    assert [part.title for part in parts] == ["title", "title, continued", "title, continued"]
    assert [cell for part in parts for cell in part.lines[0].cells] == ["12345678"] * 5


def test_seven_are_drawn_as_dots_and_more_as_ranks() -> None:
    pytest.importorskip("matplotlib")
    seven = Benchmark({f"r{i}": report(mig=i / 10) for i in range(7)})
    eight = Benchmark({f"r{i}": report(mig=i / 10) for i in range(8)})
    assert not seven.plot().axes[0].images
    assert eight.plot().axes[0].images
