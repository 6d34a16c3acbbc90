"""`dm-eval --hierarchy`: a file of factors with empty cells where a factor does not exist."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from disentangle_metrics.cli.evaluate import app
from disentangle_metrics.kit import run_command


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    rng = np.random.default_rng(0)
    moon, value = rng.integers(2, size=400), rng.random(400)
    rows = ["shape,phase", *(f"moon,{v:.6f}" if m else "ship," for m, v in zip(moon, value, strict=True))]
    (tmp_path / "v.csv").write_text("\n".join(rows) + "\n")
    np.save(tmp_path / "z.npy", np.column_stack([moon, value]) + 0.01 * rng.normal(size=(400, 2)))
    return ["--latents", str(tmp_path / "z.npy"), "--factors", str(tmp_path / "v.csv"), "--quiet"]


def test_empty_cells_are_missing_by_design(files: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    line = [*files, "--metrics", "r4c", "--hierarchy", "phase=shape:moon", "--json", str(out)]
    assert run_command(app, "dm-eval", line) == 0
    score = json.loads(out.read_text())["scores"]["r4c"]
    assert score["value"] == pytest.approx(1, abs=0.02)
    assert "|missing:by_design|" in score["signature"]


@pytest.mark.parametrize(
    ("hierarchy", "message"),
    [
        (None, "or repair them; if the factor does not exist there, pass --hierarchy"),
        (
            "phase=shape",
            "--hierarchy must be FACTOR=SWITCH:VALUE,..., such as phase=shape:moon; got 'phase=shape'",
        ),
        (
            "phase=shape:moon,phase=shape:ship",
            "--hierarchy names 'phase' twice; got 'phase=shape:moon,phase=",
        ),
        ("phase=shape:sun", "'shape' is 'sun', which is none of its values 'moon', 'ship'"),
        ("phase=shape:ship", "it exists only where 'shape' is 'ship': leave it missing"),
    ],
)
def test_what_does_not_fit_is_one_line(
    files: list[str], hierarchy: str | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line = [*files, "--metrics", "r4c", *([] if hierarchy is None else ["--hierarchy", hierarchy])]
    assert run_command(app, "dm-eval", line) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_tree_needs_factors(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    line = [*files[:2], "--quiet", "--metrics", "total_correlation", "--hierarchy", "phase=shape:moon"]
    assert run_command(app, "dm-eval", line) == 2
    assert "--hierarchy needs --factors" in capsys.readouterr().err
