"""The notebooks run from top to bottom, and print what they show."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from tools import notebooks


@pytest.fixture(autouse=True)
def _matplotlib() -> None:
    pytest.importorskip("matplotlib")


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=pytest.mark.slow if path.stem == "compare_two_models" else ())
        for path in notebooks.NOTEBOOKS
    ],
)
def test_a_notebook_prints_what_it_shows(path: Path) -> None:
    notebook, differences = notebooks.executed(path)
    assert not differences, "run: python -m tools.notebooks"
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert any(notebooks.text_of(cell["outputs"]) for cell in cells)
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert any(
        "image/png" in output.get("data", {})
        for cell in stored["cells"]
        for output in cell.get("outputs", [])
    )


def test_another_number_is_named(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "source": ["print(1 + 1)\n", "3"], "outputs": [], "metadata": {}}
    notebook = {"cells": [{"cell_type": "markdown", "source": ["# A title"]}, cell]}
    path = tmp_path / "two.ipynb"
    path.write_text(json.dumps(notebook))
    again, differences = notebooks.executed(path)
    assert differences == ["two.ipynb, cell 1: 2\n3"]
    path.write_text(json.dumps(again))
    assert notebooks.executed(path)[1] == []
    wrong = copy.deepcopy(again)
    wrong["cells"][1]["source"][0] = "print(1 + 2)\n"
    path.write_text(json.dumps(wrong))
    assert notebooks.executed(path)[1] == ["two.ipynb, cell 1: 3\n3"]
