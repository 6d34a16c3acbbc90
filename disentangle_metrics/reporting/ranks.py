"""Who is first: representations ranked by each score, and their mean rank over the scores of a property."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from disentangle_metrics.reporting.view import SIZE, by_property

if TYPE_CHECKING:
    from disentangle_metrics.scoring.report import Score


@dataclass(frozen=True)
class PropertyRanks:
    """The mean ranks of representations over the scores of one property.

    Attributes
    ----------
    property
        What the scores measure.
    keys
        The scores that every representation has a value of.
    mean
        The mean rank of each representation over these, by name; 1 is best.
    """

    property: str
    keys: tuple[str, ...]
    mean: Mapping[str, float]


def first_scores(reports: Mapping[str, Mapping[str, Score]]) -> dict[str, Score]:
    """Every score that some report has, by key: the first that has a value, or else the first."""
    scores: dict[str, Score] = {}
    for report in reports.values():
        for key, score in report.items():
            if key not in scores or (math.isnan(scores[key].value) and not math.isnan(score.value)):
                scores[key] = score
    return scores


def ranks(scores: Sequence[Score]) -> list[float]:
    """The rank of each of several scores of one key: 1 is best.

    Values that are equal to 12 digits share their mean rank.
    """
    sign = 1 if scores[0].direction == "up" else -1
    values = [float(f"{sign * score.value:.12g}") for score in scores]  # sums differ in their last bits
    return [
        1 + sum(other > value for other in values) + (sum(other == value for other in values) - 1) / 2
        for value in values
    ]


def mean_ranks(reports: Mapping[str, Mapping[str, Score]]) -> list[PropertyRanks]:
    """For each property the mean ranks of the representations over its scores.

    A score that some representation has no value of takes no part, nor does one of which neither more nor
    less is better. A property without any other score is left out, and so is everything if there are
    fewer than two representations.
    """
    if len(reports) < 2:
        return []
    found = []
    for title, scores in by_property(first_scores(reports).values()):
        keys = tuple(
            score.key for score in scores if score.property != SIZE and _all_have(score.key, reports)
        )
        if keys:
            by_key = [ranks([report[key] for report in reports.values()]) for key in keys]
            mean = {name: math.fsum(row) / len(keys)
                    for name, row in zip(reports, zip(*by_key, strict=True), strict=True)}  # fmt: skip
            found.append(PropertyRanks(title, keys, mean))
    return found


def _all_have(key: str, reports: Mapping[str, Mapping[str, Score]]) -> bool:
    return all(key in report and not math.isnan(report[key].value) for report in reports.values())
