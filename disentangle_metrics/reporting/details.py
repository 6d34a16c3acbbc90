"""The tables behind the scores: which a score was read from, each once, cut to what a page can show."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from disentangle_metrics.scoring.report import Report, Score

MOST_ROWS = 40  # latents shown of one table
MOST_COLUMNS = 40


@dataclass(frozen=True)
class DetailTable:
    """A table of latents by factors, or one column of either, that scores were read from.

    Attributes
    ----------
    name
        As in the score's details, with spaces: "mutual information".
    scores
        Keys of the scores that have it.
    frame
        The numbers.
    left_out
        Rows and columns that are not shown, as text; empty if all are.
    """

    name: str
    scores: tuple[str, ...]
    frame: pd.DataFrame
    left_out: str


def detail_tables(report: Report) -> list[DetailTable]:
    """The tables of all scores: those of latents by factors, then what single factors and latents score."""
    named: dict[tuple[str, bytes], tuple[str, Any, list[str]]] = {}
    for score in report.values():
        for name, frame in _tables(score):
            content = (name, frame.to_csv().encode())
            named.setdefault(content, (name, frame, []))[2].append(score.key)
    tables = [_cut(name, frame, keys) for name, frame, keys in named.values()]
    return [*tables, *_parts(report)]


def latents_by_factors(score: Score) -> dict[str, pd.DataFrame]:
    """The score's tables of latents (rows) by factors (columns), by name."""
    return {name: item for name, item in score.details.items() if hasattr(item, "columns")}


def shares_of_largest(frame: pd.DataFrame) -> list[list[float]]:
    """Each cell as a share of the table's largest, 0 .. 1: how dark it is; 0 for NaN and below 0."""
    values = frame.to_numpy(dtype=float)
    largest = max((value for value in values.ravel() if math.isfinite(value)), default=0.0)
    return [
        [value / largest if largest > 0 and math.isfinite(value) and value > 0 else 0.0 for value in row]
        for row in values
    ]


def _tables(score: Score) -> Iterator[tuple[str, pd.DataFrame]]:
    for name, item in score.details.items():
        if hasattr(item, "columns"):
            yield name.replace("_", " "), item
        elif hasattr(item, "index") and hasattr(item, "to_frame"):
            yield name.replace("_", " "), item.to_frame(name="value")


def _parts(report: Report) -> Iterator[DetailTable]:
    import pandas as pd

    each = "score of each unit" if report.groups else "score of each latent"
    for attribute, name in (("per_factor", "score of each factor"), ("per_latent", each)):
        parts = {
            key: part for key, score in report.items() if (part := getattr(score, attribute)) is not None
        }
        if parts:
            yield _cut(name, pd.DataFrame(parts).T, list(parts))


def _cut(name: str, frame: pd.DataFrame, keys: list[str]) -> DetailTable:
    rows, columns = frame.shape
    left_out = []
    if rows > MOST_ROWS:
        strongest = frame.abs().max(axis=1).nlargest(MOST_ROWS).index
        frame = frame.loc[[row for row in frame.index if row in set(strongest)]]
        left_out.append(f"the {MOST_ROWS} rows with the largest numbers of {rows:,} are shown")
    if columns > MOST_COLUMNS:
        frame = frame.iloc[:, :MOST_COLUMNS]
        left_out.append(f"the first {MOST_COLUMNS} columns of {columns:,} are shown")
    return DetailTable(name, tuple(keys), frame, "; ".join(left_out))
