"""The tables behind the scores: which a score was read from, each once, cut to what a page can show."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from disentangle_metrics.metrics.lookup import without_settings

if TYPE_CHECKING:
    import pandas as pd

    from disentangle_metrics.scoring.report import Report, Score

MOST_ROWS = 40  # latents shown of one table
MOST_COLUMNS = 40


def _less_from_1(frame: pd.DataFrame) -> pd.DataFrame:
    return 1.0 - frame


def _less_from_largest(frame: pd.DataFrame) -> pd.DataFrame:
    largest = frame.max(axis=1)  # of a latent: what it is where nothing is held fixed, about
    return frame.rsub(largest, axis=0).div(largest.where(largest > 0, 1.0), axis=0)


def _without_sign(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.abs()


@dataclass(frozen=True)
class Reading:
    """How a table of latents by factors is read in which the larger number is not the stronger pair.

    Attributes
    ----------
    strength
        From the numbers to numbers that are larger for a stronger pair.
    name
        What these are.
    darkest
        What has the darkest cells.
    """

    strength: Callable[[pd.DataFrame], pd.DataFrame]
    name: str
    darkest: str


READINGS: Mapping[tuple[str, str], Reading] = {  # by the score and the name of the table in its details
    ("d_lsbd", "error"): Reading(_less_from_1, "1 - error", "the smallest numbers"),
    ("t_mex", "p"): Reading(_less_from_1, "1 - p", "the smallest numbers"),
    ("orthogonality", "map"): Reading(_without_sign, "size of the map", "the numbers farthest from 0"),
    ("mcc", "matching"): Reading(_without_sign, "size of the matching", "the numbers farthest from 0"),
    ("beta_vae", "mean_distance"): Reading(
        _less_from_largest,
        "share that the mean distance falls",
        "the numbers that are smallest beside the largest of their row",
    ),
}


def reading_of(score: Score, name: str) -> Reading | None:
    """How a table of a score is read; None if its larger numbers are of the stronger pairs."""
    return READINGS.get((without_settings(score.key), name))


def strength(frame: pd.DataFrame, reading: Reading | None) -> pd.DataFrame:
    """A table of latents by factors as numbers that are larger for a stronger pair; NaN stays."""
    return frame if reading is None else reading.strength(frame)


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
    strength
        As dark as its cells are: the numbers, or larger ones for stronger pairs.
    darkest
        What has the darkest cells, as text; empty if the largest numbers have.
    left_out
        Rows and columns that are not shown, as text; empty if all are.
    """

    name: str
    scores: tuple[str, ...]
    frame: pd.DataFrame
    strength: pd.DataFrame
    darkest: str
    left_out: str


def detail_tables(report: Report) -> list[DetailTable]:
    """The tables of all scores: those of latents by factors, then what single factors and latents score."""
    named: dict[tuple[str, Reading | None, bytes], tuple[Any, list[str]]] = {}
    for score in report.values():
        for name, frame in _tables(score):
            content = (name, reading_of(score, name), frame.to_csv().encode())
            named.setdefault(content, (frame, []))[1].append(score.key)
    tables = [_cut(name, frame, keys, reading) for (name, reading, _), (frame, keys) in named.items()]
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
            yield name, item
        elif hasattr(item, "index") and hasattr(item, "to_frame"):
            yield name, item.to_frame(name="value")


def _parts(report: Report) -> Iterator[DetailTable]:
    import pandas as pd

    each = "score of each unit" if report.groups else "score of each latent"
    for attribute, name in (("per_factor", "score of each factor"), ("per_latent", each)):
        parts = {
            key: part for key, score in report.items() if (part := getattr(score, attribute)) is not None
        }
        if parts:
            yield _cut(name, pd.DataFrame(parts).T, list(parts))


def _cut(name: str, frame: pd.DataFrame, keys: list[str], reading: Reading | None = None) -> DetailTable:
    rows, columns = frame.shape
    shades = strength(frame, reading)
    left_out = []
    if rows > MOST_ROWS:
        strongest = set(shades.abs().max(axis=1).nlargest(MOST_ROWS).index)
        kept = [row for row in frame.index if row in strongest]
        frame, shades = frame.loc[kept], shades.loc[kept]
        largest = "largest numbers" if reading is None else "darkest cells"
        left_out.append(f"the {MOST_ROWS} rows with the {largest} of {rows:,} are shown")
    if columns > MOST_COLUMNS:
        frame, shades = frame.iloc[:, :MOST_COLUMNS], shades.iloc[:, :MOST_COLUMNS]
        left_out.append(f"the first {MOST_COLUMNS} columns of {columns:,} are shown")
    darkest = "" if reading is None else f"The darkest cells have {reading.darkest}."
    return DetailTable(name.replace("_", " "), tuple(keys), frame, shades, darkest, "; ".join(left_out))
