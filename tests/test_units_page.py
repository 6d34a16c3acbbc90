"""docs/units.md: its Python runs and prints what the page says."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

import disentangle_metrics as dm

PAGE = (Path(__file__).parents[1] / "docs" / "units.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```python\n(.*?)```(?:\n\n```\n(.*?)```)?", re.S)


def test_the_table_names_the_metrics_that_read_groups() -> None:
    table = PAGE.partition("## What each metric makes of a group")[2].partition("| all others")[0]
    cards = {name: str(dm.describe(name)) for name in dm.list_metrics()}
    read = {name for name, card in cards.items() if "Groups of latents: no definition" not in card}
    assert set(re.findall(r"`(\w+)`", table)) & set(cards) == read


@pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
def test_the_page_runs_and_prints_what_it_says() -> None:
    names: dict[str, Any] = {}
    for code, expected in BLOCK.findall(PAGE):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(code, "docs/units.md", "exec"), names)
        assert ("print(" in code) == bool(expected)
        if expected:
            assert out.getvalue() == expected
