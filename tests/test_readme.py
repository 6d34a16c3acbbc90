"""The README's Python that stands alone runs and prints what it shows; its metric table is complete."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import disentangle_metrics as dm

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def names(table: str) -> list[str]:
    """The keys of the scores in a printed table, and the titles of its groups."""
    return [line.split()[0] for line in table.splitlines() if line.strip() and line.split()[0] != "metric"]


def test_the_snippet_runs_and_prints_what_is_shown() -> None:
    code, shown = re.findall(r"<!-- run -->\n```python\n(.*?)```\s+```\n(.*?)```", README, re.S)[0]
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert names(shown) == names(done.stdout)
    assert "mig" in names(shown)


def test_every_metric_is_in_the_table() -> None:
    for name in dm.list_metrics():
        assert f"| `{name}` |" in README
