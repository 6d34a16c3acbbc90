"""Tables to carry away: Markdown, LaTeX, CSV."""

from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd

from disentangle_metrics.reporting.blocks import Block, Blocks, Column, Line
from disentangle_metrics.reporting.tables import blocks_as_latex, latex, latex_table
from disentangle_metrics.reporting.terminal import as_text, blocks_as_text
from disentangle_metrics.reporting.view import report_view
from tests.reporting.example import REPORT


def test_a_markdown_table_has_all_its_columns_in_each_row():
    text = REPORT.to_markdown()
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {7}
    assert "mig\\_sup (modularity)" in text
    assert "<script" not in text.replace("\\<", "")
    assert "- factor 'one' is constant (1) and is left out" in text


def test_a_latex_table_balances_and_escapes(tmp_path):
    path = tmp_path / "scores.tex"
    text = REPORT.to_latex(path)
    assert path.read_text(encoding="utf-8") == text
    rows = [line for line in text.splitlines() if line.endswith("\\\\") and "multicolumn" not in line]
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {5}
    assert text.count("{") == text.count("}")
    assert "MIG-sup & 0.050" in text  # papers' names
    assert "Total correlation $\\downarrow$ & 12.346" in text
    assert "of\\_a\\_plugin & 0.300" in text
    assert "$\\approx$ 0.020" in text
    assert not re.search(r"[≈↓–∞]", text)
    assert "\\label{tab:disentanglement}" in text
    assert "\\caption{Mine.}" in REPORT.to_latex(caption="Mine.")


def test_plain_text_becomes_latex():
    assert latex("a_b & 5% {x} $1$ #2 ~^\\ <y|z>") == (
        r"a\_b \& 5\% \{x\} \$1\$ \#2 \textasciitilde{}\textasciicircum{}\textbackslash{} "
        r"\textless{}y\textbar{}z\textgreater{}"
    )
    assert latex("-0.5 and [-0.1, 2] of mig-sup-2") == "$-$0.5 and [$-$0.1, 2] of mig-sup-2"


def test_no_row_begins_with_what_the_end_of_the_row_before_takes():
    rows = [["[vae]", "1"], ["*best", "2"], ["x", "[0, 1]"]]
    lines = tuple(Line(label, (cell,)) for label, cell in rows)
    blocks = blocks_as_latex(Blocks("model", (Block("", (Column("MIG"),), lines),), "2 rows"))
    for text in (blocks, latex_table(["Model", "MIG"], [("", rows)], caption="c", label="l")):
        assert "    {}[vae] & 1 \\\\\n    {}*best & 2 \\\\\n    x & [0, 1] \\\\\n" in text


def test_a_table_of_one_group_needs_no_title():
    text = latex_table(["Model", "MIG"], [("", [["a", "1"], ["b", "2"]])], caption="c", label="l")
    assert "multicolumn" not in text
    assert "a & 1 \\\\" in text


def test_a_terminal_shows_names_as_they_are():
    name = "rs123:A:G [b]chr:X:155[/b]"
    view = replace(report_view(REPORT), readings=(f"{name}: read",), answer=(f"{name} is better.",))
    block = Block(name, (Column(name),), (Line(name, (name,)),))
    blocks = Blocks(name, (block,), f"1 {name}", legend=(f"{name} failed",))
    for text, times in ((as_text(view, 300), 2), (blocks_as_text(blocks, 300), 6)):
        assert text.count(name) == times


def test_csv_keeps_every_score(tmp_path):
    path = tmp_path / "scores.csv"
    REPORT.to_frame().to_csv(path)
    assert pd.read_csv(path, index_col=0).index.tolist() == list(REPORT)


def test_brief_tables_hold_the_headline():
    assert "Modularity &" not in REPORT.to_latex(brief=True)
    assert len(report_view(REPORT, brief=True).rows) == 4
