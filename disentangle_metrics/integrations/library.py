"""The libraries that are integrated, imported where they are used."""

from __future__ import annotations

import importlib
from typing import Any

from disentangle_metrics.errors import InputError
from disentangle_metrics.kit.installing import install_line


def need(package: str, integration: str | None = None) -> Any:
    """The package, imported, for the integration of this name (by default its own).

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
        extra = integration or package
        raise InputError(
            f"disentangle_metrics.integrations.{extra} needs the package {package}, which is not "
            f"installed; install it with: {install_line(extra)}"
        ) from None
