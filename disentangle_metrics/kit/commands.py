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
PREFIXES = {FAILED: "failed: ", BAD_INPUT: "error: "}
OPTIONAL = {"torch": "models", "safetensors": "models"}  # what a command cannot do without, and its extra


class UsageError(DisentangleMetricsError):
    """Options that do not go together."""


def run_command(app: typer.Typer, name: str, arguments: Sequence[str]) -> int:
    """Run a command and return its exit code: 0 done, 1 failed, 2 bad usage or input, 130 interrupted.

    An error of this package is one line on stderr, and decides the code. ``--debug`` among the
    arguments shows where any error came from. A command finds its arguments as ``context.obj``.
    """
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
            code = command.main(list(arguments), prog_name=name, standalone_mode=False, obj=list(arguments))
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
            say(name, f"{PREFIXES.get(error.exit_code, '')}{error}")
            return error.exit_code
        if isinstance(error, ModuleNotFoundError) and error.name in OPTIONAL:
            remedy = f"pip install 'disentangle-metrics[{OPTIONAL[error.name]}]'"
            return _refuse(name, f"{error.name} is not installed; {remedy}")
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
