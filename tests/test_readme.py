"""The README's Python that stands alone runs and prints what it shows; its metric table is complete."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import disentangle_metrics as dm

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_snippet_runs_and_prints_what_is_shown() -> None:
    code, shown = re.findall(r"<!-- run -->\n```python\n(.*?)```\s+```\n(.*?)```", README, re.S)[0]
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    names = [line.split()[1] for line in shown.splitlines() if line.startswith("│")]
    assert names == [line.split()[1] for line in done.stdout.splitlines() if line.startswith("│")]
    assert "mig " in shown


def test_every_metric_is_in_the_table() -> None:
    for name in dm.list_metrics():
        assert f"| `{name}` |" in README
