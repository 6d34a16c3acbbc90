"""How every tool here delivers the file it makes."""

from __future__ import annotations

import sys
from pathlib import Path


def deliver(path: Path, text: str) -> None:
    """Write the file; with ``--check`` only end with 1 if that would change it."""
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(f"usage: python -m tools.{Path(sys.argv[0]).stem} [--check]")
    current = path.read_text(encoding="utf-8") if path.exists() else ""
    if "--check" not in sys.argv:
        path.write_text(text, encoding="utf-8")
    elif current != text:
        sys.exit(f"{path.name} is not up to date: run python -m tools.{Path(sys.argv[0]).stem}")
