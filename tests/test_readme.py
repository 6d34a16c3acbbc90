"""The README's Python that stands alone runs and prints what it shows; its metric table is complete."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import disentangle_metrics as dm
from disentangle_metrics.metrics import METRICS

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"<!-- run -->\n```python\n(.*?)```\s+```\n(.*?)```", README, re.S)


def cells(text: str) -> list[list[str]]:
    """The words of each line, in a printed table and below it."""
    return [line.split() for line in text.strip().splitlines()]


@pytest.mark.parametrize(("code", "shown"), BLOCKS, ids=range(len(BLOCKS)))
def test_a_snippet_prints_what_is_shown(code: str, shown: str) -> None:
    environment = {**os.environ, "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, encoding="utf-8", env=environment
    )
    assert done.returncode == 0, done.stderr
    assert cells(done.stdout) == cells(shown)


def test_a_snippet_is_run_that_shows_scores() -> None:
    assert any(re.search(r"^mig +\d\.\d{3} ", shown, re.M) for _code, shown in BLOCKS)


def test_every_metric_is_in_the_table() -> None:
    for name in dm.list_metrics():
        assert f"| `{name}` |" in README


def test_the_metrics_that_need_a_posterior_are_named() -> None:
    (named,) = re.findall(r"densities\. (`[^.]*?) need a posterior\.", README)
    needing = {name for name in dm.list_metrics() if METRICS.load(name).needs_posterior}
    assert set(re.findall(r"`(\w+)`", named)) == needing
