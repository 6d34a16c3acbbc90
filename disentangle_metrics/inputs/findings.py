"""Checks on the input alone: what can be seen of factors and latents before anything is scored."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.checks import Check
from disentangle_metrics.estimators.counts.binning import chunks, numerically_constant
from disentangle_metrics.inputs.arrays import as_numbers
from disentangle_metrics.inputs.declared import Declared
from disentangle_metrics.inputs.factor import Factor
from disentangle_metrics.inputs.missing_rows import dropped_rows
from disentangle_metrics.inputs.periods import fits_turn, turn_of
from disentangle_metrics.inputs.reading import LEAST_UNIQUE
from disentangle_metrics.text import some_of

FEWEST_ROWS = 100
ROWS_A_VALUE = 5
ANGLES = re.compile(r"angle|azimuth|orient|rotat|phase|theta|\bphi\b|hue|heading|bearing|direction", re.I)
DEPENDENT = 0.2  # Cramer's V, corrected for bias; weaker dependence moves scores little
SURE = 5  # deviations from what independent factors have
NEARLY_ONE_HOT = 0.1
CODE_SAMPLE = 5_000  # rows that are looked at for codes
MOST_BINNED = 20  # values that the usual bins keep apart
MOST_NAMED = 5  # latents in a message


# What is found where a kind was inferred with a doubt: its code, what is said of the factor, the remedy.
DOUBTS = {
    "row_numbers": (
        "row_numbers",
        "numbers the {rows:,} rows one by one",
        "leave this column out, unless it is a measurement",
    ),
    "identifier": (
        "identifier",
        "has another whole number in each of {rows:,} rows, and is read as continuous",
        "if it names the rows, leave this column out; else {declare}",
    ),
    "between": (
        "kind_uncertain",
        "has {values} whole numbers, read as categories",
        "if it is a measurement, {declare}",
    ),
    "labels": (
        "labels_with_gaps",
        "has {values:,} whole numbers with gaps, read as categories",
        "if it is a measurement, {declare}",
    ),
    "period": (
        "period",
        "spans much more or less than its declared period",
        "declare the period in the unit of its values, as in circular:6.2832 for radians",
    ),
    "counted": (
        "kind_uncertain",
        "has {values:,} whole numbers, counted as categories",
        "if it is a measurement, score all rows at once; else declare it categorical",
    ),
    "decimals": (
        "decimal_grid",
        "has {values} numbers with decimals, read as categories",
        "if it is a measurement, {declare}",
    ),
}


def of_input(
    latents: NDArray[np.floating],
    names: Sequence[str],
    factors: Sequence[Factor],
    given: int,
    complete: NDArray[np.bool_] | None,
    types: Sequence[Declared | None] = (),
) -> tuple[Check, ...]:
    """All checks of latents (N, D) and factors: of `given` rows, N are kept.

    `complete` (N,) says which have a value of every factor; it is None if all have.
    """
    lacking = complete is not None or len(latents) < given
    return (
        *(dropped_rows(given, len(latents), factors, complete) if lacking else ()),
        *on_factors(factors),
        *on_ranges(np.min(latents, axis=0), np.max(latents, axis=0), names, latents.dtype),
        *_one_hot_latents(latents, names),
        *_codes_among_latents(latents, names, types),
        *(on_sizes(len(latents), len(names), factors) if factors else ()),
        *(_swapped(latents, factors) if factors else ()),
    )


def on_counts(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    names: Sequence[str],
    rows: int,
    factors: Sequence[Factor],
    precision: np.dtype[np.floating],
) -> tuple[Check, ...]:
    """The checks of rows that are gone, from the ranges (D,) of the latents and the levels of the factors.

    Whether factors depend on one another, or are one in one-hot code, only rows could tell.
    """
    return (
        *(found for factor in factors for found in _on_factor(factor, counted=True)),
        *on_ranges(low, high, names, precision),
        *on_sizes(rows, len(names), factors),
    )


def on_factors(factors: Sequence[Factor]) -> Iterator[Check]:
    """Checks of each factor, and of factors beside one another."""
    for factor in factors:
        yield from _on_factor(factor)
    yield from _one_hot_factors(factors)
    yield from _dependent(factors)


def _on_factor(factor: Factor, counted: bool = False) -> Iterator[Check]:
    name, reading = factor.name, factor.reading
    declare = f'declare it, as in `factor_types={{{name!r}: "continuous"}}`'
    if counted:  # an Accumulator counts no measurement
        declare = "score all rows at once, and declare it there"
    if not factor.varies:
        value = repr(factor.levels[0]) if factor.levels else f"{np.nanmin(factor.given_numbers()):g}"
        yield Check("constant_factor", f"factor {name!r} is constant ({value}) and is left out", "", name)
        return
    column = factor.codes if factor.values is None else factor.values
    rows = (0 if column is None else len(column)) if factor.present is None else int(factor.present.sum())
    doubt = "" if reading is None or (reading.declared and reading.doubt != "period") else reading.doubt
    if doubt:
        code, found, remedy = DOUBTS[doubt]
        values = len(factor.levels)
        yield Check(
            code,
            f"factor {name!r} {found.format(rows=rows, values=values)}",
            remedy.format(declare=declare),
            name,
            {"values": values} if values else {"rows": rows},
        )
    if factor.kind == "categorical" and len(factor.levels) > rows / 10:
        remedy = "leave this column out, or merge its labels"
        if all(isinstance(level, int | float) for level in factor.levels):
            remedy = f"if it is a measurement, {declare}"
        elif as_numbers(factor.levels) is not None:
            remedy = f"if it is a measurement, {declare}; else {remedy}"
        yield Check(
            "many_categories",
            f"factor {name!r} has {len(factor.levels):,} categories in {rows:,} rows",
            remedy,
            name,
            {"categories": len(factor.levels), "rows": rows},
        )
    if factor.kind == "continuous" and not (reading and reading.declared) and _turns(factor):
        yield Check(
            "periodic_factor",
            f"factor {name!r} looks like an angle, and is read as one that does not go round",
            f'declare it, as in `factor_types={{{name!r}: "circular"}}`',
            name,
        )


def _turns(factor: Factor) -> bool:
    """Whether the values fill a whole turn, or the name is an angle's and they fill most of one."""
    values = factor.given_numbers()
    share = 0.75 if ANGLES.search(factor.name) else 0.99
    return turn_of(float(np.nanmin(values)), float(np.nanmax(values)), share) is not None


def _one_hot_factors(factors: Sequence[Factor]) -> Iterator[Check]:
    """Columns of zeros and ones, of which every row has exactly one 1."""
    flags = [f for f in factors if f.present is None and _is_flag(f)]
    for block in (
        blocks_of_one(np.stack([f.given_numbers() for f in flags], axis=1)) if len(flags) > 2 else ()
    ):
        names = [flags[k].name for k in block]
        yield Check(
            "one_hot_factors",
            f"factors {', '.join(names)} are one factor in one-hot code",
            "pass one column with the name of the 1",
            names[0],
            {"columns": len(names)},
        )


def _is_flag(factor: Factor) -> bool:
    return factor.codes is not None and len(factor.levels) == 2 and set(factor.level_numbers()) == {0.0, 1.0}


def blocks_of_one(columns: NDArray[np.floating]) -> Iterator[list[int]]:
    """Runs of at least three neighbouring columns (N, D) whose sum is 1 in every row."""
    first, width = 0, columns.shape[1]
    while first < width - 2:
        total = columns[:, first].astype(np.float64)
        for last in range(first + 1, width):
            total = total + columns[:, last]
            if total.max() > 1 + NEARLY_ONE_HOT * (last - first + 1):
                break
            if last - first >= 2 and np.abs(total - 1).max() <= NEARLY_ONE_HOT:
                yield list(range(first, last + 1))
                first = last
                break
        first += 1


def _dependent(factors: Sequence[Factor]) -> Iterator[Check]:
    """The pair of categorical factors that depend most on one another, if they do."""
    coded = [f for f in factors if f.codes is not None and f.present is None and 1 < len(f.levels) <= 64]
    worst: tuple[float, Factor, Factor] | None = None
    pairs = 0
    for k, one in enumerate(coded):
        for other in coded[k + 1 :]:
            if _is_flag(one) and _is_flag(other):
                continue
            strength, deviations = cramers_v(one, other)
            if deviations < SURE:
                continue
            pairs += strength > DEPENDENT
            if worst is None or strength > worst[0]:
                worst = strength, one, other
    if worst is None or worst[0] <= DEPENDENT:
        return
    strength, one, other = worst
    more = f" ({pairs} pairs of factors do)" if pairs > 1 else ""
    yield Check(
        "dependent_factors",
        f"factors {one.name!r} and {other.name!r} depend on one another, Cramer's V {strength:.2f}{more}",
        "compare with metrics made for dependent factors: dmig, xmig, dlig, minimality",
        one.name,
        {"cramers_v": round(strength, 4), "pairs": pairs},
    )


def cramers_v(one: Factor, other: Factor) -> tuple[float, float]:
    """Cramer's V of two factors, 0 to 1, corrected for its bias (Bergsma 2013); and how sure it is.

    The second number is how many deviations chi-squared lies above its mean for independent factors.
    """
    rows, columns = len(one.levels), len(other.levels)
    assert one.codes is not None
    assert other.codes is not None
    cells = one.codes.astype(np.int64) * columns + other.codes
    counts = np.bincount(cells, minlength=rows * columns).reshape(rows, columns).astype(np.float64)
    total = counts.sum()
    expected = counts.sum(1, keepdims=True) * counts.sum(0, keepdims=True) / total
    squares = np.divide((counts - expected) ** 2, expected, out=np.zeros_like(counts), where=expected > 0)
    chi, freedom = float(squares.sum()), (rows - 1) * (columns - 1)
    phi = max(0.0, chi / total - freedom / (total - 1))
    smaller = min(rows - (rows - 1) ** 2 / (total - 1), columns - (columns - 1) ** 2 / (total - 1)) - 1
    strength = float(np.sqrt(phi / smaller)) if smaller > 0 else 0.0
    return strength, (chi - freedom) / float(np.sqrt(2 * freedom))


def on_ranges(
    low: NDArray[np.floating],
    high: NDArray[np.floating],
    names: Sequence[str],
    precision: np.dtype[np.floating],
) -> Iterator[Check]:
    """Checks of the smallest and the largest value (D,) of each latent, stored in this precision."""
    one, other = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    flat: list[str] = []
    if (other - one <= 1e-4 * np.maximum(np.abs(one), np.abs(other))).any():  # seldom: so ask only then
        flat = np.array(names)[numerically_constant(one, other, precision)].tolist()
    rounded = [name for name in flat if one[names.index(name)] != other[names.index(name)]]
    if rounded:
        yield Check(
            "rounded_latent",
            f"latents that vary by rounding alone, so far from 0 do they lie: {some_of(rounded, MOST_NAMED)}",
            f"subtract their mean before they become {precision}",
            rounded[0],
            {"latents": len(rounded)},
        )
    if flat and len(flat) < len(names):
        if len(flat) > len(rounded):
            still = [name for name in flat if name not in rounded]
            text = f"latents that never vary: {some_of(still, MOST_NAMED)}"
            yield Check("constant_latent", text, "", still[0], {"latents": len(still)})
    elif flat:
        yield Check(
            "input_scale",
            "no latent varies over the rows",
            "check the scale of the network's input, or that it is trained",
            "",
            {"latents": len(flat)},
        )


def _one_hot_latents(latents: NDArray[np.floating], names: Sequence[str]) -> Iterator[Check]:
    """Neighbouring latents near 0 and 1, of which every row has exactly one near 1."""
    low, high = np.min(latents, axis=0), np.max(latents, axis=0)
    within = (low >= -NEARLY_ONE_HOT) & (high <= 1 + NEARLY_ONE_HOT) & (high >= 1 - NEARLY_ONE_HOT)
    if within.sum() < 3:
        return
    sample = latents[:: max(1, len(latents) // 5_000)]
    run: list[int] = []
    for place, inside in enumerate([*within, False]):
        if inside:
            run.append(place)
            continue
        for block in blocks_of_one(sample[:, run]) if len(run) > 2 else ():
            members = [names[run[k]] for k in block]
            yield Check(
                "one_hot_latents",
                f"latents {members[0]} to {members[-1]} are one one-hot code",
                "give the place of the 1 as a latent and declare it, `latent_types={'NAME': 'categorical'}`",
                members[0],
                {"columns": len(members)},
            )
        run = []


def _codes_among_latents(
    latents: NDArray[np.floating], names: Sequence[str], types: Sequence[Declared | None]
) -> Iterator[Check]:
    """Latents of many whole numbers that nobody declares, and declarations that do not fit."""
    sample = latents[:: max(1, len(latents) // CODE_SAMPLE)]
    codes = []
    for j, name in enumerate(names):
        said, column = types[j] if types else None, sample[:, j]
        if said is not None and said.kind == "circular" and not fits_turn(float(np.ptp(column)), said.turn):
            text = f"latent {name!r} spans {np.ptp(column):.3g}, and its declared period is {said.turn:.3g}"
            yield Check("period", text, "declare the period in the unit of its values", name)
        decimals = said is not None and said.kind == "categorical" and (column != np.floor(column)).any()
        if decimals and (values := len(np.unique(column))) > len(column) / 10:
            yield Check(
                "many_categories",
                f"latent {name!r} has {values:,} categories with decimals in {len(column):,} rows",
                "leave it out of `latent_types`, unless it holds codes, as of vector quantisation",
                name,
                {"categories": values, "rows": len(column)},
            )
        if said is None and column[0] == np.floor(column[0]) and (column == np.floor(column)).all():
            values = len(np.unique(column))
            if MOST_BINNED < values <= len(column) / 2:
                codes.append((name, values))
            elif values == len(column) >= LEAST_UNIQUE and (np.diff(latents[:, j]) == 1).all():
                text = f"latent {name!r} numbers the {len(latents):,} rows one by one"
                yield Check("row_numbers", text, "leave this column out", name)
    if codes:
        name, values = codes[0]
        more = f", and {len(codes) - 1} more latents like it" if len(codes) > 1 else ""
        yield Check(
            "latent_codes",
            f"latent {name!r} holds {values} whole numbers, which bins would merge{more}",
            f'if they are codes, declare them: `latent_types={{{name!r}: "categorical"}}`',
            name,
            {"values": values, "latents": len(codes)},
        )


def on_sizes(rows: int, width: int, factors: Sequence[Factor]) -> Iterator[Check]:
    """Checks of the numbers of rows, latents and factors."""
    if width < len(factors):
        yield Check(
            "fewer_latents",
            f"there are {width} latents for {len(factors)} factors",
            "",
            "",
            {"latents": width, "factors": len(factors)},
        )
    values = max((len(f.levels) for f in factors if f.kind != "continuous"), default=0)
    needed = max(FEWEST_ROWS, ROWS_A_VALUE * values)
    if rows < needed:
        transposed = ""
        if width == len(factors) > rows:
            transposed = "; if each column is a sample, transpose latents and factors"
        yield Check(
            "few_rows",
            f"{rows:,} rows are too few: scores of so few rows are mostly chance",
            f"score at least {needed:,} rows here" + transposed,
            "",
            {"rows": rows, "needed": needed},
        )


def _swapped(latents: NDArray[np.floating], factors: Sequence[Factor]) -> Iterator[Check]:
    """Latents that hold labels beside factors that hold measurements."""
    measured = all(f.kind == "continuous" for f in factors)
    if measured and len(latents) >= FEWEST_ROWS and _looks_like_labels(latents):
        yield Check(
            "swapped",
            "latents hold few whole numbers and every factor is a measurement",
            "check the order: `dm.score(latents, factors)`",
        )


def _looks_like_labels(latents: NDArray[np.floating]) -> bool:
    for rows in chunks(len(latents)):
        if not (latents[rows] == np.floor(latents[rows])).all():
            return False
    return all(len(np.unique(column)) <= 40 for column in latents.T)
