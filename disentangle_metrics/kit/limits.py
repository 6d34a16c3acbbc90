"""How much time and memory a library may take for a file that someone else made.

A small file can ask for endless work. The commands do such work inside :func:`limited`. Their
supervising process (:mod:`.supervision`) ends it when a limit is passed. The environment variables
DM_TIME_LIMIT (seconds) and DM_MEMORY_LIMIT (gigabytes) raise the limits, like the options of dm-eval.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
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
_supervisor: ContextVar[int | None] = ContextVar("supervisor", default=None)  # a pipe to write to


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
def limited(what: str, *, seconds: float = 0.0, gigabytes: float = 0.0) -> Iterator[None]:
    """Work that may take the limits and this much more; `what` is how a message calls it.

    Without a supervising process, as in a notebook, nothing is limited.
    """
    pipe = _supervisor.get()
    if pipe is None:
        yield
        return
    limits = current_limits()
    granted = {
        "what": what[:MOST_NAMED],
        "seconds": limits.seconds + seconds,
        "bytes": int(limits.bytes + gigabytes * 1e9),
    }
    _tell(pipe, granted)
    try:
        with _allocations_limited(int(limits.bytes + gigabytes * 1e9)):
            yield
    except MemoryError as error:
        raise InputError(
            f"{what} takes more than {limits.gigabytes + gigabytes:.1f} GB; {HOW_TO_RAISE_MEMORY}"
        ) from error
    finally:
        _tell(pipe, {})


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
    asks = is_supervised() and ("alloc" in reason.lower() or "memory" in reason.lower())
    return f"; {HOW_TO_RAISE_MEMORY}" if asks else ""


def supervise_with(pipe: int) -> None:
    """Tell the supervisor at the other end of `pipe` what is done from now on."""
    _supervisor.set(pipe)


def is_supervised() -> bool:
    """Whether a supervising process holds this one to the limits."""
    return _supervisor.get() is not None


@contextmanager
def _allocations_limited(most: int) -> Iterator[None]:
    """Let the system refuse memory that would make this process larger than `most`, where it can (Linux)."""
    try:
        import resource

        pages = [int(count) for count in Path("/proc/self/statm").read_text().split()]
    except (ImportError, OSError):
        yield
        return
    resident, data = pages[1] * resource.getpagesize(), pages[5] * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    least = min(number for number in (soft, hard, 2**62) if number != resource.RLIM_INFINITY)
    wanted = data + max(most - resident, 0) + (os.cpu_count() or 1) * STACK
    resource.setrlimit(resource.RLIMIT_DATA, (min(wanted, least), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _tell(pipe: int, granted: dict[str, object]) -> None:
    os.write(pipe, json.dumps(granted).encode() + b"\n")


def _from_environment(variable: str, default: float) -> float:
    text = os.environ.get(variable, "")
    if not text:
        return default
    try:
        return checked(variable, float(text))
    except ValueError:
        raise InputError(f"{variable} must be a number above 0, got {text!r}") from None
