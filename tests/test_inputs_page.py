"""docs/inputs.md: its Python runs, its commands succeed, and its refusals are what is printed."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from disentangle_metrics.cli.evaluate import NAME, app
from disentangle_metrics.kit import run_command as run

PAGE = (Path(__file__).parents[1] / "docs" / "inputs.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(python|bash|console)\n(.*?)```", PAGE, re.S)


def dm_eval(line: str, options: str = "") -> int:
    return run(app, NAME, [*line.split()[1:], *options.split()])


@pytest.mark.filterwarnings("ignore")
def test_every_example_of_the_page(tmp_path: Path, monkeypatch, capsys) -> None:
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    names: dict[str, object] = {}
    for language, text in BLOCKS:
        if language == "python":
            exec(compile(text, "docs/inputs.md", "exec"), names)
        elif language == "bash":
            for line in text.splitlines():
                metrics = "active_units" if "--dataset" in line else "mig"
                code = dm_eval(line, f"--metrics {metrics} --anchors none")
                assert code == 0, f"{line}: {capsys.readouterr().err}"
        else:
            command, refusal = text.splitlines()
            capsys.readouterr()
            assert dm_eval(command.removeprefix("$ ")) == 2
            assert capsys.readouterr().err.strip() == refusal
    sys.modules.pop("my_model", None)
    assert {"bash", "console", "python"} == {language for language, _ in BLOCKS}


def test_european_and_plain_tables_of_the_page_score_the_same(tmp_path: Path, monkeypatch) -> None:
    import disentangle_metrics as dm

    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for language, text in BLOCKS:
        if language == "python" and ("rng =" in text or "european" in text or "q.npz" in text):
            exec(compile(text, "docs/inputs.md", "exec"), names)
    scores = []
    for files in ("--latents z.csv --factors v.csv", "--latents european_z.csv.gz --factors european.csv"):
        assert dm_eval(f"dm-eval {files}", "--metrics mig --anchors none --json r.json --quiet") == 0
        scores.append(dm.Report.from_json("r.json")["mig"].value)
    assert scores[0] == scores[1] > 0.9
