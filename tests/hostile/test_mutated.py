"""Honest files that were changed at random are read, or refused in one line."""

from __future__ import annotations

import re
import sys

import pytest

from tests.module_run import printed

for _library in ("torch", "safetensors", "onnx", "onnxruntime", "h5py", "pyarrow", "PIL"):
    pytest.importorskip(_library)
if sys.platform != "linux":
    pytest.skip("memory is limited as Linux does", allow_module_level=True)

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


@pytest.mark.slow
def test_changed_files_are_read_or_refused() -> None:
    said = printed(
        "tests.hostile.mutated", "--inputs", "30", "--seed", "7", "--kinds", *UNTRAINED, within=250
    )
    ended = [int(code) for code in re.findall(r"-> (-?\d+): \d+", said)]
    assert {0, 2} == set(ended)
    assert "30 inputs, 0 failed" in said


@pytest.mark.slow
def test_thousands_of_changed_files_are_read_or_refused() -> None:
    assert "5000 inputs, 0 failed" in printed(
        "tests.hostile.mutated", "--inputs", "5000", "--seed", "8", within=3400
    )
    printed("tests.hostile.mutated", "--honest", within=300)
