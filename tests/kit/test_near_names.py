"""The question for a name that is not known, which one function asks everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from disentangle_metrics.kit import did_you_mean

ROOT = Path(__file__).parents[2]
KNOWN = ["mig", "mig_sup", "dci", "DRVI"]


@pytest.mark.parametrize(
    ("name", "most", "question"),
    [
        ("migg", 1, "did you mean 'mig'? "),
        ("mig_su", 3, "did you mean 'mig_sup' or 'mig'? "),
        ("MIG_SUP", 3, "did you mean 'mig_sup'? "),
        ("drvi", 1, "did you mean 'DRVI'? "),
        ("drv", 1, "did you mean 'DRVI'? "),
        ("random_state", 1, ""),
        ("shape", 3, ""),
        (7, 1, ""),
    ],
)
def test_near_names_are_asked_for(name: object, most: int, question: str) -> None:
    assert did_you_mean(name, KNOWN, most) == question
    assert did_you_mean(name, [], most) == ""


def test_nobody_asks_otherwise() -> None:
    askers = {
        path.relative_to(ROOT).as_posix()
        for package in ("disentangle_metrics", "reference_models", "tools")
        for path in (ROOT / package).rglob("*.py")
        if any(part in path.read_text("utf-8") for part in ("difflib", "did you mean {"))
    }
    assert askers == {"disentangle_metrics/kit/near_names.py"}
