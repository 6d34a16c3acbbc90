"""Factors that form a tree: where each exists is checked, and no number may stand where it does not.

A factor under a switch exists in the rows in which the switch has one value. In all others it has no value,
which is missing by design: NaN, None or NA.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.checks import Check
from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.factor import MISSING_ADVICE, Factor

Hierarchy = Mapping[str, tuple[str, Any]]
FORM = (
    'a factor, its switch and the value under which it exists, as in `hierarchy={"phase": ("shape", "moon")}`'
)


def tree_of(hierarchy: Any, factors: Any) -> Hierarchy | None:
    """The tree as it was given; None if it is empty, since then every factor exists everywhere.

    Raises
    ------
    InputError
        If it has another form, or there are no factors that it could be of.
    """
    if not isinstance(hierarchy, Mapping):
        raise InputError(f"`hierarchy` must name {FORM}; got {hierarchy!r}")
    for name, entry in hierarchy.items():
        if isinstance(entry, str) or not isinstance(entry, Sequence) or len(entry) != 2:
            raise InputError(f"`hierarchy` must name {FORM}; got {entry!r} for {name!r}")
    if hierarchy and factors is None:
        raise InputError(
            f"`hierarchy` says where factors exist, such as {next(iter(hierarchy))!r}: pass `factors` too, "
            "or leave it out"
        )
    return hierarchy or None


def none_of(name: Any, known: Sequence[str]) -> str:
    """What to say of a name that is none of the known ones, which are texts."""
    text = f": names are texts, so pass {str(name)!r}"
    return text if str(name) in known else f", which is none of {', '.join(known)}"


def check_names(hierarchy: Hierarchy, names: Iterable[str]) -> None:
    """Refuse a tree that names a factor, or a switch, that is none of these.

    Raises
    ------
    InputError
        If it does.
    """
    known = list(names)
    for name, (switch, _) in hierarchy.items():
        for asked in (name, switch):
            if not isinstance(asked, Hashable) or asked not in known:
                raise InputError(f"`hierarchy` names {asked!r}{none_of(asked, known)}")


def with_switches(
    hierarchy: Hierarchy,
    factors: Sequence[Factor],
    missing: str,
    origin: NDArray[np.int64] | None = None,
    unread: Sequence[str] = (),
    whole: bool = True,
) -> tuple[tuple[Factor, ...], tuple[Check, ...]]:
    """The factors with their switches, and a check of each that says in how many rows it exists.

    Parameters
    ----------
    hierarchy : mapping
        Of each factor under a switch: the name of the switch, and its value; see :func:`tree_of`.
    factors : sequence of Factor
        With their missing values marked.
    missing : str
        "raise" refuses values that are missing where a factor exists.
    origin : ndarray of int64 (N,), optional
        The number of each row, for messages.
    unread : sequence of str
        Names of columns that are left out of the factors.
    whole : bool
        False: there are more rows, in which a switch may have other values.

    Raises
    ------
    InputError
        If it is no tree of these factors, or a factor has a value where it does not exist.
    """
    by_name = {factor.name: factor for factor in factors}
    for name, (switch, _) in hierarchy.items():
        if left_out := [asked for asked in (name, switch) if isinstance(asked, str) and asked in unread]:
            raise InputError(
                f"`hierarchy` names {left_out[0]!r}, which has a different text in each row and is left out; "
                f'for a category pass `factor_types={{{left_out[0]!r}: "categorical"}}`'
            )
    check_names(hierarchy, by_name)
    switches = {name: _switch(name, entry, by_name, whole) for name, entry in hierarchy.items()}
    _refuse_circles(switches)
    read = []
    checks: list[Check] = []
    for factor in factors:
        rows = factor.rows_present if factor.present is None else len(factor.present)
        present = np.ones(rows, dtype=bool) if factor.present is None else factor.present
        exists = np.ones(rows, dtype=bool)
        if factor.name in switches:
            switch, level = switches[factor.name]
            exists = _where(by_name[switch], level, present)
            if (present & ~exists).any():
                row = int(np.argmax(present & ~exists))
                raise InputError(
                    f"factor {factor.name!r} has a value in row {_number(row, origin)}, and by `hierarchy` "
                    f"it exists only where {switch!r} is {level!r}: leave it missing (NaN or None) there"
                )
            if not exists.all():
                checks.append(
                    Check(
                        "missing_by_design",
                        f"factor {factor.name!r} exists in {int(exists.sum()):,} of {rows:,} rows, where "
                        f"{switch!r} is {level!r}",
                        about=factor.name,
                        numbers={"rows": int(exists.sum())},
                    )
                )
            factor = replace(factor, switch=(switch, level))
        lacking = exists & ~present
        if missing == "raise" and lacking.any():
            raise InputError(
                f"factor {factor.name!r} has a missing or infinite value in row "
                f"{_number(int(np.argmax(lacking)), origin)} ({int(lacking.sum()):,} in all), where it "
                f"exists: {MISSING_ADVICE}"
            )
        if factor.switch is not None and lacking.any():
            text = (
                f"factor {factor.name!r} has no value in {int(lacking.sum()):,} of the rows where it exists"
            )
            checks.append(
                Check("missing_values", text, about=factor.name, numbers={"rows": int(lacking.sum())})
            )
        read.append(factor)
    return tuple(read), tuple(checks)


def _refuse_circles(switches: Hierarchy) -> None:
    for name in switches:
        above, path = name, [name]
        while (above := switches[above][0] if above in switches else "") != "":
            if above in path:
                raise InputError(f"`hierarchy` is no tree: {' under '.join([*path, above])}")
            path.append(above)


def _where(switch: Factor, level: Any, present: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """In which rows a switch has a level; where the factor has a value, if more rows decide what it is."""
    if switch.codes is None:
        return present
    code = switch.levels.index(level) if level in switch.levels else -1
    return np.asarray(switch.codes == code)


def _switch(name: str, entry: tuple[str, Any], factors: Mapping[str, Factor], whole: bool) -> tuple[str, Any]:
    """The switch of a factor and the level of it, as it was read; as given, if more rows may have it."""
    switch, value = entry
    levels, reading = factors[switch].levels, factors[switch].reading
    if factors[switch].codes is None and (whole or (reading is not None and reading.declared)):
        raise InputError(
            f"`hierarchy`: the switch {switch!r} is read as a measurement; declare it, as in "
            f'`factor_types={{{switch!r}: "categorical"}}`'
        )
    for level in levels:
        if str(level) == str(value) or (np.ndim(value) == 0 and level == value):
            return switch, level
    if not whole:
        return switch, value
    raise InputError(
        f"`hierarchy`: {name!r} exists where {switch!r} is {value!r}, which is none of its values "
        f"{', '.join(map(repr, levels[:10]))}"
    )


def _number(row: int, origin: NDArray[np.int64] | None) -> int:
    return row if origin is None else int(origin[row])
