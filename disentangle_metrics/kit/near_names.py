"""Names that are not known, answered with the known ones that are spelled most alike."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

ALIKE = 0.5  # of difflib's ratio, 1 for the same letters
OTHER_WORDS = {"random_state": "seed"}  # of other libraries, where there is the second name


def did_you_mean(name: Any, known: Iterable[Any], most: int = 1) -> str:
    """The question for a name that is not among `known`, and a space after it; empty if none is near.

    Upper case does not matter: a name that differs in it alone is the one asked for.

    Parameters
    ----------
    name
        What was given.
    known
        The names there are.
    most
        How many of them to ask for.

    Examples
    --------
    >>> did_you_mean("sprite", ["rooms", "sprites"])
    "did you mean 'sprites'? "
    """
    given, of_lower = (
        OTHER_WORDS.get(str(name).lower(), str(name).lower()),
        {str(one).lower(): str(one) for one in known},
    )
    near = difflib.get_close_matches(given, list(of_lower), n=most, cutoff=ALIKE)
    if given in of_lower:
        near = [given]
    return f"did you mean {' or '.join(repr(of_lower[one]) for one in near)}? " if near else ""
