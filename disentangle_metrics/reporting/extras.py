"""Libraries of the extra ``report``, imported where they are used."""

from __future__ import annotations

import importlib
from typing import Any

from disentangle_metrics.errors import InputError
from disentangle_metrics.kit.installing import install_line

DISTRIBUTIONS = {"PIL": "pillow"}  # where the package is called otherwise


def need(package: str, purpose: str) -> Any:
    """The package, imported.

    Raises
    ------
    InputError
        If it is not installed; the message says what needs it, and how to get it.
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError:
        name = DISTRIBUTIONS.get(package, package)
        raise InputError(
            f"{purpose} needs the package {name}, which is not installed; install it "
            f"with: {install_line('report')}"
        ) from None
