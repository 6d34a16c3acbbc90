"""Tables to carry away: Markdown, LaTeX, CSV."""

from __future__ import annotations

import re

import pandas as pd

from disentangle_metrics.reporting.tables import latex, latex_table
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


def test_a_table_of_one_group_needs_no_title():
    text = latex_table(["Model", "MIG"], [("", [["a", "1"], ["b", "2"]])], caption="c", label="l")
    assert "multicolumn" not in text
    assert "a & 1 \\\\" in text


def test_csv_keeps_every_score(tmp_path):
    path = tmp_path / "scores.csv"
    REPORT.to_frame().to_csv(path)
    assert pd.read_csv(path, index_col=0).index.tolist() == list(REPORT)


def test_brief_tables_hold_the_headline():
    assert "Modularity &" not in REPORT.to_latex(brief=True)
    assert len(report_view(REPORT, brief=True).rows) == 4
