"""What a wheel that pip makes in a clone needs beside pyproject.toml: the checkpoints that lie in the clone.

The extra `models` needs the distribution `disentangle-metrics-checkpoints`. In a clone it lies in a folder,
and an index may not have it. So the extra then names that folder, and ``pip install ".[models]"`` works. An
archive of sources has no such folder, and what is built for publication names the version alone.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NAME = "disentangle-metrics-checkpoints"
FOLDER = "reference_models/checkpoints"


class CheckpointsOfTheClone(BuildHookInterface):
    """Adds the folder to what the extras need."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before the wheel is made."""
        root = Path(self.root)
        if "PIP_BUILD_TRACKER" not in os.environ or not (root / FOLDER / "pyproject.toml").is_file():
            return
        extras = self.metadata.core.optional_dependencies.items()
        asked = [extra for extra, needed in extras if any(line.startswith(NAME) for line in needed)]
        marker = " or ".join(f"extra == '{extra}'" for extra in asked)
        build_data["dependencies"].append(f"{NAME} @ {address(root)} ; {marker}")


def address(root: Path) -> str:
    """Where pip finds the folder: in the clone, or in the repository that pip has cloned for this alone.

    Such a clone is gone afterwards, but pip keeps the wheel of a commit.
    """
    if root.parent.name.startswith("pip-install-") or root.name.startswith("pip-req-build-"):
        ask = ["git", "-C", str(root)]
        remote, commit = (
            subprocess.run([*ask, *about], capture_output=True, text=True, check=False).stdout.strip()
            for about in (["remote", "get-url", "origin"], ["rev-parse", "HEAD"])
        )
        if "://" in remote and "@" not in remote and commit:  # an address without a password
            return f"git+{remote}@{commit}#subdirectory={FOLDER}"
    return (root / FOLDER).as_uri()
