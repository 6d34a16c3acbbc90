"""docs/own_data.md: its Python runs, its commands succeed, and its refusals are what is printed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from disentangle_metrics.cli.evaluate import NAME, app
from disentangle_metrics.kit import run_command as run

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "own_data.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(python|bash|console)\n(.*?)```", PAGE, re.S | re.M)


def dm_eval(line: str, options: str = "") -> int:
    return run(app, NAME, [*shlex.split(line)[1:], *options.split()])


@pytest.mark.filterwarnings("ignore")
def test_every_example_of_the_page(tmp_path: Path, monkeypatch, capsys) -> None:
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for language, text in BLOCKS:
        if language == "python":
            exec(compile(text, "docs/own_data.md", "exec"), names)
        elif language == "bash":
            for line in text.splitlines():
                code = dm_eval(line, "--metrics mig --anchors none --samples 64 --device cpu")
                assert code == 0, f"{line}: {capsys.readouterr().err}"
        else:
            command, refusal = text.splitlines()
            capsys.readouterr()
            assert dm_eval(command.removeprefix("$ ")) == 2
            assert capsys.readouterr().err.strip() == refusal
    assert {"bash", "console", "python"} == {language for language, _ in BLOCKS}


@pytest.mark.filterwarnings("ignore")
def test_the_readme_shows_what_own_data_print(tmp_path: Path, monkeypatch, capsys) -> None:
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    code, command, shown = re.search(
        r"<!-- own -->\n```python\n(.*?)```\s+```bash\n(.*?)```\s+```\n(.*?)```", README, re.S
    ).groups()
    exec(compile(code, "README.md", "exec"), {})
    capsys.readouterr()
    assert dm_eval(command.strip(), "--device cpu") == 0
    printed = capsys.readouterr().out
    assert [line.split() for line in printed.strip().splitlines()] == [
        line.split() for line in shown.strip().splitlines()
    ]
