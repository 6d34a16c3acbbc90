"""Checks on rows that lack values: how many are left out, and what is not seen in those that remain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.checks import Check
from disentangle_metrics.inputs.factor import Factor


def dropped_rows(
    given: int, rows: int, factors: Sequence[Factor], complete: NDArray[np.bool_] | None
) -> Iterator[Check]:
    """How many rows were left out, and of what.

    Of `given` rows, `rows` are kept, and `complete` says which of these have a value of every factor; it is
    None if all have.
    """
    if rows < given:
        yield Check(
            "missing_values",
            f"{given - rows:,} of {given:,} rows are left out: latents are missing or infinite there",
            numbers={"rows": given - rows},
        )
    for factor in factors:
        if factor.present is not None and factor.switch is None:
            count = rows - factor.rows_present
            yield Check(
                "missing_values",
                f"factor {factor.name!r} has no value in {count:,} of {rows:,} rows, left out for it",
                about=factor.name,
                numbers={"rows": count},
            )
    if complete is None:
        return
    count = int(complete.sum())
    if not count:
        rare = min(factors, key=lambda factor: factor.rows_present)
        remedy = f"leave out a factor that few rows have, such as {rare.name!r}"
        if rare.switch is not None:
            remedy = "metrics that treat each factor by itself, such as r4c, read it where it exists"
        yield Check(
            "no_complete_rows",
            "no row has a value of every factor: metrics of several factors at once and ceilings have none",
            remedy,
            rare.name,
            {"rows": rare.rows_present},
        )
        return
    yield Check(
        "missing_values",
        f"metrics of several factors at once read the {count:,} rows that have a value of every factor",
        numbers={"rows": count},
    )


def constant_in_complete_rows(factors: Sequence[Factor], complete: NDArray[np.bool_]) -> Iterator[Check]:
    """Factors that vary, but not in the rows that have a value of every factor; `complete` says which."""
    index = np.flatnonzero(complete)
    for factor in factors if len(index) else ():
        if factor.varies and not factor.kept(index).varies:
            yield Check(
                "missing_values",
                f"factor {factor.name!r} is constant in the rows that have a value of every factor: metrics "
                "of several factors at once leave it out",
                "metrics that treat each factor by itself, such as mig, read all its rows",
                factor.name,
                {"rows": len(index)},
            )
