"""Commands that are stopped at random moments leave nothing half-written, and go on to the same bits."""

from __future__ import annotations

import sys

import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")
if sys.platform != "linux":
    pytest.skip("processes are told apart as Linux does", allow_module_level=True)

from tests.faults.subjects import SUBJECTS
from tests.module_run import printed


@pytest.mark.slow
def test_runs_of_several_seeds_survive_each_fault() -> None:
    said = printed(
        "tests.faults", "--tries", "1", "--seed", "3", "--commands", "dm-train --seeds", within=250
    )
    assert said.count("1 tries, 0 failed") == 4


@pytest.mark.slow
@pytest.mark.parametrize("command", SUBJECTS)
def test_twenty_of_each_fault(command: str) -> None:
    tries = "5" if "--jobs" in command else "20"  # whose workers load the libraries anew
    said = printed("tests.faults", "--tries", tries, "--commands", command, within=3000)
    assert said.count(f"{tries} tries, 0 failed") == 4


def test_a_difference_is_found() -> None:
    """The comparison of two outcomes, which a whole run of tries hangs on."""
    from tests.faults.tries import difference

    whole = {"a": [1, {"b": b"xy"}], "c": 2.0}
    assert difference({"a": [1, {"b": b"xy"}], "c": 2.0}, whole) == ""
    assert difference({"a": [1, {"b": b"xz"}], "c": 2.0}, whole) == "the result, a[1], b differs"
    assert difference({"a": whole["a"], "c": 3.0}, whole) == "the result, c differs: 3.0 for 2.0"
    assert "['c'] on one side alone" in difference({"a": whole["a"]}, whole)
    assert difference({"a": [1], "c": 2.0}, whole)
