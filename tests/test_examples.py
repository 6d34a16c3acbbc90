"""The examples run, each in a folder of its own, as a user would run them."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "examples"
LONG = (
    "latents_and_factors",
    "lengths_of_training",
    "per_factor",
    "pictures",
    "track_training",
    "two_best_latents",
    "units",
)  # 5 to 30 seconds each


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(path, id=path.stem, marks=pytest.mark.slow if path.stem in LONG else ())
        for path in sorted(FOLDER.glob("*.py"))
    ],
)
def test_example(script, tmp_path):
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("script", sorted((FOLDER / "integrations").glob("*.py")), ids=lambda path: path.stem)
def test_example_of_an_integration(script, tmp_path):
    tree = ast.parse(script.read_text(encoding="utf-8"))
    modules = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    modules |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    for package in sorted({module.partition(".")[0] for module in modules}):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"needs {package}")
    test_example(script, tmp_path)
