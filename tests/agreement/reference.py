"""The recorded values of the public implementations, by case, peer and metric."""

from __future__ import annotations

import functools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FOLDERS = tuple(Path(__file__).parents[1] / "data" / name for name in ("reference", "reference2", "cebra"))


@functools.cache
def recorded(folder: Path) -> dict[str, Any]:
    """Everything one folder records."""
    return json.loads((folder / "values.json").read_text(encoding="utf-8"))


@functools.cache
def values() -> dict[str, Any]:
    """Everything recorded: the cases of all folders, and all results of a case that several have."""
    first, *others = (recorded(folder) for folder in FOLDERS)
    cases = dict(first["cases"])
    for name, case in (pair for other in others for pair in other["cases"].items()):
        results = cases[name]["results"] if name in cases else []
        cases[name] = {**cases.get(name, case), "results": [*results, *case["results"]]}
    return {**first, "cases": cases}


CASES = tuple(recorded(FOLDERS[0])["cases"])
MADE_CASES = tuple(name for name in recorded(FOLDERS[1])["cases"] if name not in CASES)
"""Sweeps, rare classes, hierarchies, circles and linear maps, for the second nine implementations alone."""


@functools.cache
def arrays(case: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[Any]]:
    """Latents (N, D) and factors (N, K) of a case; those of some made cases are measurements."""
    folder = FOLDERS[case in MADE_CASES]
    with np.load(folder / values()["cases"][case]["input"]["path"]) as file:
        return file["latents"], file["factors"]


def found(case: str, peer: str, metric: str, **parameters: Any) -> list[dict[str, Any]]:
    """The records of a case by peer, metric and parameters; those in which the peer gave none are left out."""
    return [
        record
        for record in values()["cases"][case]["results"]
        if record["peer"] == peer
        and record["metric"] == metric
        and "error" not in record
        and "skipped" not in record
        and all(record["params"].get(name) == value for name, value in parameters.items())
    ]


def records(peer: str, metric: str, **parameters: Any) -> list[Any]:
    """Every (case, record) of a peer and metric, for ``pytest.mark.parametrize``.

    Raises
    ------
    LookupError
        If there is none: a test over no case would always pass.
    """
    every = (*CASES, *MADE_CASES)
    pairs = [(case, record) for case in every for record in found(case, peer, metric, **parameters)]
    if not pairs:
        raise LookupError(f"no record of {peer} {metric} {parameters}")
    return pairs


def ids(pairs: list[Any]) -> list[str]:
    """Readable names for the parametrised cases."""
    return [f"{case}-{index}" for index, (case, _) in enumerate(pairs)]


def numbers(value: Any) -> npt.NDArray[np.float64]:
    """A recorded vector or table as an array; "NaN" and "Infinity" were written as strings."""
    if isinstance(value, list):
        return np.array([numbers(item) for item in value])
    return np.float64(math.nan if value == "NaN" else float(value))


def first_rows_train(rows: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The split of the reference runs: the first ceil(2 N / 3) rows train, the rest test."""
    train = math.ceil(2 * rows / 3)
    return np.arange(train), np.arange(train, rows)
