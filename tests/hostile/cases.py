"""What a hostile file is: how it is made, what reads it, and whether anything honest is in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Reader = Literal["latents", "factors", "model"]
Outcome = Literal["refused", "read", "either"]
Make = Callable[[Path], None]


@dataclass(frozen=True)
class Case:
    """A file to be read, in a folder of its own.

    Attributes
    ----------
    name : str
        Of the case; the file is called so too.
    make : callable
        Writes the file at a path.
    reader : str
        The option of dm-eval that it is given to.
    outcome : str
        "either" where reading it is no mistake: what matters is that it ends.
    option : str
        What stands behind the path, such as ``:names``.
    """

    name: str
    make: Make
    reader: Reader = "latents"
    outcome: Outcome = "refused"
    option: str = ""


class Fuse:
    """Pickled, it becomes a call that makes a file called ``exploded`` beside the pickle."""

    def __init__(self, beside: Path) -> None:
        self.fuse = beside.parent / "exploded"

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.fuse,)


def content(data: bytes) -> Make:
    """Write these bytes."""
    return lambda path: _write(path, data)


def cut(name: str, make: Make, places: int, **how: Any) -> Iterator[Case]:
    """The file of `make`, cut off at so many places."""

    def at(place: int) -> Make:
        def made(path: Path) -> None:
            make(path)
            whole = path.read_bytes()
            path.write_bytes(whole[: max(1, len(whole) * place // (places + 1))])

        return made

    for place in range(1, places + 1):
        yield Case(f"{name}_cut_{place}_of_{places + 1}", at(place), **how)


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
