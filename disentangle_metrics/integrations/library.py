"""The libraries that are integrated, imported where they are used."""

from __future__ import annotations

import importlib
from typing import Any

from disentangle_metrics.errors import InputError


def need(package: str) -> Any:
    """The package, imported.

    Raises
    ------
    InputError
        If it is not installed; the message says how to get it.
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise InputError(
            f"disentangle_metrics.integrations.{package} needs the package {package}, which is not "
            f"installed; install it with: pip install 'disentangle-metrics[{package}]'"
        ) from None
