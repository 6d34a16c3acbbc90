"""docs/intervals.md says of every metric whether its intervals were tried."""

from __future__ import annotations

from pathlib import Path

import pytest

from disentangle_metrics.metrics import METRICS
from disentangle_metrics.metrics.catalogue import BUILTIN

PAGE = (Path(__file__).parents[2] / "docs" / "intervals.md").read_text(encoding="utf-8")
NONE = next(line for line in PAGE.splitlines() if line.startswith("| `none` |"))
NOT_MEASURED = PAGE.partition("**not measured**")[2].partition("\n\n")[0]
MEASURED = PAGE.partition("\n## Measured coverage\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("name", BUILTIN)
def test_a_metric_is_where_it_belongs(name):
    definition = METRICS.load(name)
    for score in definition.scores:
        has_none = bool(score.no_interval) or definition.interval == "none"
        assert (f"`{score.key}`" in NONE) == has_none, score.key
    has_one = definition.interval != "none" and not all(score.no_interval for score in definition.scores)
    assert (f"`{name}`" in NOT_MEASURED) == (has_one and not definition.interval_studied)
    if definition.interval_studied:
        assert any(f"`{key}`" in MEASURED for key in definition.keys)
