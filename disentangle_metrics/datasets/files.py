"""Where the files of data sets are: found first, fetched only where they can be."""

from __future__ import annotations

from os import PathLike
from pathlib import Path


def data_folder(root: str | PathLike[str] | None) -> Path:
    """The folder `root`, or the package's own in the platform's cache."""
    if root is not None:
        return Path(root).expanduser()
    import pooch

    return Path(pooch.os_cache("disentangle-metrics"))
