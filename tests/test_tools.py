"""The files that tools make are up to date, and each tool says when one is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from disentangle_metrics.metrics.catalogue import BUILTIN
from tools import (
    catalogue,
    checks_page,
    made_file,
    metrics_page,
    public_stub,
    published_scores,
    readme_table,
)

TOOLS = (
    "catalogue",
    "checks_page",
    "draw_imports",
    "metrics_page",
    "public_stub",
    "published_scores",
    "readme_table",
)


def test_every_made_file_is_up_to_date():
    readme = readme_table.README.read_text(encoding="utf-8")
    made = {
        catalogue.TARGET: catalogue.text(),
        checks_page.PAGE: checks_page.render(),
        metrics_page.PAGE: metrics_page.render(),
        public_stub.TARGET: public_stub.stub(),
        published_scores.TARGET: published_scores.text(),
        readme_table.README: readme_table.render(readme),
    }
    for path, text in made.items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run the tools, see CONTRIBUTING.md"
    assert len(readme_table.MARKED.findall(readme)) == 1


@pytest.mark.parametrize("tool", TOOLS)
def test_each_tool_checks(tool):
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", f"tools.{tool}", "--check"], cwd=root, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_file_that_would_change_is_named_and_left_alone(tmp_path, monkeypatch):
    path = tmp_path / "made.txt"
    path.write_text("old")
    monkeypatch.setattr("sys.argv", ["tools/maker.py", "--check"])
    with pytest.raises(SystemExit, match=r"made\.txt is not up to date: run python -m tools\.maker"):
        made_file.deliver(path, "new")
    assert path.read_text() == "old"
    monkeypatch.setattr("sys.argv", ["tools/maker.py"])
    made_file.deliver(path, "new")
    assert path.read_text() == "new"


def test_a_new_metric_comes_last_and_a_lost_one_goes(tmp_path):
    (tmp_path / "new_one.py").write_text("@metric(property='x')\ndef new_one(relations):\n    return 0\n")
    (tmp_path / "mig.py").write_text("@metric()\ndef mig(relations):\n    return 0\n")
    (tmp_path / "cards.py").write_text("def cards():\n    return 0\n")
    assert catalogue.names(tmp_path, ("sap", "mig")) == ["mig", "new_one"]
    assert catalogue.names(catalogue.TARGET.parent, ()) == sorted(BUILTIN)
