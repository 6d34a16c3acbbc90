"""The line that installs an extra, as it works where the package came from: a clone, a file or an index."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

PACKAGE = "disentangle-metrics"
SOURCES = Path(__file__).parents[2]


def install_line(extra: str, *, upgrade: bool = False) -> str:
    """The shell line that adds an extra to this installation, such as ``pip install ".[onnx]"``.

    Parameters
    ----------
    extra : str
        An extra of this package, such as ``"models"``.
    upgrade : bool
        Install newer versions of what the extra needs.
    """
    flags = " --upgrade" if upgrade else ""
    return f"{_installer()}{flags} {_requirement(extra)}"


def origin() -> dict[str, Any]:
    """Where the package was installed from, as ``direct_url.json`` says it; empty: from an index.

    A clone that is imported where it lies counts as installed from there, in editable mode.
    """
    if (SOURCES / "pyproject.toml").is_file():
        return {"url": SOURCES.as_uri(), "dir_info": {"editable": True}}
    try:
        text = distribution(PACKAGE).read_text("direct_url.json")
    except PackageNotFoundError:
        return {}
    found: dict[str, Any] = json.loads(text) if text else {}
    return found


def _requirement(extra: str) -> str:
    """What to install: the folder, file or address that the package came from, or its name on an index."""
    source = origin()
    named = f"{PACKAGE}[{extra}]"
    if "dir_info" in source:
        folder = Path(_path(source["url"]))
        if not folder.is_dir():
            return f'"{named}"'
        editable = "-e " if source["dir_info"].get("editable") else ""
        return f'{editable}"{"." if folder == Path.cwd() else folder}[{extra}]"'
    if "vcs_info" in source:
        control = source["vcs_info"]
        return f'"{named} @ {control["vcs"]}+{source["url"]}@{control["commit_id"]}"'
    if "archive_info" in source:
        return _archive(named, source["url"])
    return f'"{named}"'


def _archive(named: str, url: str) -> str:
    """A wheel or an archive of sources; the package of the checkpoints is looked for beside a local one."""
    if not url.startswith("file:"):
        return f'"{named} @ {url}"'
    file = Path(_path(url))
    if not file.is_file():
        return f'"{named}"'
    beside = any(file.parent.glob("disentangle_metrics_checkpoints-*"))
    links = f'--find-links "{file.parent}" ' if beside else ""
    return f'{links}"{named} @ {url}"'


def _path(url: str) -> str:
    """The path of a file URL, also on Windows."""
    path = unquote(urlsplit(url).path)
    return path[1:] if os.name == "nt" else path


def _installer() -> str:
    """The command that installs into the running environment, also where that is not activated."""
    python = Path(sys.executable)
    if python.is_relative_to(Path.cwd()):
        python = python.relative_to(Path.cwd())
    command = f'"{python}"' if " " in str(python) else str(python)
    if importlib.util.find_spec("pip") is None:  # as in environments that uv makes
        return f"uv pip install --python {command}"
    activated = Path(os.environ.get("VIRTUAL_ENV", sys.base_prefix)) == Path(sys.prefix)
    return "pip install" if activated else f"{command} -m pip install"
