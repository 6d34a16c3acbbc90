"""The first lines of a console script: Ctrl-C while the libraries are loaded is one line too."""

from __future__ import annotations

import importlib
import os
import sys

INTERRUPTED = 130


def start(name: str, module: str) -> None:
    """Load a command's module and call its ``main``, which exits.

    Parameters
    ----------
    name : str
        What the line on stderr begins with.
    module : str
        Loading it may take a second.
    """
    try:
        importlib.import_module(module).main()
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr, flush=True)
        os._exit(INTERRUPTED)  # libraries that are half loaded might complain
