"""A batch of rows to count: each has a value of every latent and every factor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.factor import ABSENT_ADVICE, MISSING_ADVICE
from disentangle_metrics.inputs.inputs import Inputs, check

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


def refuse_unknown_periods(factor_types: Iterable[str] | Mapping[str, str] | None) -> None:
    """Refuse factors that are declared circular without a period.

    Raises
    ------
    InputError
        If there is one.
    """
    types = factor_types.values() if isinstance(factor_types, Mapping) else factor_types or ()
    if "circular" in ([types] if isinstance(types, str) else [*types]):
        raise InputError(NO_PERIOD)


def read_batch(latents: Any, factors: Any, **labels: Any) -> Inputs:
    """The checked rows; the advice of a refusal is one that can be followed here.

    Raises
    ------
    InputError
        If they cannot be used.
    """
    try:
        return check(latents, factors, rule="whole_numbers", **labels)
    except InputError as error:
        of_factors = f"{WHOLE_ROWS}, or with `hierarchy` if the factor does not exist there"
        text = str(error).replace(ABSENT_ADVICE, of_factors)  # it holds the other
        raise InputError(text.replace(MISSING_ADVICE, WHOLE_ROWS)) from error
