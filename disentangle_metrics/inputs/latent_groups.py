"""Groups of latents: which columns are one unit, as they are given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any

from disentangle_metrics.errors import InputError

Groups = Mapping[str, Iterable[int | str]]


def read_groups(given: Any, names: Sequence[str]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """The name and the columns of each unit, in the order of their first columns.

    Parameters
    ----------
    given
        Mapping of names to columns, each by its place or its name. A column that is in no group is a
        unit by itself and keeps its name.
    names
        Of the columns.

    Raises
    ------
    InputError
        If a column is unknown or in two groups, or a group is empty, or two units have one name.
    """
    if not isinstance(given, Mapping) or not given:
        raise InputError(
            f"`groups` must map names to columns, such as {{'layer 1': [0, 1]}}, got {given!r:.80}"
            + ("; only `dm.evaluate` knows the layers of a model" if str(given) == "layers" else "")
        )
    places = {name: place for place, name in enumerate(names)}
    group_of: dict[int, str] = {}
    units: dict[str, tuple[int, ...]] = {}
    for group, columns in given.items():
        name = str(group)
        found = []
        masked = getattr(getattr(columns, "dtype", None), "kind", "") == "b"
        if masked or not isinstance(columns, str | Integral | Iterable):
            what = "a mask" if masked else repr(columns)
            raise InputError(
                f"`groups`: {name!r} has {what}; pass the places of its columns, such as [0, 1], of a mask "
                "`np.flatnonzero(mask)`"
            )
        for column in [columns] if isinstance(columns, str | Integral) else list(columns):
            place = places.get(column) if isinstance(column, str) else _place(column, len(names))
            if place is None:
                known = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
                raise InputError(
                    f"`groups`: {name!r} has the column {column!r}, which is none of the {len(names)} "
                    f"latents ({known})"
                )
            if place in group_of:
                also = group_of[place]
                where = f"{also!r} and {name!r}" if also != name else f"{name!r} twice"
                raise InputError(
                    f"`groups`: the latent {names[place]!r} is in {where}; it can be in one only"
                )
            group_of[place] = name
            found.append(place)
        if not found:
            raise InputError(f"`groups`: {name!r} has no column")
        units[name] = tuple(sorted(found))
    for place, name in enumerate(names):
        if place in group_of:
            continue
        if name in units:
            raise InputError(f"`groups`: {name!r} is also the name of a latent that is in no group")
        units[name] = (place,)
    return tuple(sorted(units.items(), key=lambda unit: unit[1]))


def _place(column: Any, count: int) -> int | None:
    """The place that a whole number names; None if there is none."""
    try:
        place = int(column)
    except (TypeError, ValueError):
        return None
    return place if place == column and not isinstance(column, bool) and 0 <= place < count else None


def text_of(columns: Sequence[tuple[int, ...]]) -> str:
    """What signatures say: the columns of each unit of several, as ``0-1+2+5``; ``+`` joins units."""
    return "+".join("-".join(map(str, unit)) for unit in columns)
