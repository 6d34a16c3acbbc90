"""A batch of rows to count: each has a value of every latent and every factor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from disentangle_metrics.checks import Check
from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.factor import ABSENT_ADVICE, MISSING_ADVICE
from disentangle_metrics.inputs.inputs import Inputs, check
from disentangle_metrics.inputs.tables import FEWEST_IDENTIFIERS, are_texts, left_out, refuse_names_alone

Types = Iterable[str] | Mapping[str, str] | None

NO_HIERARCHY = (
    "an Accumulator has no `hierarchy`, since it counts the rows of all factors in the same bins: score the "
    "rows at once with `dm.score(latents, factors, hierarchy=...)`"
)
NO_PERIOD = (
    "`factor_types`: an Accumulator is told the period of a circular factor, since a batch need not hold the "
    'whole circle: declare it, as in "circular:360"'
)
WHOLE_ROWS = (
    "an Accumulator counts rows that lack nothing, so leave such rows out, or score all rows at once with "
    '`dm.score(..., missing="drop")`'
)


def read_types(types: Types) -> Types:
    """What is declared of the factors, to be read again for each batch.

    Raises
    ------
    InputError
        If a factor is declared circular without a period.
    """
    types = types if types is None or isinstance(types, Mapping | str) else list(types)
    said = types.values() if isinstance(types, Mapping) else [types] if isinstance(types, str) else types
    if "circular" in (said or ()):
        raise InputError(NO_PERIOD)
    return types


def declares(types: Types, names: Sequence[str], place: int) -> bool:
    """Whether `types` say what the factor at this place is."""
    if types is None or isinstance(types, str):
        return types is not None
    said = types.get(names[place]) if isinstance(types, Mapping) else list(types)[place]
    return said is not None


def row_names(
    names: Sequence[str], levels: Sequence[Sequence[Any]], types: Types, rows: int
) -> dict[int, Check]:
    """The factors that `score` leaves out, since all rows together have a text for each; and why.

    Raises
    ------
    InputError
        If there is no other factor.
    """
    found = {
        place: str(held[0])
        for place, (name, held) in enumerate(zip(names, levels, strict=True))
        if not declares(types, names, place) and len(held) == rows >= FEWEST_IDENTIFIERS and are_texts(held)
    }
    refuse_names_alone(found, names)
    return {place: left_out(names[place], example, rows) for place, example in found.items()}


def read_batch(latents: Any, factors: Any, **labels: Any) -> Inputs:
    """The checked rows; the advice of a refusal is one that can be followed here.

    Raises
    ------
    InputError
        If they cannot be used.
    """
    try:
        return check(latents, factors, rule="whole_numbers", whole=False, **labels)
    except InputError as error:
        of_factors = f"{WHOLE_ROWS}, or with `hierarchy` if the factor does not exist there"
        text = str(error).replace(ABSENT_ADVICE, of_factors)  # it holds the other
        raise InputError(text.replace(MISSING_ADVICE, WHOLE_ROWS)) from error
