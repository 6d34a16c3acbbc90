"""A command runs in a child process, so that what a library does for a hostile file can be ended.

The child tells when such work begins and ends (:mod:`.limits`). In between this process compares the
child's time and memory with the limits. No other work is limited. Neither process outlives the other.

Where processes cannot be forked (Windows), a thread of the command's own process watches it, and ends it.
What a library does without letting Python go is ended when it lets go.
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

from disentangle_metrics.kit.limits import HOW_TO_RAISE_MEMORY, HOW_TO_RAISE_TIME, WALL, supervise_with

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
LOOK = 0.01 if Path("/proc/self/stat").exists() else 0.2  # seconds between two looks at a limited child
PATIENCE_LIMITED, PATIENCE = 1.0, 15.0  # seconds after Ctrl-C until a child that does not end is ended
PR_SET_PDEATHSIG = 1
ONE_INTERRUPT = 0.5  # seconds within which two interrupts are one

Say = Callable[[str], None]


def supervised(command: Callable[[], int], say: Say) -> int:
    """The exit code of `command`, which is run in a child process; 2 if it passed a limit.

    Where processes cannot be forked (Windows), it runs here, and a thread watches. If this process is a
    program that called the command and has threads, it runs here as any other function does.

    Parameters
    ----------
    command : callable
        Returns the exit code. A child that ends otherwise has failed.
    say : callable
        Prints a line on stderr.
    """
    if threading.active_count() > 1:
        return command()
    if not hasattr(os, "fork"):
        watcher = _Watcher(say)
        watcher.start()
        supervise_with(watcher.hear)
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
            supervise_with(lambda granted: _write(told, granted))
            signal.signal(signal.SIGINT, _Once())
            code = command()
            _write(told, {"code": code})
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
    try:
        import psutil
    except ImportError:
        return _usage_by_ps(process)
    try:
        measured = psutil.Process(process)
        times = measured.cpu_times()
        return times.user + times.system, measured.memory_info().rss
    except psutil.Error:
        return None


def _usage_by_ps(process: int) -> tuple[float, int] | None:
    command = ["ps", "-o", "time=,rss=", "-p", str(process)]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:  # not there
        return None
    if len(fields_ := told.stdout.split()) != 2:
        return None
    seconds = 0.0
    for part in fields_[0].replace("-", ":").split(":"):
        seconds = 60 * seconds + float(part)
    return seconds, int(fields_[1]) * 1024


def _passed(granted: dict[str, Any], seconds: float, waited: float, memory: int) -> str:
    """What to say if work takes more than it was granted; empty if it does not."""
    what = granted["what"]
    if memory > granted["bytes"]:
        most = granted["bytes"] / 1e9
        return f"error: {what} takes more than {most:.1f} GB of memory; {HOW_TO_RAISE_MEMORY}"
    if seconds > granted["seconds"] or waited > WALL * granted["seconds"]:
        return f"error: {what} takes longer than {granted['seconds']:.1f} s; {HOW_TO_RAISE_TIME}"
    return ""


class _Watcher(threading.Thread):
    """Ends this process with one line when its work takes more than it was granted."""

    def __init__(self, say: Say) -> None:
        super().__init__(name="limits", daemon=True)
        self.say, self.changed = say, threading.Condition()
        self.granted: dict[str, Any] = {}
        self.began, self.used = 0.0, 0.0

    def hear(self, granted: dict[str, Any]) -> None:
        """What is done from now on, and its limits; nothing of either: anything."""
        with self.changed:
            self.granted = granted
            self.began, self.used = time.monotonic(), time.process_time()
            self.changed.notify()

    def run(self) -> None:
        """Look again and again, while something is limited."""
        while True:
            with self.changed:
                self.changed.wait(LOOK if self.granted else None)
                if not self.granted:
                    continue
                now = usage(os.getpid())
                seconds, waited = time.process_time() - self.used, time.monotonic() - self.began
                if problem := _passed(self.granted, seconds, waited, now[1] if now else 0):
                    self.say(problem)
                    os._exit(BAD_INPUT)


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
        waited = time.monotonic() - self.began
        if problem := _passed(self.granted, now[0] - self.used, waited, now[1]):
            self._end(problem)

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


def _write(pipe: int, message: dict[str, Any]) -> None:
    os.write(pipe, json.dumps(message).encode() + b"\n")


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
