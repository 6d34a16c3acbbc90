"""docs/units.md: its Python runs and prints what the page says."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

PAGE = (Path(__file__).parents[1] / "docs" / "units.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```python\n(.*?)```(?:\n\n```\n(.*?)```)?", re.S)


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
