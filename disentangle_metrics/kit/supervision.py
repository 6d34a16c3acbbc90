"""A command runs in a child process, so that what a library does for a hostile file can be ended.

The child tells when such work begins and ends (:mod:`.limits`). In between this process compares the
child's time and memory with the limits. No other work is limited. Neither process outlives the other.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from disentangle_metrics.kit.limits import HOW_TO_RAISE_MEMORY, HOW_TO_RAISE_TIME, supervise_with

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
LOOK = 0.01 if Path("/proc/self/stat").exists() else 0.2  # seconds between two looks at a limited child
PATIENCE_LIMITED, PATIENCE = 1.0, 15.0  # seconds after Ctrl-C until a child that does not end is ended
PR_SET_PDEATHSIG = 1
ONE_INTERRUPT = 0.5  # seconds within which two interrupts are one
WALL = 8.0  # times as long as its processor time a limited child may wait

Say = Callable[[str], None]


def supervised(command: Callable[[], int], say: Say) -> int:
    """The exit code of `command`, which is run in a child process; 2 if it passed a limit.

    Where processes cannot be forked (Windows), or this one is a program that called the command and has
    threads or captures its output, it runs here, and nothing is limited.

    Parameters
    ----------
    command : callable
        Returns the exit code. A child that ends otherwise has failed.
    say : callable
        Prints a line on stderr.
    """
    if not hasattr(os, "fork") or threading.active_count() > 1:
        return command()
    heard, told = os.pipe()
    held, lifeline = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        code = FAILED
        try:
            atexit._clear()  # what the parent registered is for the parent to do
            os.close(heard)
            os.close(lifeline)
            _end_with(parent, held)
            supervise_with(told)
            signal.signal(signal.SIGINT, _Once())
            code = command()
            os.write(told, json.dumps({"code": code}).encode() + b"\n")
        finally:  # whatever was raised: this process does not go on as a second parent
            _leave(code)
    os.close(told)
    os.close(held)
    return _Supervisor(child, heard, say).watch()


def usage(process: int) -> tuple[float, int] | None:
    """Processor seconds and resident bytes of a process; None if they cannot be told."""
    try:
        fields = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()
        ticks = int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK"), int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        pass
    if Path("/proc/self/stat").exists():
        return None
    told = subprocess.run(
        ["ps", "-o", "time=,rss=", "-p", str(process)], capture_output=True, text=True, check=False
    )
    if len(fields_ := told.stdout.split()) != 2:
        return None
    seconds = 0.0
    for part in fields_[0].replace("-", ":").split(":"):
        seconds = 60 * seconds + float(part)
    return seconds, int(fields_[1]) * 1024


class _Supervisor:
    """Watches one child until it ends."""

    def __init__(self, child: int, heard: int, say: Say) -> None:
        self.child, self.heard, self.say = child, heard, say
        self.granted: dict[str, Any] = {}  # what the child is at, and its limits; empty: anything
        self.began, self.used = 0.0, 0.0
        self.code: int | None = None  # what the child said that it ends with
        self.problem = ""
        self.interrupted: float | None = None
        self._text = b""

    def watch(self) -> int:
        """The exit code of the child."""
        wake, waker = os.pipe()
        os.set_blocking(waker, False)
        before_fd = signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
        before = {number: signal.signal(number, self._signalled) for number in numbers}
        try:
            status = self._wait(wake)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(before_fd)
        return self._ended(status)

    def _wait(self, wake: int) -> int:
        open_ = [wake, self.heard]
        while True:
            hurried = self.granted or self.interrupted is not None
            ready, _, _ = select.select(open_, [], [], LOOK if hurried else None)
            if wake in ready:
                os.read(wake, 4096)
            if self.heard in ready and not self._hear():
                open_.remove(self.heard)
            done, status = os.waitpid(self.child, os.WNOHANG)
            if done:
                while self.heard in open_ and select.select([self.heard], [], [], 0)[0] and self._hear():
                    pass
                return status
            self._hold_to_limits()

    def _hear(self) -> bool:
        """Read what the child tells; whether it may tell more."""
        told = os.read(self.heard, 65536)
        *lines, self._text = (self._text + told).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "code" in message:
                self.code, self.granted = message["code"], {}
                continue
            self.granted = message
            now = usage(self.child)
            self.began, self.used = time.monotonic(), now[0] if now else 0.0
        return bool(told)

    def _hold_to_limits(self) -> None:
        if self.problem:
            return
        if self.interrupted is not None:
            patience = PATIENCE_LIMITED if self.granted else PATIENCE
            if time.monotonic() - self.interrupted > patience:
                self._end("interrupted")
                return
        if not self.granted or (now := usage(self.child)) is None:
            return
        what = self.granted["what"]
        if now[1] > self.granted["bytes"]:
            most = self.granted["bytes"] / 1e9
            self._end(f"error: {what} takes more than {most:.1f} GB of memory; {HOW_TO_RAISE_MEMORY}")
        seconds = self.granted["seconds"]
        waited = time.monotonic() - self.began
        if now[0] - self.used > seconds or waited > WALL * seconds:
            self._end(f"error: {what} takes longer than {seconds:.1f} s; {HOW_TO_RAISE_TIME}")

    def _end(self, problem: str) -> None:
        if not self.problem:
            self.problem = problem
            os.kill(self.child, signal.SIGKILL)

    def _signalled(self, number: int, frame: Any) -> None:
        if number == signal.SIGINT:
            self.interrupted = self.interrupted or time.monotonic()
        if number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(self.child, number)  # from a terminal it has it already, and takes it once (_Once)

    def _ended(self, status: int) -> int:
        if self.problem:
            self.say(self.problem)
            return INTERRUPTED if self.problem == "interrupted" else BAD_INPUT
        code = os.waitstatus_to_exitcode(status)
        if self.code is not None:
            return self.code
        if code < 0 and -code in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            _die_by(-code)
        if code < 0:
            name = signal.Signals(-code).name
            if self.granted:
                self.say(f"error: {self.granted['what']} ended the process ({name}); the file may be damaged")
                return BAD_INPUT
            self.say(f"failed: the process was ended by {name}")
            return FAILED
        if self.granted:
            self.say(f"error: {self.granted['what']} ended the process with code {code}")
            return BAD_INPUT
        self.say(f"failed: something that was called ended the process with code {code}, before it was done")
        return code or FAILED


class _Once:
    """Ctrl-C as KeyboardInterrupt, once where it comes from the terminal and from the supervisor too."""

    def __init__(self) -> None:
        self.last = float("-inf")

    def __call__(self, number: int, frame: Any) -> None:
        now = time.monotonic()
        again, self.last = now - self.last < ONE_INTERRUPT, now
        if not again:
            raise KeyboardInterrupt


def _leave(code: int) -> NoReturn:
    """End this process as Python does, but for what it has from its parent."""
    try:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
    finally:
        os._exit(code)


def _end_with(parent: int, held: int) -> None:
    """End this process when `parent` ends, of which the pipe `held` is the sign."""
    with contextlib.suppress(OSError, AttributeError):  # not Linux
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # also while a library keeps Python waiting
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)

    def wait() -> None:
        os.read(held, 1)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()


def _die_by(number: int) -> NoReturn:
    """End as the child did."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    sys.exit(128 + number)
