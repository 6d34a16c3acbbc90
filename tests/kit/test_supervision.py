"""A command in a child process: held to limits while it says so, and ended with its supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from disentangle_metrics.errors import InputError
from disentangle_metrics.kit import limited, limits, refuse_growth

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

PROGRAM = """
import ctypes, os, signal, sys, time, typer
from disentangle_metrics.kit import limited, run_supervised
from disentangle_metrics.kit.limits import limits_set
app = typer.Typer()

@app.command()
def command(work: str):
    {work}

run = run_supervised(app, "name", ["x"])
sys.exit(run)
"""


def start(work: str, **options: object) -> subprocess.Popen[str]:
    program = PROGRAM.format(work=work)
    return subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )  # type: ignore[call-overload,no-any-return]


def ended(work: str) -> tuple[int, str, str]:
    process = start(work)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def inside(work: str, limits: str = "0.2, 0.5") -> str:
    return f"""
    with limits_set({limits}), limited("this"):
        {work}"""


@pytest.mark.parametrize(
    ("work", "code", "said"),
    [
        ("print('done')", 0, ""),
        ("1 / 0", 1, "name: failed: ZeroDivisionError: division by zero (--debug shows where)\n"),
        ("raise SystemExit(0)", 1, "name: failed: something that was called ended the command with code 0\n"),
        ("os._exit(0)", 1, "name: failed: something that was called ended the process with code 0, before it was done\n"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", 1, "name: failed: the process was ended by SIGSEGV\n"),
        (inside("pass"), 0, ""),
        (inside("time.sleep(0.5)"), 0, ""),
        (inside("while True: pass"), 2, "name: error: this takes longer than 0.2 s; raise the limit with --time-limit SECONDS of dm-eval, or DM_TIME_LIMIT=SECONDS\n"),
        (inside("ctypes.CDLL(None).pause()"), 2, "name: error: this takes longer than 0.2 s; raise the limit with --time-limit SECONDS of dm-eval, or DM_TIME_LIMIT=SECONDS\n"),
        (inside("bytearray(10**9)"), 2, "name: error: this takes more than 0.5 GB; raise the limit with --memory-limit GB of dm-eval, or DM_MEMORY_LIMIT=GB\n"),
        (inside("os._exit(0)"), 2, "name: error: this ended the process with code 0\n"),
        (inside("os.kill(os.getpid(), signal.SIGABRT)"), 2, "name: error: this ended the process (SIGABRT); the file may be damaged\n"),
        (inside("pass") + "\n    deadline = time.process_time() + 0.5\n    while time.process_time() < deadline: pass", 0, ""),
    ],
)  # fmt: skip
def test_how_a_command_ends(work: str, code: int, said: str) -> None:
    found, _, err = ended(work)
    assert (found, err) == (code, said)


def test_memory_that_nobody_asked_the_system_for_counts_too() -> None:
    """As what a library shares with itself, which the system's own limit does not see."""
    work = """import mmap
        shared = mmap.mmap(-1, 10**9)
        for place in range(0, 10**9, 10**6):
            shared[place : place + 10**6] = bytes(10**6)"""
    code, _, err = ended(inside(work, "9, 0.5"))
    assert code == 2
    assert err.startswith("name: error: this takes more than 0.5 GB of memory")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_reaches_the_command_once(number: int, code: int) -> None:
    process = start("print('began', flush=True)\n    time.sleep(60)", start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "began\n"
    os.killpg(process.pid, number)  # as a terminal does: both processes get it
    _, err = process.communicate(timeout=20)
    assert process.returncode == code, err
    assert err == {130: "name: interrupted\n", 143: "name: terminated\n"}[code]


def test_ctrl_c_ends_what_a_library_does_not_let_go() -> None:
    process = start(inside("print('began', flush=True); ctypes.PyDLL(None).pause()", "60, 9"))
    assert process.stdout is not None
    assert process.stdout.readline() == "began\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130


@pytest.mark.parametrize("wait", ["time.sleep(60)", "ctypes.PyDLL(None).sleep(60)"])
def test_a_killed_supervisor_leaves_no_orphan(wait: str) -> None:
    process = start(f"print(os.getpid(), flush=True)\n    {wait}")
    assert process.stdout is not None
    child = int(process.stdout.readline())
    process.kill()
    process.wait()
    assert gone(child)


def gone(process: int) -> bool:
    """Whether a process ends within seconds."""
    for _ in range(100):
        try:
            os.kill(process, 0)
            if "\nState:\tZ" in Path(f"/proc/{process}/status").read_text():
                return True
        except OSError:
            return True
        time.sleep(0.1)
    return False


def test_the_environment_raises_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    assert limits.current_limits() == limits.Limits(limits.SECONDS, limits.GIGABYTES)
    monkeypatch.setenv("DM_TIME_LIMIT", "60")
    monkeypatch.setenv("DM_MEMORY_LIMIT", "2.5")
    assert limits.current_limits() == limits.Limits(60.0, 2.5)
    with limits.limits_set(None, 9.0):  # an option counts more
        assert limits.current_limits() == limits.Limits(60.0, 9.0)
    for text in ("many", "-1", "nan", "inf", "0"):
        monkeypatch.setenv("DM_TIME_LIMIT", text)
        with pytest.raises(InputError, match="DM_TIME_LIMIT must be a number above 0, got"):
            limits.current_limits()


def test_what_a_file_may_grow_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 1000)
    refuse_growth(path, 0.25e9, "it takes")
    with pytest.raises(
        InputError, match=r"a: it takes 0\.26 GB, far more than the file, which stores 1,000 bytes"
    ):
        refuse_growth(path, 0.26e9, "it takes")
    monkeypatch.setenv("DM_MEMORY_LIMIT", "2")
    refuse_growth(path, 0.5e9, "it takes")
    with path.open("rb+") as file:
        file.truncate(10**9)  # a hole
    assert limits.stored_bytes(path) < 10**5
    with limited("without a supervisor"):
        pass


def test_a_program_that_captures_the_output_is_not_forked(capsys: pytest.CaptureFixture[str]) -> None:
    import typer

    from disentangle_metrics.kit import run_supervised

    app = typer.Typer()
    app.command()(lambda: print(os.getpid()))
    assert run_supervised(app, "name", []) == 0
    assert capsys.readouterr().out == f"{os.getpid()}\n"


def test_whatever_a_child_raises_it_does_not_go_on_as_its_parent() -> None:
    program = """
import sys
from disentangle_metrics.kit.supervision import supervised
def command():
    raise GeneratorExit
code = supervised(command, lambda text: print(text, file=sys.stderr))
print("parent", code)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.stdout == "parent 1\n"
    assert "failed: something that was called ended the process with code 1" in ended.stderr
