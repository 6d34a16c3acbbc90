"""What columns say of factors is the same in batches as in the whole table that `score` is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import disentangle_metrics as dm

N = 240
RNG = np.random.default_rng(0)
CODES = RNG.integers(0, [4, 12], (N, 2))
LATENTS = CODES + 0.3 * RNG.normal(size=(N, 2))
SIZES = ["small", "medium", "large", "xl"]
LABELS = np.arange(N) // 60 * 30 + RNG.integers(0, 30, N)  # 30 of its own in each batch
WORDS = np.array(SIZES)[CODES[:, 0]]
MASKED = np.ma.array(CODES, mask=np.stack([np.arange(N) % 6 == 0, np.zeros(N, bool)], axis=1))
PLACES = [slice(start, start + 60) for start in range(0, N, 60)]
SCORES: dict[str, Any] = {"metrics": ["mig", "mcc"], "anchors": False}
pytestmark = pytest.mark.filterwarnings("ignore")


def ordered(part: slice) -> pd.Categorical:
    return pd.Categorical(WORDS[part], categories=SIZES, ordered=True)


def by_name(part: slice) -> dict[str, Any]:
    return {"size": ordered(part), "count": CODES[part, 1]}


# Of a batch, and of the whole for `score`.
FORMS: dict[str, tuple[Callable[[slice], Any], Callable[[slice], Any]]] = {
    "masked table": (lambda part: MASKED[part], lambda part: MASKED[part]),
    "masked columns": (
        lambda part: {"a": MASKED[part, 0], "b": MASKED[part, 1]},
        lambda part: MASKED[part],
    ),
    "list of masked columns": (lambda part: list(MASKED[part].T), lambda part: MASKED[part]),
    "ordered in a frame": (lambda part: pd.DataFrame(by_name(part)), by_name),
    "ordered by name": (by_name, by_name),
    "ordered of polars": (
        lambda part: pl.DataFrame(
            {"size": pl.Series(WORDS[part].tolist(), dtype=pl.Enum(SIZES)), "count": CODES[part, 1]}
        ),
        by_name,
    ),
    "ordered alone": (lambda part: pd.Series(ordered(part)), lambda part: {"size": ordered(part)}),
    "cells alone": (lambda part: WORDS[part].tolist(), lambda part: {"a": WORDS[part]}),
    "unordered, of each batch": (
        lambda part: {"label": pd.Categorical(LABELS[part]), "count": CODES[part, 1]},
        lambda part: {"label": pd.Categorical(LABELS[part]), "count": CODES[part, 1]},
    ),
    "names and numbers": (
        lambda part: (WORDS[part], CODES[part, 1], LATENTS[part, 0]),
        lambda part: {"a": WORDS[part], "b": CODES[part, 1], "c": LATENTS[part, 0]},
    ),
    "rows of names and numbers": (
        lambda part: [[word, int(count)] for word, count in zip(WORDS[part], CODES[part, 1], strict=True)],
        lambda part: {"a": WORDS[part], "b": CODES[part, 1]},
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_batches_score_as_the_whole(form: str) -> None:
    of_batch, of_all = FORMS[form]
    batches = [(LATENTS[part], of_batch(part)) for part in PLACES]
    if "masked" in form:
        with pytest.raises(dm.InputError, match=r"missing or infinite value in row 0 \(40 in all\)"):
            dm.evaluate(lambda inputs: inputs, batches, **SCORES)
    report = dm.evaluate(lambda inputs: inputs, batches, missing="drop", **SCORES)
    expected = dm.score(LATENTS, of_all(slice(0, N)), missing="drop", **SCORES)
    assert report.scalars() == expected.scalars()
    assert [score.signature for score in report.values()] == [s.signature for s in expected.values()]
    if form in ("ordered in a frame", "ordered by name", "ordered of polars"):
        assert report.factor_names == ("size", "count")


def test_batches_without_rows_add_none() -> None:
    batches = [(LATENTS[part], CODES[part]) for part in (slice(0, 0), slice(0, N), slice(0, 0))]
    report = dm.evaluate(lambda inputs: inputs, batches, **SCORES)
    assert report.scalars() == dm.score(LATENTS, CODES, **SCORES).scalars()


DECIMALS = np.array([0.1, 0.2, 0.3, 0.4])[CODES[:, :1]]


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (
            DECIMALS,
            DECIMALS.astype(np.float32),
            "factor_0' is float64 in one batch .* and float32 in another",
        ),
        (
            {"a": DECIMALS[:, 0]},
            {"a": DECIMALS[:, 0].astype(np.float32)},
            "'a' is float64 in one batch .* and float32",
        ),
        (CODES, CODES.astype(str), "factor_0' is int64 in one batch .* and <U"),
        (
            {"a": ordered(slice(0, N))},
            {"a": ordered(slice(0, N)).reorder_categories(SIZES[::-1])},
            "other categories",
        ),
        ({"a": ordered(slice(0, N))}, {"a": WORDS}, "'a' is category in one batch"),
        ({"a": CODES[:, 0]}, {"b": CODES[:, 0]}, "different factors"),
        (CODES, {"a": CODES[:, 0], "b": CODES[:, 1]}, "different factors"),
    ],
)
def test_columns_that_do_not_go_together_are_refused(first: Any, second: Any, message: str) -> None:
    with pytest.raises(dm.InputError, match=message):
        dm.evaluate(lambda inputs: inputs, [(LATENTS, first), (LATENTS, second)], **SCORES)
