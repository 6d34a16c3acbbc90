"""``--groups``: units of several latents, as they are written on a command line."""

from __future__ import annotations

from typing import Literal

from disentangle_metrics.kit.commands import UsageError

FORM = "NAME=COLUMNS;..., such as position=0,1;colour=2-4, or layers, or none"


def groups_in(text: str) -> dict[str, list[int | str]] | Literal["layers", "none"]:
    """``"a=0,1;b=z_2"`` -> {"a": [0, 1], "b": ["z_2"]}; ``"layers"`` stands for those of the model."""
    if text.strip() == "layers":
        return "layers"
    if text.strip() == "none":
        return "none"
    groups: dict[str, list[int | str]] = {}
    for part in filter(str.strip, text.split(";")):
        name, equals, columns = (side.strip() for side in part.partition("="))
        named = [column.strip() for column in columns.split(",") if column.strip()]
        if not (name and equals and named):
            raise UsageError(f"--groups must be {FORM}; got {text!r}")
        if name in groups:
            raise UsageError(f"--groups names {name!r} twice; give its columns together, as {name}=0,1")
        groups[name] = [place for column in named for place in _places(column)]
    if not groups:
        raise UsageError(f"--groups must be {FORM}; got {text!r}")
    return groups


def groups_of_arrays(text: str | None) -> dict[str, list[int | str]] | None:
    """The groups of columns of a file, which has no layers."""
    groups = None if text is None else groups_in(text)
    if groups == "layers":
        raise UsageError(
            "--groups layers is for a MODEL that names them; of arrays name the columns: layer=0,1"
        )
    return None if groups == "none" else groups


def _places(column: str) -> list[int | str]:
    """A name, a place, or a range of places such as 2-4."""
    first, dash, last = column.partition("-")
    if dash and first.isdecimal() and last.isdecimal() and int(first) <= int(last):
        return list(range(int(first), int(last) + 1))
    return [int(column)] if column.isdecimal() else [column]
