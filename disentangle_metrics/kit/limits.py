"""How much time and memory a library may take for a file that someone else made.

A small file can ask for endless work. Such work is done inside :func:`limited`. In a command, what
watches it (:mod:`.supervision`) ends it when a limit is passed. In Python the system refuses the memory
(Linux), and a library that can be stopped is stopped. The environment variables DM_TIME_LIMIT (seconds)
and DM_MEMORY_LIMIT (gigabytes) raise the limits, like the options of dm-eval.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from disentangle_metrics.errors import InputError

SECONDS, GIGABYTES = 2.5, 1.0
TIME_VARIABLE, MEMORY_VARIABLE = "DM_TIME_LIMIT", "DM_MEMORY_LIMIT"
HOW_TO_RAISE_TIME = f"raise the limit with --time-limit SECONDS of dm-eval, or {TIME_VARIABLE}=SECONDS"
HOW_TO_RAISE_MEMORY = f"raise the limit with --memory-limit GB of dm-eval, or {MEMORY_VARIABLE}=GB"

STORED_PER_SECOND = 2e6  # bytes of an honest file that any reader gets through in a second
GROWTH = 10  # times that what is read may be larger than what is stored
MOST_NAMED = 1_000  # characters of a name told to the supervisor, so that a pipe takes it in one piece
STACK = 10_000_000  # bytes of a thread's own, of which a library may start one for each core
WALL = 8.0  # times as long as its processor time limited work may take by the clock
SMALL = 0.25  # share of the memory limit that arrays may take, however little is stored


@dataclass(frozen=True)
class Limits:
    """Processor seconds, and gigabytes of memory of the whole process."""

    seconds: float = SECONDS
    gigabytes: float = GIGABYTES

    @property
    def bytes(self) -> int:
        """The memory in bytes."""
        return int(self.gigabytes * 1e9)


_limits: ContextVar[Limits | None] = ContextVar("limits", default=None)
Tell = Callable[[dict[str, object]], None]
_supervisor: ContextVar[Tell | None] = ContextVar("supervisor", default=None)  # told what is done


def current_limits() -> Limits:
    """The limits that hold here: those of :func:`limits_set`, else of the environment, else the defaults.

    Raises
    ------
    InputError
        If an environment variable is no number above 0.
    """
    chosen = _limits.get()
    if chosen is not None:
        return chosen
    return Limits(_from_environment(TIME_VARIABLE, SECONDS), _from_environment(MEMORY_VARIABLE, GIGABYTES))


@contextmanager
def limits_set(seconds: float | None, gigabytes: float | None) -> Iterator[None]:
    """Let these limits hold inside the block; None leaves one as it is."""
    before = current_limits()
    token = _limits.set(
        Limits(
            before.seconds if seconds is None else checked("--time-limit", seconds),
            before.gigabytes if gigabytes is None else checked("--memory-limit", gigabytes),
        )
    )
    try:
        yield
    finally:
        _limits.reset(token)


def checked(name: str, value: float) -> float:
    """`value`; raises InputError if it is no number above 0."""
    if not 0 < value < float("inf"):
        raise InputError(f"{name} must be a number above 0, got {value:g}")
    return value


def stored_bytes(path: Path) -> int:
    """How much of the file is on the disk: a hole in it counts for nothing."""
    status = path.stat()
    blocks = getattr(status, "st_blocks", None)
    return status.st_size if blocks is None else min(status.st_size, blocks * 512)


def most_bytes(path: Path) -> int:
    """Bytes that the arrays in a file may take once they are read."""
    return max(int(SMALL * current_limits().bytes), GROWTH * stored_bytes(path))


def refuse_growth(path: Path, size: float, what: str) -> None:
    """Raise InputError if `size` bytes are far more than the file stores."""
    if size > most_bytes(path):
        raise InputError(
            f"{path}: {what} {size / 1e9:,.2f} GB, far more than the file, which stores "
            f"{stored_bytes(path):,} bytes; if that is meant, {HOW_TO_RAISE_MEMORY}"
        )


@contextmanager
def limited(
    what: str, *, seconds: float = 0.0, gigabytes: float = 0.0, stop: Callable[[], None] | None = None
) -> Iterator[None]:
    """Work that may take the limits and this much more; `what` is how a message calls it.

    In a program of the user's, as a notebook, nothing may end the process. There `stop` is called from
    another thread when the work takes 8 times the seconds by the clock. It makes the library give up.
    The gigabytes are beyond what the program has, and hold in its main thread on Linux alone.

    Raises
    ------
    InputError
        If the system refused the memory, or the work was stopped.
    """
    limits = current_limits()
    most = Limits(limits.seconds + seconds, limits.gigabytes + gigabytes)
    tell = _supervisor.get()
    try:
        if tell is None:
            with _stopped_after(WALL * most.seconds, what, stop), _allocations_limited(most.bytes, more=True):
                yield
            return
        tell({"what": what[:MOST_NAMED], "seconds": most.seconds, "bytes": most.bytes})
        try:
            with _allocations_limited(most.bytes):
                yield
        finally:
            tell({})
    except MemoryError as error:
        raise InputError(f"{what} takes more than {most.gigabytes:.1f} GB; {HOW_TO_RAISE_MEMORY}") from error


@contextmanager
def _stopped_after(seconds: float, what: str, stop: Callable[[], None] | None) -> Iterator[None]:
    """Call `stop` after so many seconds, and raise InputError if that ended the block."""
    if stop is None:
        yield
        return
    stopped = threading.Event()

    def give_up() -> None:
        stopped.set()
        stop()

    timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), give_up)
    timer.daemon = True
    timer.start()
    too_long = f"{what} takes longer than {seconds:.1f} s; {HOW_TO_RAISE_TIME}"
    try:
        yield
    except Exception as error:
        if stopped.is_set():
            raise InputError(too_long) from error
        raise
    finally:
        timer.cancel()


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """The reading of a file: a larger one may take longer and more memory."""
    try:
        stored = stored_bytes(path)
    except OSError:  # its reader says so
        stored = 0
    with limited(f"reading {path}", seconds=stored / STORED_PER_SECOND, gigabytes=GROWTH * stored / 1e9):
        yield


def memory_advice(reason: str) -> str:
    """How to raise the limit, if `reason`, a library's, says that it got no memory."""
    asks = _refuses_memory() and ("alloc" in reason.lower() or "memory" in reason.lower())
    return f"; {HOW_TO_RAISE_MEMORY}" if asks else ""


def supervise_with(tell: Tell) -> None:
    """Let `tell` hear what is done from now on: what it is and its limits; nothing when it is over."""
    _supervisor.set(tell)


def _refuses_memory() -> bool:
    """Whether the system can be asked to refuse this process memory (Linux)."""
    try:
        import resource  # noqa: F401
    except ImportError:
        return False
    return Path("/proc/self/statm").exists()


@contextmanager
def _allocations_limited(most: int, *, more: bool = False) -> Iterator[None]:
    """Let the system refuse memory beyond `most` bytes of this process, where it can (Linux).

    With `more`, the bytes are beyond what it has. Other threads of such a program may have begun the same.
    """
    alone = threading.current_thread() is threading.main_thread()
    if not _refuses_memory() or (more and not alone):
        yield
        return
    import resource

    pages = [int(count) for count in Path("/proc/self/statm").read_text().split()]
    resident, data = pages[1] * resource.getpagesize(), pages[5] * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    least = min(number for number in (soft, hard, 2**62) if number != resource.RLIM_INFINITY)
    room = most if more else max(most - resident, 0)
    wanted = data + room + (os.cpu_count() or 1) * STACK
    resource.setrlimit(resource.RLIMIT_DATA, (min(wanted, least), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _from_environment(variable: str, default: float) -> float:
    text = os.environ.get(variable, "")
    if not text:
        return default
    try:
        return checked(variable, float(text))
    except ValueError:
        raise InputError(f"{variable} must be a number above 0, got {text!r}") from None
