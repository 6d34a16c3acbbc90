"""Running a command: its exit code, and one line on stderr for an error."""

from __future__ import annotations

import sys
import traceback

import typer

from disentangle_metrics import DatasetError, InputError, PluginError

DONE, FAILED, MISUSED, INTERRUPTED = 0, 1, 2, 130
MISUSES = (InputError, DatasetError, PluginError)
# Named, since importing them needs torch; their messages say it all.
SELF_EXPLAINING = ("NonFiniteLossError", "StorageError", "WorkersLostError")


def run_command(app: typer.Typer, name: str, arguments: list[str]) -> int:
    """Run the command and return its exit code."""
    try:
        code = app(arguments, prog_name=name, standalone_mode=False, obj=arguments) or DONE
        if code == INTERRUPTED:  # typer turns Ctrl-C into this code without a word
            raise KeyboardInterrupt
        return int(code)
    except BaseException as error:
        if "--debug" in arguments:
            traceback.print_exc()
        code, message = verdict(error, name)
        print(f"{name}: {message}", file=sys.stderr)
        return code


def verdict(error: BaseException, name: str) -> tuple[int, str]:
    """The exit code of an error, and the line to say about it."""
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return INTERRUPTED, "interrupted"
    if isinstance(error, ModuleNotFoundError) and error.name in ("torch", "safetensors"):
        return MISUSED, f"{error.name} is not installed; pip install 'disentangle-metrics[models]'"
    if isinstance(error, MISUSES):
        return MISUSED, f"error: {error}"
    if hasattr(error, "format_message"):  # the command line could not be parsed
        return MISUSED, f"error: {error.format_message()} (see {name} --help)"
    if type(error).__name__ in SELF_EXPLAINING:
        return FAILED, f"failed: {error}"
    if type(error).__name__ == "TrainingInterruptedError":
        return INTERRUPTED, str(error)
    if isinstance(error, SystemExit):
        return int(error.code or 0), ""
    return FAILED, f"failed: {type(error).__name__}: {error}"
