"""How every command ends: its exit code, and one clear line on stderr when something is wrong."""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import Any

import typer

from disentangle_metrics.errors import DisentangleMetricsError, PluginWarning

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


class UsageError(DisentangleMetricsError):
    """Options that do not go together."""


def run(app: typer.Typer, name: str, arguments: Sequence[str]) -> int:
    """Run a command and return its exit code: 0 done, 1 failed, 2 bad usage or input, 130 interrupted."""
    debug = "--debug" in arguments
    try:
        with warnings.catch_warnings():
            if not debug:
                # Remarks on the scores are part of the result, and other libraries' warnings are not for
                # the user of a command; a broken plug-in is.
                warnings.simplefilter("ignore")
                warnings.simplefilter("default", PluginWarning)
                warnings.showwarning = lambda text, *_: say(name, f"warning: {text}")
            command = typer.main.get_command(app)
            code = command.main(list(arguments), prog_name=name, standalone_mode=False)
            if code == INTERRUPTED:
                say(name, "interrupted")
            return code if isinstance(code, int) else DONE
    except (KeyboardInterrupt, typer.Abort):
        say(name, "interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has seen enough
        sys.stdout = None  # or Python complains once more when it flushes at exit
        return DONE
    except Exception as error:
        if debug:
            traceback.print_exc()
        if isinstance(error, DisentangleMetricsError):
            return _refuse(name, str(error))
        if usage := _usage_message(error):
            return _refuse(name, f"{usage} (see {name} --help)")
        hint = "" if debug else " (--debug shows where)"
        say(name, f"failed: {type(error).__name__}: {error}{hint}")
        return FAILED


def say(name: str, text: str) -> None:
    """One line on stderr, whatever line breaks `text` has."""
    print(f"{name}: {' '.join(text.split())}", file=sys.stderr)


def _refuse(name: str, text: str) -> int:
    say(name, f"error: {text}")
    return BAD_INPUT


def _usage_message(error: Any) -> str:
    """What the parser has to say, if the error is the parser's; typer's base class moves between versions."""
    return str(error.format_message()) if hasattr(error, "format_message") else ""
