"""docs/integrations.md: each example runs, where its library is installed, with those before it."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from disentangle_metrics.cli.evaluate import NAME, app
from disentangle_metrics.kit import run_command as run

PAGE = (Path(__file__).parents[1] / "docs" / "integrations.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(python|bash)(?: needs=(\S+))?\n(.*?)```", PAGE, re.S)
SECTIONS = {section.partition("\n")[0]: section for section in PAGE.split("\n## ")[1:]}


def installed(needs: str) -> bool:
    return all(importlib.util.find_spec(name) is not None for name in needs.split(",") if name)


@pytest.mark.filterwarnings("ignore")
def test_every_example_of_the_page(tmp_path: Path, monkeypatch, capsys) -> None:
    pytest.importorskip("matplotlib").use("Agg")
    monkeypatch.chdir(tmp_path)
    if "keras" not in sys.modules:
        monkeypatch.setenv("KERAS_BACKEND", "torch")
    names: dict[str, object] = {"__name__": "page"}
    ran = 0
    for language, needs, text in BLOCKS:
        if not installed(f"torch,{needs}"):
            continue
        ran += 1
        if language == "python":
            exec(compile(text, "docs/integrations.md", "exec"), names)
        else:
            for line in text.splitlines():
                code = run(app, NAME, [*line.split()[1:], "--metrics", "mig", "--anchors", "none"])
                assert code == 0, f"{line}: {capsys.readouterr().err}"
    assert ran >= 3  # the data, the DataLoader and scikit-learn need no further library
    assert names["report"].shape[0] > 0


def test_every_integration_has_a_section_an_extra_and_an_example() -> None:
    import tomllib

    root = Path(__file__).parents[1]
    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    table = re.findall(r"^\| \[(.*?)\]\(#(.*?)\) \|.*\| (.*?) \|$", PAGE, re.M)
    anchors = {re.sub(r"[^a-z0-9_ -]", "", name.lower()).replace(" ", "-") for name in SECTIONS}
    assert {anchor for _, anchor, _ in table} <= anchors
    assert {extra.strip("`") for _, _, extra in table} - {"none"} <= set(extras)
    assert len(list((root / "examples" / "integrations").glob("*.py"))) >= 8
