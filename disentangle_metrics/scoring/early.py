"""Options of score() where it is called later, or several times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def read_again(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with a list for each iterator, which could be read once."""
    return {name: list(value) if hasattr(value, "__next__") else value for name, value in options.items()}
