"""Honest files that were changed at random are read, or refused in one line."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

for _library in ("torch", "safetensors", "onnx", "onnxruntime", "h5py", "pyarrow", "PIL"):
    pytest.importorskip(_library)
if sys.platform != "linux":
    pytest.skip("memory is limited as Linux does", allow_module_level=True)

ROOT = Path(__file__).parents[2]
UNTRAINED = (
    "z.npz",
    "z.csv",
    "z.json",
    "z.safetensors",
    "z.pt",
    "r.json",
    "b.json",
    "linear.onnx",
    "mine.npz",
)


def attacked(*arguments: str, within: float) -> str:
    """What the attack prints; fails if any input did harm."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.hostile.mutated", *arguments],
        cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        said, _ = process.communicate(timeout=within)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert process.returncode == 0, said[-3000:]
    return said


def test_changed_files_are_read_or_refused() -> None:
    said = attacked("--inputs", "72", "--seed", "7", "--kinds", *UNTRAINED, within=250)
    ended = [int(code) for code in re.findall(r"-> (-?\d+): \d+", said)]
    assert {0, 2} == set(ended)
    assert "72 inputs, 0 failed" in said


@pytest.mark.slow
def test_thousands_of_changed_files_are_read_or_refused() -> None:
    assert "5000 inputs, 0 failed" in attacked("--inputs", "5000", "--seed", "8", within=3400)
    attacked("--honest", within=300)
