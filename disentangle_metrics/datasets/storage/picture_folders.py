"""The pictures below a folder, by their names, whatever links are in it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

OF_SYSTEMS = {"lost+found", "__MACOSX", "System Volume Information", "$RECYCLE.BIN"}


def is_hidden(name: str) -> bool:
    """Whether a file or folder is not the user's: its name has a dot first, or is a system's."""
    return name.startswith(".") or name in OF_SYSTEMS


def names_below(
    folder: Path, suffixes: tuple[str, ...], unreadable: Callable[[OSError], object] | None = None
) -> list[str]:
    """The pictures' sorted names below the folder; hidden ones are left out.

    Links to folders elsewhere are followed. Those to a folder in this one or around it are not, so that
    no picture is listed twice.

    Parameters
    ----------
    folder : Path
    suffixes : tuple of str
        The endings of pictures, in lower case.
    unreadable : callable, optional
        Gets the error of each folder that cannot be read.
    """
    names: list[str] = []
    above: dict[str, tuple[str, ...]] = {os.fspath(folder): ()}  # the real folders on the way to each
    for place, inner, files in os.walk(folder, onerror=unreadable, followlinks=True):
        on_the_way = (*above.pop(place), os.path.realpath(place))
        inner[:] = [name for name in inner if not is_hidden(name) and _leads_on(place, name, on_the_way)]
        above |= {os.path.join(place, name): on_the_way for name in inner}
        shown = [name for name in files if name.lower().endswith(suffixes) and not is_hidden(name)]
        names += [(Path(place) / name).relative_to(folder).as_posix() for name in shown]
    return sorted(names)


def _leads_on(place: str, name: str, on_the_way: tuple[str, ...]) -> bool:
    """Whether the folder is on no way to itself, and is no link into the first folder or around it."""
    real = os.path.realpath(os.path.join(place, name))
    if real == os.path.join(on_the_way[-1], name):  # no link
        return real not in on_the_way
    return real not in on_the_way and not is_in_or_around(Path(real), Path(on_the_way[0]))


def is_in_or_around(folder: Path, other: Path) -> bool:
    """Whether one of the two real folders holds the other."""
    return folder.is_relative_to(other) or other.is_relative_to(folder)
