"""What all batches of an Accumulator have in common, and the factors as known once their rows are gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.declared import Declared
from disentangle_metrics.inputs.factor import Factor, read_factor
from disentangle_metrics.inputs.inputs import Inputs
from disentangle_metrics.inputs.reading import FEW, MANY, Doubt, Reading, Rule, read_numbers
from disentangle_metrics.inputs.tables import FactorTable

DECIMALS = "precision of decimals"


def layout_of(batch: Inputs, table: FactorTable) -> dict[str, Any]:
    """What all batches must have in common; `table` has the factors as they were given."""
    for factor in batch.factors:
        if factor.values is not None and factor.kind == "ordinal":  # the values are ranks
            refuse_order(factor.name, int(factor.values.max()) + 1)
        if factor.codes is None:
            raise InputError(
                f"factor {factor.name!r} is continuous; an Accumulator counts categories: bin it with "
                "the same edges in all batches, or leave it out"
            )
    dtypes = [column.dtype for column in table.columns]
    return {
        "latent names": batch.latent_names,
        "factor names": batch.factor_names,
        "factor kinds": [factor.kind for factor in batch.factors],
        "factor periods": [factor.period for factor in batch.factors],
        "categories": [
            _own_order(dtype, factor) for dtype, factor in zip(dtypes, batch.factors, strict=True)
        ],
        DECIMALS: [_precision(factor, dtype) for factor, dtype in zip(batch.factors, dtypes, strict=True)],
        "precision": batch.latents.dtype.name,
        "posteriors": batch.logvar is not None,
    }


def _own_order(dtype: Any, factor: Factor) -> tuple[Any, ...] | None:
    """The categories of a column, unless they are texts in alphabetical order, as all together then are.

    Numbers that are declared ordinal have their own order where the column has none.
    """
    categories = getattr(dtype, "categories", None)
    if categories is None or (
        not dtype.ordered and categories.dtype.kind == "O" and categories.is_monotonic_increasing
    ):
        return None
    listed = tuple(categories.tolist())
    return listed if dtype.ordered or factor.kind != "ordinal" else tuple(sorted(listed))


def _precision(factor: Factor, dtype: Any) -> str | None:
    """The precision in which decimals are equal but for rounding; None if there are none."""
    decimals = any(isinstance(level, float) for level in factor.levels)
    if not decimals or factor.period is not None or hasattr(dtype, "categories"):
        return None
    return f"float{8 * dtype.itemsize}" if dtype.kind == "f" else "float64"


def in_common(before: Mapping[str, Any], layout: Mapping[str, Any]) -> dict[str, Any]:
    """The layout of the rows before, none if empty, and of more rows.

    Raises
    ------
    InputError
        If they have another. Whole numbers go with decimals of any precision.
    """
    if not before:
        return dict(layout)
    pairs = list(zip(before[DECIMALS], layout[DECIMALS], strict=False))
    known = {**before, DECIMALS: [one or other for one, other in pairs]}
    for what, value in {**layout, DECIMALS: [other or one for one, other in pairs]}.items():
        if known[what] != value:
            raise InputError(
                f"these rows are not like those before: {what} was {known[what]}, and is {value}"
            )
    return known


def refuse_order(name: str, values: int) -> None:
    """Refuse an ordinal factor of more values than are counted."""
    if values > FEW:
        raise InputError(
            f"factor {name!r} has {values} ordered values or more, which are measured by their ranks and not "
            f'counted: merge them to {FEW} or fewer, or declare them "categorical"'
        )


def factor_of_levels(
    layout: Mapping[str, Any], place: int, values: Iterable[Any], rows: int, rule: Rule, declared: bool
) -> tuple[Factor, list[Any], NDArray[np.int64]]:
    """The factor at this place of the layout, of so many rows without content, that takes these values.

    However many they are, they are counted. A circle that the rule of the rows measures is refused. What else
    it would measure, or doubts, has a doubt unless it is `declared`.

    Returns
    -------
    The factor, the values in its order, and where each of its levels begins among them: values are one level
    up to rounding.
    """
    name, kind, period, categories = (
        layout[of][place] for of in ("factor names", "factor kinds", "factor periods", "categories")
    )
    held = set(values)
    levels = sorted(held) if categories is None else [value for value in categories if value in held]
    if period is not None:
        _refuse_circle(name, levels, rows, rule)
        rule = "whole_numbers"  # they were, before they were folded into a turn
    column: Any = np.array(levels, dtype=layout[DECIMALS][place])
    if column.dtype.kind == "f" and all(isinstance(level, int) for level in levels):
        column = np.array(levels, dtype=object)  # below 0 and from 2**63 on: NumPy has floats for both
    if categories is not None:
        import pandas as pd

        column = pd.Series(pd.Categorical(levels, categories=levels, ordered=kind == "ordinal"))
    counted = Declared("ordinal" if kind == "ordinal" and categories is not None else "categorical")
    factor = read_factor(column, name, counted, rule=rule)
    said = "" if factor.reading is None else factor.reading.values
    if period is not None:
        said = f"{said}, period {period:g}"
    starts = np.unique(cast("NDArray[np.integer]", factor.codes), return_index=True)[1]
    doubt: Doubt = ""
    if not declared and column.dtype.kind in "iu":
        by_rows = read_numbers(column[starts], rows, rule)
        doubt = "counted" if by_rows.kind == "continuous" or by_rows.doubt else ""
    without_rows = replace(
        factor,
        kind=kind,
        period=period,
        reading=Reading(kind, said, declared, doubt),
        codes=np.broadcast_to(np.zeros(1, dtype=np.uint8), rows),
    )
    return without_rows, levels, starts


def _refuse_circle(name: str, levels: Sequence[float], rows: int, rule: Rule) -> None:
    """Refuse a circular factor of whole numbers that are measured, by their values in one turn, ascending."""
    numbers = np.array(levels, dtype=np.float64)
    if (numbers != np.floor(numbers)).any():  # whole numbers, in a turn that is none
        numbers = np.arange(len(numbers), dtype=np.float64)
    if read_numbers(numbers, rows, rule).kind == "continuous":
        more = f"merge them to {MANY} or fewer values" if len(levels) > MANY else "count more rows"
        raise InputError(
            f"factor {name!r} goes round and has {len(levels):,} values in {rows:,} rows, which are measured "
            f"and not counted: {more}, or score all rows at once with `dm.score`"
        )
