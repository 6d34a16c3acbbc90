"""Limits where no process can be forked and none is refused memory, as on Windows; and in a user's program."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from disentangle_metrics.errors import InputError
from disentangle_metrics.kit import limited
from disentangle_metrics.kit.limits import limits_set

PROGRAM = """
import os, pathlib, sys, time
del os.fork
sys.modules["resource"] = None
import typer
from disentangle_metrics.kit import limited, run_supervised
from disentangle_metrics.kit.limits import limits_set
app = typer.Typer()

@app.command()
def command():
    {work}

sys.exit(run_supervised(app, "name", []))
"""
TOO_LONG = (
    "takes longer than 0.2 s; raise the limit with --time-limit SECONDS of dm-eval, or DM_TIME_LIMIT=SECONDS"
)
TOO_LARGE = "takes more than 0.5 GB of memory; raise the limit with --memory-limit GB of dm-eval, or DM_MEMORY_LIMIT=GB"


def inside(work: str, limits: str = "0.2, 0.5") -> str:
    return f"with limits_set({limits}), limited('this'): {work}"


@pytest.mark.parametrize(
    ("work", "code", "said"),
    [
        ("print('done')", 0, ""),
        (inside("pass"), 0, ""),
        (inside("pass") + "\n    time.sleep(0.5)\n    sum(range(10**7))", 0, ""),
        (inside("\n        while True: pass"), 2, f"name: error: this {TOO_LONG}\n"),
        (inside("time.sleep(60)"), 2, f"name: error: this {TOO_LONG}\n"),
        (inside("\n        kept = [bytes(10**6) * 8 for _ in range(10**4)]", "9, 0.5"), 2, f"name: error: this {TOO_LARGE}\n"),
        (inside("1 / 0"), 1, "name: failed: ZeroDivisionError: division by zero (--debug shows where)\n"),
    ],
)  # fmt: skip
def test_a_thread_ends_the_process_where_no_other_can(work: str, code: int, said: str) -> None:
    command = [sys.executable, "-c", PROGRAM.format(work=work)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (code, said)


def test_a_library_is_stopped_in_a_program() -> None:
    """By the clock, since other threads of a program take processor time too."""
    told = threading.Event()

    def work() -> None:
        assert told.wait(30)
        raise RuntimeError("terminated")

    began = time.monotonic()
    too_long = pytest.raises(InputError, match=r"this takes longer than 0\.4 s; raise the limit")
    with limits_set(0.05, None), too_long, limited("this", stop=told.set):
        work()
    assert time.monotonic() - began < 20
    with pytest.raises(RuntimeError, match="terminated"), limited("this", stop=lambda: None):
        work()  # of itself, and in time


@pytest.mark.skipif(sys.platform != "linux", reason="memory is refused as Linux does")
def test_memory_is_refused_in_a_program_and_given_back() -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    with (
        limits_set(None, 0.2),
        pytest.raises(InputError, match=r"this takes more than 0\.2 GB; raise the limit"),
        limited("this"),
    ):
        bytearray(10**9)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    bytearray(3 * 10**8)
