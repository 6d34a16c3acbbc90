"""Tables to carry away: Markdown, LaTeX, CSV."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace

import pandas as pd
import pytest

from disentangle_metrics.reporting.blocks import Block, Blocks, Column, Line
from disentangle_metrics.reporting.literature import references
from disentangle_metrics.reporting.tables import TALL, blocks_as_latex, latex, tabulars_of_groups
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
    assert (
        latex("β-VAE, ΔMIG ≥ 0") == r"$\beta$-VAE, $\Delta$MIG $\geq$ 0"
    )  # LaTeX has no Greek outside of formulas
    assert latex("-0.5 and [-0.1, 2] of mig-sup-2") == "$-$0.5 and [$-$0.1, 2] of mig-sup-2"


def test_no_row_begins_with_what_the_end_of_the_row_before_takes():
    rows = [["[vae]", "1"], ["*best", "2"], ["x", "[0, 1]"]]
    lines = tuple(Line(label, (cell,)) for label, cell in rows)
    blocks = blocks_as_latex(Blocks("model", (Block("", (Column("MIG"),), lines),), "2 rows"))
    for text in (blocks, *tabulars_of_groups(["Model", "MIG"], [("", rows)])):
        assert "    {}[vae] & 1 \\\\\n    {}*best & 2 \\\\\n    x & [0, 1] \\\\\n" in text


def test_a_table_of_one_group_needs_no_title():
    (text,) = tabulars_of_groups(["Model", "MIG"], [("", [["a", "1"], ["b", "2"]])])
    assert "multicolumn" not in text
    assert "a & 1 \\\\" in text


def rows_of_floats(text):
    floats = text.split("\\begin{table}")[1:]
    return [[row for row in one.splitlines() if re.search(r"^ +m\d+ &", row)] for one in floats]


@pytest.mark.parametrize("models", [3, 20, 90])
def test_a_table_goes_on_in_another_float_before_it_leaves_the_page(models):
    blocks = tuple(
        Block(
            title,
            (Column(key), Column("SAP")),
            tuple(Line(f"m{row}", ("0.1", "0.2")) for row in range(models)),
        )
        for title, key in (("compactness", "mig"), ("modularity", "mig_sup"))
    )
    text = blocks_as_latex(Blocks("model", blocks, "2 rows"))
    found = rows_of_floats(text)
    assert [row.split()[0] for rows in found for row in rows] == 2 * [f"m{row}" for row in range(models)]
    assert max(map(len, found)) <= TALL
    assert len(found) == {3: 1, 20: 2, 90: 6}[models]
    assert text.count("\\label") == 1
    assert text.count("\\addtocounter{table}{-1}") == text.count("\\caption{(continued)}") == len(found) - 1


def test_groups_of_rows_stay_together():
    groups = [(str(group), [[f"m{row}", "0.1"] for row in range(10)]) for group in range(5)]
    assert [
        len(re.findall(r"^ +m\d+ &", text, re.M)) for text in tabulars_of_groups(["Metric", "Score"], groups)
    ] == [
        30,
        20,
    ]


def test_columns_that_do_not_fit_stand_below():
    scores = ("mig", "dci_disentanglement", "dci_completeness", "dci_informativeness")
    columns = tuple(Column(f"{score} (compactness and modularity)", score) for score in scores)
    text = blocks_as_latex(Blocks("model", (Block("", columns, (Line("vae", 4 * ("0.1",)),)),), "2 rows"))
    heads = [row.strip() for row in text.splitlines() if row.strip().startswith("Model")]
    assert heads == [
        "Model & MIG & DCI disentanglement & DCI completeness \\\\",
        "Model & DCI informativeness \\\\",
    ]


@pytest.mark.skipif(not shutil.which("pdflatex") or not shutil.which("kpsewhich"), reason="needs LaTeX")
def test_latex_takes_the_tables_and_the_bibliography(tmp_path):
    if not subprocess.run(["kpsewhich", "booktabs.sty"], capture_output=True).stdout:
        pytest.skip("needs the LaTeX package booktabs")
    lines = tuple(Line(f"β_{row}", ("≈ 0.1",)) for row in range(80))
    blocks = blocks_as_latex(Blocks("model", (Block("*", (Column("MIG ↓", "mig"),), lines),), "2 rows"))
    (tmp_path / "all.bib").write_text("\n".join(references().values()), encoding="utf-8")
    (tmp_path / "all.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\\nocite{*}"
        f"{REPORT.to_latex()}{blocks}\\bibliographystyle{{plain}}\\bibliography{{all}}\\end{{document}}",
        encoding="utf-8",
    )
    for command in ("pdflatex", "bibtex", "pdflatex"):
        options = ["-interaction=nonstopmode", "-halt-on-error"] if command == "pdflatex" else []
        done = subprocess.run([command, *options, "all"], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
    assert "Float too large" not in done.stdout


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
