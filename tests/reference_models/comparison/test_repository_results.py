"""The results in the repository are those of its rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from reference_models.comparison import results
from reference_models.comparison.figures import all_figures
from reference_models.comparison.page import page, probability
from reference_models.comparison.rows import read_rows
from reference_models.comparison.runs import read_comparison

FOLDER = Path(__file__).parents[3] / "examples" / "reproduction"
ROWS = sorted(FOLDER.glob("*-mini.jsonl"))


@pytest.mark.parametrize("path", ROWS, ids=lambda path: path.stem)
def test_the_page_of_the_repository_is_that_of_its_rows(path):
    tables = results.tables(read_rows(path))
    figures = all_figures(tables)
    folder = FOLDER / path.stem.removesuffix("-mini")
    assert (folder / "results.md").read_text(encoding="utf-8") == page(tables, figures)
    assert {one.name for one in folder.glob("*.png")} == set(figures)


@pytest.mark.parametrize("path", ROWS, ids=lambda path: path.stem)
def test_the_rows_of_the_repository_are_of_the_plan(path):
    """A plan that changes would do them all again."""
    rows = read_rows(path)
    comparison = read_comparison("mini", path.stem.removesuffix("-mini"))
    runs = comparison.runs(comparison.learning_rates(rows))
    assert {row["key"] for row in rows} <= {run.key for run in [*comparison.pilots(), *runs]}


def test_the_documentation_s_table_is_that_of_the_rows():
    """docs/reproduction.md rounds what the page says; whoever adds rows must read its text again."""
    text = (FOLDER.parents[1] / "docs" / "reproduction.md").read_text(encoding="utf-8")
    for path in ROWS:
        tested = results.tables(read_rows(path))["differences"]
        for other, scores in tested.groupby("other") if len(tested) else ():
            of_metric = scores.set_index("metric").loc[list(results.METRICS)]
            cells = [
                f"{row.difference:+.2f} [{row.low:.2f}, {row.high:.2f}], p {probability(row.p_holm)}"
                for row in of_metric.itertuples()
            ]
            named = {"beta-vae": "beta-VAE", "vlae": "VLAE"}.get(other, other)
            assert f"| {named} | {' | '.join(cells)} |" in text


def test_no_run_is_in_the_repository_twice():
    assert ROWS
    for path in ROWS:
        keys = [row["key"] for row in read_rows(path)]
        assert len(keys) == len(path.read_text(encoding="utf-8").splitlines())
