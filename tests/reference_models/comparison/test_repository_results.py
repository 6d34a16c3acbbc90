"""The results in the repository are those of its rows."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from reference_models.comparison import results
from reference_models.comparison.figures import all_figures
from reference_models.comparison.page import page, probability
from reference_models.comparison.rows import read_rows
from reference_models.comparison.runs import read_comparison

FOLDER = Path(__file__).parents[3] / "examples" / "reproduction"
ROWS = sorted(FOLDER.glob("*-mini.jsonl"))
DOCUMENTATION = FOLDER.parents[1] / "docs" / "reproduction.md"
NAMES = {
    "beta-vae": "beta-VAE",
    "vlae": "VLAE",
    "teacher-student": "teacher-student",
    "pro-vlae": "pro-VLAE",
}


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
    text = DOCUMENTATION.read_text(encoding="utf-8")
    for path in ROWS:
        for other, scores in results.tables(read_rows(path))["differences"].groupby("other"):
            of_metric = scores.set_index("metric").loc[list(results.METRICS)]
            cells = [
                f"{row.difference:+.2f} [{row.low:.2f}, {row.high:.2f}], p {probability(row.p_holm)}"
                for row in of_metric.itertuples()
            ]
            assert f"| {NAMES[other]} | {' | '.join(cells)} |" in text


def test_the_documentation_s_scores_factor_by_factor_are_those_of_the_runs():
    text = DOCUMENTATION.read_text(encoding="utf-8")
    runs = pd.read_csv(FOLDER / "rooms" / "per_factor.csv")
    beta_4 = runs[runs["model"].str.contains("-beta4-")]
    for model, name in NAMES.items():
        of_model = beta_4[beta_4["model"].str.startswith(f"rooms-{model}-beta4-")]
        assert len(of_model) == 5
        means = of_model.drop(columns=["model", "mig"]).mean()
        assert f"| {name} | {' | '.join(f'{mean:.2f}' for mean in means)} |" in text


def test_the_documentation_s_table_of_latents_is_that_of_the_study():
    text = DOCUMENTATION.read_text(encoding="utf-8")
    study = pd.read_csv(FOLDER.parent / "studies" / "spare_latents.csv")
    assert len(study) == 12
    for run in study.itertuples():
        scores = (f"{score:.2f}" for score in (run.factor_vae, run.mig, run.mig_sup))
        cells = [run.latents, run.active_latents, f"{run.reconstruction:.1f}", f"{run.kl:.1f}", *scores]
        assert f"| {' | '.join(map(str, cells))} |" in text


def test_no_run_is_in_the_repository_twice():
    assert ROWS
    for path in ROWS:
        keys = [row["key"] for row in read_rows(path)]
        assert len(keys) == len(path.read_text(encoding="utf-8").splitlines())
