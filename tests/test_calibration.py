"""The calibration study: what it must show, and that its page shows what was measured."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def study():
    spec = importlib.util.spec_from_file_location("calibration", ROOT / "examples" / "calibration.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["calibration"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["calibration"]


@pytest.fixture(scope="module")
def results():
    return pd.read_csv(ROOT / "docs" / "data" / "calibration.csv")


def test_mig_is_blind_to_merged_factors_and_mig_sup_to_split_ones(study):
    table = study.curves(["merge", "split"], (0.0, 0.5, 1.0), rows=1_500, metrics=["mig", "mig_sup"])
    value = table.set_index(["metric", "break", "strength"])["value"]
    merged, split = value["mig", "merge"], value["mig", "split"]
    assert np.ptp(merged) < 0.05
    assert merged.min() > 0.95
    assert split[0.0] > 0.95
    assert split[0.5] == pytest.approx(0.5, abs=0.05)
    assert split[1.0] < 0.05
    merged, split = value["mig_sup", "merge"], value["mig_sup", "split"]
    assert merged[0.0] > 0.95
    assert merged[1.0] < 0.05
    assert np.ptp(split) < 0.02


@pytest.mark.parametrize("name", ["split", "merge", "redundancy", "dead_latents"])
def test_shapes_of_codes_with_more_or_fewer_latents(study, name):
    sizes = {"split": (8, 8), "merge": (4, 2), "redundancy": (4, 8), "dead_latents": (4, 8)}
    for strength, latents in zip((0.0, 1.0), sizes[name], strict=True):
        code, factors = study.BREAKS[name](np.random.default_rng(0), strength, 50)
        assert code.shape == (50, latents)
        assert factors.shape == (50, study.FACTORS)


def test_without_a_break_every_code_tells_its_factors(study):
    for name, breaking in study.BREAKS.items():
        if name != "few_samples":
            latents, factors = breaking(np.random.default_rng(0), 0.0, 500)
            correlation = np.corrcoef(latents.T, factors.T)[: study.FACTORS, -study.FACTORS :]
            assert np.diag(correlation).min() > 0.99, name


def test_the_page_holds_every_score_of_the_default_suite(study, results):
    assert set(results["metric"]) == set(study.SCORES)
    assert set(results["break"]) == set(study.BREAKS)


def test_the_page_shows_the_results(study, results):
    page = (ROOT / "docs" / "calibration.md").read_text(encoding="utf-8")
    assert f"{study.START}{study.markdown(results)}{study.END}" in page


def test_the_table_is_put_between_its_marks(study, results, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{study.START}old\n{study.END}after\n", encoding="utf-8")
    study.write_page(results, page)
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{study.START}| score |")
    assert text.endswith(f"{study.END}after\n")
    assert "old" not in text


def test_the_figure_is_drawn(study, results, tmp_path):
    pytest.importorskip("matplotlib")
    some = results[results["metric"].isin(["mig", "mig_sup"]) & results["break"].isin(["merge", "split"])]
    study.draw(some, tmp_path / "figures" / "small.png")
    assert (tmp_path / "figures" / "small.png").read_bytes().startswith(b"\x89PNG")


def test_the_documented_numbers_show_the_same(study, results):
    falls = study.sensitivity(results)
    assert abs(falls.loc["mig", "merge"]) < 0.05 < 0.9 < falls.loc["mig", "split"]
    assert abs(falls.loc["mig_sup", "split"]) < 0.05 < 0.9 < falls.loc["mig_sup", "merge"]
