"""How every command ends: its exit code, and one clear line on stderr when something is wrong."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any

import typer

from disentangle_metrics.errors import DisentangleMetricsError, PluginWarning
from disentangle_metrics.kit.installing import install_line
from disentangle_metrics.kit.shell_words import in_shell_words
from disentangle_metrics.kit.supervision import supervised
from disentangle_metrics.text import one_line

DONE, FAILED, BAD_INPUT, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143
PREFIXES = {FAILED: "failed: ", BAD_INPUT: "error: "}
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)
OPTIONAL = {"torch": "models", "safetensors": "models"}  # what a command cannot do without, and its extra


class UsageError(DisentangleMetricsError):
    """Options that do not go together."""


def run_supervised(app: typer.Typer, name: str, arguments: Sequence[str]) -> int:
    """:func:`run_command` in a child process, whose reading of files is held to limits (``kit.limited``)."""
    captured = sys.stdout is not sys.__stdout__  # by a program that called the command
    if captured:
        return run_command(app, name, arguments)
    _open_missing_streams()
    return supervised(lambda: run_command(app, name, arguments), lambda text: say(name, text))


def run_command(app: typer.Typer, name: str, arguments: Sequence[str]) -> int:
    """Run a command and return its exit code: 0 done, 1 failed, 2 bad usage or input, 130 interrupted.

    An error of this package is one line on stderr, and decides the code. ``--debug`` among the
    arguments shows where any error came from. A command finds its arguments as ``context.obj``.
    SIGTERM ends it with 143, and nothing half-written stays.
    """
    debug = "--debug" in arguments
    terminated = threading.Event()
    options: set[str] | None = None
    _open_missing_streams()
    try:
        with warnings.catch_warnings(), _sigterm_raises(terminated):
            if not debug:
                # Remarks on the scores are part of the result, and other libraries' warnings are not for
                # the user of a command; a broken plug-in is.
                warnings.simplefilter("ignore")
                warnings.simplefilter("default", PluginWarning)
                warnings.showwarning = lambda text, *_: say(name, f"warning: {text}", options)
            command = typer.main.get_command(app)
            options = _options(command)
            code = command.main(list(arguments), prog_name=name, standalone_mode=False, obj=list(arguments))
            if code == INTERRUPTED:
                return _interrupted(name, terminated)
            sys.stdout.flush()
            return code if isinstance(code, int) else DONE
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted(name, terminated)
    except BrokenPipeError:  # the reader of our output has seen enough
        _give_up_stdout()
        return DONE
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # the parser's answer to it
            _give_up_stdout()
            return DONE
        if _is_completion(name, arguments):
            return end.code if isinstance(end.code, int) else DONE
        say(name, f"failed: something that was called ended the command with code {end.code}")
        return FAILED
    except Exception as error:
        if why := _why_unwritable(error):
            say(name, f"failed: the output cannot be written: {why}")
            _give_up_stdout()
            return FAILED
        if debug:
            traceback.print_exc()
        if isinstance(error, DisentangleMetricsError):
            say(name, f"{PREFIXES.get(error.exit_code, '')}{error}", options)
            return error.exit_code
        if isinstance(error, ModuleNotFoundError) and error.name in OPTIONAL:
            return _refuse(name, f"{error.name} is not installed; {install_line(OPTIONAL[error.name])}")
        if usage := _usage_message(error):
            return _refuse(name, f"{usage} (see {name} --help)")
        hint = "" if debug else " (--debug shows where)"
        say(name, f"failed: {type(error).__name__}: {error}{hint}", options)
        return FAILED


def _options(command: Any) -> set[str]:
    """The options of a command and of those below it."""
    below = (_options(each) for each in getattr(command, "commands", {}).values())
    return {option for parameter in command.params for option in parameter.opts}.union(*below)


def say(name: str, text: str, options: set[str] | None = None) -> None:
    """One line on stderr, in the shell's words, whatever `text` has in it; none where there is no stderr.

    A command that does not have the options of ``dm-eval`` gives its own.
    """
    line = in_shell_words(one_line(f"{name}: {text}"), options)
    with contextlib.suppress(OSError, ValueError):
        encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
        print(line.encode(encoding, "backslashreplace").decode(encoding), file=sys.stderr, flush=True)


def _is_completion(name: str, arguments: Sequence[str]) -> bool:
    """Whether the shell's completion is asked for, or its installation; the parser exits after them."""
    asked = {argument.partition("=")[0] for argument in arguments}
    return f"_{name.replace('-', '_').upper()}_COMPLETE" in os.environ or bool(
        asked & {"--install-completion", "--show-completion"}
    )


def _interrupted(name: str, terminated: threading.Event) -> int:
    say(name, "terminated" if terminated.is_set() else "interrupted")
    return TERMINATED if terminated.is_set() else INTERRUPTED


@contextlib.contextmanager
def _sigterm_raises(terminated: threading.Event) -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does, so that unfinished files are removed, and sets the event."""

    def raise_(number: int, frame: FrameType | None) -> None:
        if not terminated.is_set():  # once, where it comes from the supervisor and from elsewhere too
            terminated.set()
            raise KeyboardInterrupt

    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:  # someone else's decision
        yield
        return
    signal.signal(signal.SIGTERM, raise_)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _open_missing_streams() -> None:
    """Put something in the place of a standard stream that is closed, or a file would take its number."""
    for number, stream in enumerate((sys.__stdin__, sys.__stdout__, sys.__stderr__)):
        if stream is None:
            with contextlib.suppress(OSError):
                os.fstat(number)
                continue
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    if sys.stdout is None:
        sys.stdout = _Closed()
    if sys.stderr is None:
        sys.stderr = io.StringIO()  # nobody reads it


class _Closed(io.TextIOBase):
    """A standard output that was closed before the command began."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        raise OSError(errno.EBADF, "standard output is closed")


def _why_unwritable(error: Exception) -> str:
    """Why the output cannot be written, if that is what the error says."""
    if not isinstance(error, OSError) or error.filename is not None:
        return ""
    return error.strerror or str(error) if error.errno in UNWRITABLE else ""


def _give_up_stdout() -> None:
    """Let what was not written go, or Python complains once more when it flushes at exit."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())  # type: ignore[union-attr]
        sys.stdout.flush()


def _refuse(name: str, text: str) -> int:
    say(name, f"error: {text}")
    return BAD_INPUT


def _usage_message(error: Any) -> str:
    """What the parser has to say, if the error is the parser's; typer's base class moves between versions."""
    return str(error.format_message()) if hasattr(error, "format_message") else ""
