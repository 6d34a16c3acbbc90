"""Odd arrays, and what they score by the definitions: made for test_odd_arrays.py, and to be run alone.

``python -m tests.scoring.odd_arrays --inputs 20000`` makes as many, scores each, and prints what happened.
"""

from __future__ import annotations

import argparse
import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

import disentangle_metrics as dm
from tests.scoring.histogram_reference import reference

METRICS = ("mig", "mig_sup", "jemmig", "dcimig", "modularity", "mean_pairwise_mi")
SUITE = 50  # every so many inputs all metrics of the suite are run too
FLOATS = ("f8", "f8", "f8", "f4", "f2", ">f8", "<f4", "longdouble")
COLUMNS = [
    "few",
    "negative",
    "huge",
    "unsigned",
    "text",
    "flags",
    "whole floats",
    "halves",
    "twins",
    "rare",
    "constant",
    "different",
    "measured",
    "measured",
    "counts",
    "categorical",
    "python",
]
WHOLE = ("i8", "i4", "i1", "u2", "u8", "?")


@dataclass(frozen=True)
class Odd:
    """What is passed to `dm.score`, and what it means.

    `numbers` (N, D) are the latents, NaN where one is missing; `labels` the K factors, each a list of N labels
    or numbers, None where one is missing. `refused` says whether an InputError is right.
    """

    latents: Any
    factors: Any
    numbers: np.ndarray
    labels: list[list[Any]]
    options: dict[str, Any]
    refused: bool
    words: str = ""
    single: bool = field(default=False)


def latent_values(rng: np.random.Generator, rows: int, width: int) -> tuple[np.ndarray, str]:
    """Float64 (N, D): independent, tied, on a grid, constant or copied columns, of any size, at any place."""
    values = rng.normal(size=(rows, width))
    words = []
    for j in range(width):
        shape = rng.choice(["normal", "normal", "ties", "grid", "constant", "copy", "outlier", "labels"])
        if shape == "ties":
            values[:, j] = rng.choice(values[: rng.integers(1, 6), j], rows)
        elif shape == "grid":
            values[:, j] = rng.integers(0, rng.integers(2, 42), rows) / rng.choice([1, 3, 10, 20])
        elif shape == "constant":
            values[:, j] = values[0, j]
        elif shape == "copy":
            values[:, j] = values[:, 0] * rng.choice([1, -1, 3])
        elif shape == "outlier":
            values[0, j] = 10.0 ** rng.integers(1, 60)
        elif shape == "labels":
            values[:, j] = rng.integers(-3, 4, rows)
        words.append(str(shape))
    size = rng.choice(["usual", "usual", "tiny", "large", "mixed", "far"])
    with np.errstate(all="ignore"):
        if size == "tiny":
            values *= 10.0 ** rng.uniform(-320, -290)
        elif size == "large":
            values *= 10.0 ** rng.uniform(60, 152)
        elif size == "mixed":
            values *= 10.0 ** rng.uniform(-310, 80, width)
        elif size == "far":
            values += 10.0 ** rng.uniform(3, 17)
    return values, f"{size} {'/'.join(words)}"


def as_latents(rng: np.random.Generator, values: np.ndarray) -> tuple[Any, np.ndarray, str]:
    """The values in some type and container; and what they are in it."""
    kind = str(rng.choice(FLOATS if rng.random() < 0.8 else WHOLE))
    with np.errstate(all="ignore"):
        if kind in WHOLE:
            values = np.nan_to_num(np.clip(np.rint(values), 0 if kind in ("u2", "u8", "?") else -100, 100))
        array = values.astype(kind)
    numbers = array.astype(np.float64)
    forms: dict[str, Callable[[], Any]] = {
        "array": lambda: array,
        "Fortran": lambda: np.asfortranarray(array),
        "every other": lambda: np.repeat(np.repeat(array, 2, axis=0), 2, axis=1)[::2, ::2],
        "backwards": lambda: array[::-1, ::-1].copy()[::-1, ::-1],
        "read-only": lambda: _read_only(array),
        "lists": lambda: array.tolist(),
        "objects": lambda: array.astype(object),
        "frame": lambda: pd.DataFrame(
            array.astype(array.dtype.newbyteorder("=")), columns=_names("z", array)
        ),
        "masked": lambda: np.ma.masked_array(array, mask=np.zeros(array.shape, bool)),
        "matrix": lambda: np.matrix(array),
        "sparse": lambda: csr_array(array),
        "polars": lambda: _polars(array),
    }
    form = str(rng.choice(list(forms)))
    if form in ("frame", "sparse", "polars") and kind in ("f2", "longdouble", ">f8", "?"):
        form = "array"
    return forms[form](), numbers, f"{kind} {form}"


def _polars(array: np.ndarray) -> Any:
    import polars

    return polars.DataFrame({name: array[:, place] for place, name in enumerate(_names("z", array))})


def _read_only(array: np.ndarray) -> np.ndarray:
    array = array.copy()
    array.flags.writeable = False
    return array


def _names(stem: str, array: np.ndarray) -> list[str]:
    return [f"{stem}{place}" for place in range(array.shape[1])]


def factor_column(rng: np.random.Generator, rows: int, latent: np.ndarray) -> tuple[Any, list[Any], str]:
    """One column of N values in its own type, and what they mean: labels, or numbers."""
    few = rng.integers(0, rng.integers(1, 7), rows)
    kind = str(rng.choice(COLUMNS))
    if kind == "few":
        column: Any = few.astype(rng.choice(["i8", "i2", "u1"]))
    elif kind == "negative":
        column = few * 7 - 11
    elif kind == "huge":
        column = few + 2 ** int(rng.integers(53, 62))
    elif kind == "unsigned":
        column = few.astype("u8") + np.uint64(2**63)
    elif kind == "text":
        column = np.array(["red", "Grün", "", "3", "3.0", " x", "NaN"])[few]
    elif kind == "flags":
        column = few > 1
    elif kind == "whole floats":
        column = few.astype(rng.choice(["f2", "f4", "f8"]))
    elif kind == "halves":
        column = few / 2
    elif kind == "twins":  # equal but for rounding
        column = few * 0.1 + 0.3 * (1 + rng.integers(0, 3, rows) * np.finfo(float).eps)
        return column, few.tolist(), kind
    elif kind == "rare":
        column = (np.arange(rows) == 0).astype(int)
    elif kind == "constant":
        column = np.full(rows, rng.choice([0.0, 1e-310, 1e300, -7.5]))
    elif kind == "different":
        column = rng.permutation(rows)
    elif kind == "counts":
        column = rng.poisson(3, rows)
    elif kind == "categorical":
        column = pd.Series(pd.Categorical.from_codes(few, list("abcdefg"), ordered=bool(rng.integers(2))))
        return column, [str(value) for value in column], kind
    elif kind == "python":
        column = np.array([int(value) + 10**30 for value in few], dtype=object)
    else:
        with np.errstate(all="ignore"):
            scale = 10.0 ** rng.choice([0, 0, rng.uniform(-320, -290), rng.uniform(100, 306)])
            column = (np.tanh(latent) + rng.normal(size=rows) / 5) * scale
            column = column + rng.choice([0, 0, 10.0 ** rng.uniform(3, 12)]) * (scale == 1)
    return column, column.tolist(), kind


def odd_arrays(seed: int, start: int, stop: int) -> Iterator[Odd]:
    """The inputs of these numbers; each depends on the seed and its own number alone."""
    for number in range(start, stop):
        yield _odd(np.random.default_rng([seed, number]))


def _odd(rng: np.random.Generator) -> Odd:
    rows = int(rng.choice([1, 2, 3, rng.integers(4, 40), rng.integers(4, 40), rng.integers(40, 400)]))
    values, words = latent_values(rng, rows, int(rng.integers(1, 6)))
    latents, numbers, form = as_latents(rng, values)
    words = f"{rows} rows; {words}; {form}"
    options: dict[str, Any] = {"missing": str(rng.choice(["raise", "drop"]))}
    if rng.random() < 0.2 and isinstance(latents, np.ndarray) and latents.dtype.kind == "f":
        latents, numbers, hole = _with_holes(rng, latents, numbers)
        words += f" {hole}"
    usual = np.where(np.isfinite(values[:, 0]) & (np.abs(values[:, 0]) < 1e60), values[:, 0], 0.0)
    columns, labels = [], []
    for _ in range(int(rng.integers(1, 5))):
        column, meaning, kind = factor_column(rng, rows, usual)
        columns.append(column)
        labels.append(meaning)
        words += f"; {kind}"
    factors = _as_factors(rng, columns)
    if rng.random() < 0.25 and isinstance(factors, pd.DataFrame):
        factors, labels = _without_values(rng, factors, labels)
        words += " with gaps"
    finite = np.isfinite(numbers)
    complete = finite.all(axis=1)
    refused = bool((np.abs(numbers[finite]) > 1e150).any())
    if options["missing"] == "raise":
        refused |= not finite.all() or any(label is None for column in labels for label in column)
    else:
        refused |= not complete.any()
        refused |= any(all(column[n] is None for n in np.flatnonzero(complete)) for column in labels)
    dtype = getattr(latents, "dtype", None)
    single = dtype is not None and dtype.kind == "f" and dtype.itemsize < 8
    if not isinstance(latents, np.ndarray) and hasattr(latents, "columns"):
        single = form.startswith(("f4", "<f4"))
    return Odd(latents, factors, numbers, labels, options, refused, words, single)


def _with_holes(
    rng: np.random.Generator, latents: np.ndarray, numbers: np.ndarray
) -> tuple[np.ndarray, np.ndarray, str]:
    holes = rng.random(numbers.shape) < rng.choice([0.02, 0.3, 1.0])
    numbers = np.where(holes, np.nan, numbers)
    if isinstance(latents, np.ma.MaskedArray):
        return np.ma.masked_array(latents, mask=holes), numbers, "masked"
    bad = float(rng.choice([np.nan, np.inf, -np.inf]))
    return np.where(holes, np.array(bad, latents.dtype), np.asarray(latents)), numbers, str(bad)


def _as_factors(rng: np.random.Generator, columns: Sequence[Any]) -> Any:
    dtypes = {str(getattr(column, "dtype", "")) for column in columns}
    if len(dtypes) == 1 and "category" not in dtypes and rng.random() < 0.7:
        table = np.stack(columns, axis=1)
        return np.asfortranarray(table) if rng.random() < 0.3 else table
    frame = pd.DataFrame({f"v{place}": column for place, column in enumerate(columns)})
    whole = all(column.dtype.kind in "biuO" for column in columns)
    if whole and rng.random() < 0.2:
        return frame.to_numpy(dtype=object).tolist()
    return frame.convert_dtypes() if rng.random() < 0.2 else frame


def _without_values(
    rng: np.random.Generator, frame: pd.DataFrame, labels: list[list[Any]]
) -> tuple[pd.DataFrame, list[list[Any]]]:
    place = int(rng.integers(len(labels)))
    gone = rng.random(len(frame)) < rng.choice([0.1, 0.5, 1.0])
    column = frame.iloc[:, place]
    if column.dtype.kind in "iub" and isinstance(column.dtype, np.dtype):
        column = column.astype(object)
    frame = frame.copy()
    frame[frame.columns[place]] = column.where(~gone, None)
    labels = [list(meaning) for meaning in labels]
    labels[place] = [None if gap else label for gap, label in zip(gone, labels[place], strict=True)]
    return frame, labels


def outcome(odd: Odd, metrics: Sequence[Any] | None = METRICS, compare: bool = True) -> str:
    """What came of it: "refused", "scored" or "scored, with values on an edge"; else what is wrong."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", dm.ScoreWarning)
            report = dm.score(odd.latents, odd.factors, metrics=metrics, anchors=False, **odd.options)
    except dm.InputError as error:
        if "\n" in str(error) or len(str(error)) > 600:
            return f"WRONG: a refusal of {len(str(error))} letters"
        return "refused" if odd.refused else f"WRONG: refused: {error}"
    except Exception as error:  # whatever it is, it is what is looked for
        return f"WRONG: {type(error).__name__}: {error}"
    if odd.refused:
        return "WRONG: scored what has to be refused"
    for key, score in report.items():
        if not math.isfinite(score.value) and not score.reason:
            return f"WRONG: {key} is {score.value} without a reason"
        if "failed" in score.reason or "is not a number" in score.reason:
            return f"WRONG: {key}: {score.reason}"
    return _compared(odd, report) if compare else "scored"


def _compared(odd: Odd, report: dm.Report) -> str:
    kinds = report["jemmig"].signature.partition("|kinds:")[2].partition("|")[0]
    values, on_edge = reference(odd.numbers, odd.labels, kinds, single=odd.single)
    for key, want in values.items():
        got = report[key].value
        if (want is None) != math.isnan(got):
            return f"WRONG: {key} is {got} ({report[key].reason}) for {want}"
        if want is not None and abs(got - want) > 1e-9 and not on_edge:
            return f"WRONG: {key} is {got} for {want}"
    return "scored, with values on an edge" if on_edge else "scored"


def main() -> None:
    """Make inputs, score them, print how many came to what, and each that is wrong with its number."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=1_000)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    stop = arguments.start + arguments.inputs
    tally: Counter[str] = Counter()
    suites = 0
    for number, odd in enumerate(odd_arrays(arguments.seed, arguments.start, stop), arguments.start):
        result = outcome(odd)
        if number % SUITE == 0 and result.startswith("scored"):  # the whole suite now and then
            suites += 1
            suite = outcome(odd, metrics=None, compare=False)
            result = suite if suite.startswith("WRONG") else result
        tally["WRONG" if result.startswith("WRONG") else result] += 1
        if result.startswith("WRONG"):
            print(f"{number}: {odd.words} ({odd.options}): {result}")
    counts = ", ".join(f"{count:,} {name}" for name, count in tally.items())
    print(f"{arguments.inputs:,} inputs: {counts}; {suites:,} of them with the whole suite too")


if __name__ == "__main__":
    main()
