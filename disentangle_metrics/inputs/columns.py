"""Columns as they are given: their names, and what was declared of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.factor import Declared, Factor
from disentangle_metrics.inputs.reading import Kind


def columns_of(frame: Any) -> list[str] | None:
    """The names of a data frame's columns."""
    return None if frame is None else [str(name) for name in frame.columns]


def names_of(
    given: Iterable[str] | None, found: list[str] | None, stem: str, count: int, argument: str
) -> tuple[str, ...]:
    if isinstance(given, str):
        raise InputError(f"`{argument}` must be a list of names, got the single string {given!r}")
    names = tuple(str(name) for name in (given if given is not None else found or []))
    if not names and given is None:
        names = tuple(f"{stem}_{index}" for index in range(count))
    if len(names) != count:
        raise InputError(f"`{argument}` has {len(names)} names for {count} columns: {', '.join(names)}")
    if len(set(names)) < count:
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"`{argument}` must be distinct, got {twice!r} more than once")
    return names


def declared_of(
    given: Any, names: Sequence[str], argument: str, kinds: tuple[Kind, ...]
) -> list[Declared | None]:
    """What was declared of each column, by place or by name."""
    if given is None:
        return [None] * len(names)
    if isinstance(given, Mapping):
        unknown = [name for name in given if name not in names]
        if unknown:
            raise InputError(f"`{argument}` names {unknown[0]!r}, which is none of {', '.join(names)}")
        texts = [given.get(name) for name in names]
    else:
        texts = [given] * len(names) if isinstance(given, str) else list(given)
    if len(texts) != len(names):
        raise InputError(f"`{argument}` has {len(texts)} entries for {len(names)} columns")
    return [
        None if text is None else Declared.parse(text, argument, name, kinds)
        for name, text in zip(names, texts, strict=True)
    ]


def facts_of_latents(types: Sequence[Declared | None]) -> dict[str, str]:
    """What signatures say of declared latents: the letter of each, as for factors, and the periods."""
    if not any(said is not None and said.kind != "continuous" for said in types):
        return {}
    letters = {"continuous": "r", "categorical": "c", "circular": "p"}
    facts = {"latent_kinds": "".join("r" if said is None else letters[said.kind] for said in types)}
    periods = [f"{said.turn:.12g}" for said in types if said is not None and said.kind == "circular"]
    return {**facts, "latent_periods": ",".join(periods)} if periods else facts


def types_of_code(factors: Sequence[Factor]) -> tuple[Declared | None, ...]:
    """What the factors are as latents: those that go round stay so."""
    return tuple(Declared("circular", f.period) if f.kind == "circular" else None for f in factors)
