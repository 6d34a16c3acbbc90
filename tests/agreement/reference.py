"""The recorded values of the public implementations, by case, peer and metric."""

from __future__ import annotations

import functools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FOLDER = Path(__file__).parents[1] / "data" / "reference"


@functools.cache
def values() -> dict[str, Any]:
    """Everything recorded."""
    return json.loads((FOLDER / "values.json").read_text(encoding="utf-8"))


CASES = tuple(values()["cases"])


@functools.cache
def arrays(case: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Latents and factors of a case."""
    with np.load(FOLDER / values()["cases"][case]["input"]["path"]) as file:
        return file["latents"], file["factors"]


def found(case: str, peer: str, metric: str, **parameters: Any) -> list[dict[str, Any]]:
    """The records of a case by peer, metric and parameters; those in which the peer failed are left out."""
    return [
        record
        for record in values()["cases"][case]["results"]
        if record["peer"] == peer
        and record["metric"] == metric
        and "error" not in record
        and all(record["params"].get(name) == value for name, value in parameters.items())
    ]


def records(peer: str, metric: str, **parameters: Any) -> list[Any]:
    """Every (case, record) of a peer and metric, for ``pytest.mark.parametrize``.

    Raises
    ------
    LookupError
        If there is none: a test over no case would always pass.
    """
    pairs = [(case, record) for case in CASES for record in found(case, peer, metric, **parameters)]
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
