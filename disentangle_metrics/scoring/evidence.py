"""What a report with intervals keeps, so that the difference to another report can have an interval too.

The scores on each resample, and what scores of votes counted. Two reports whose resamples have the same
rows, seed and kind drew the same rows for each number: what one scored more than the other on these is one
draw of the difference.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from disentangle_metrics.metrics.definition import MetricValue, VoteCount

if TYPE_CHECKING:
    from disentangle_metrics.inputs.inputs import Inputs
    from disentangle_metrics.scoring.intervals import Plan

DIGITS = 9  # of a score on a resample: far more than its scatter, and half the size


@dataclass(frozen=True)
class Resampled:
    """A score on each resample of the rows.

    Attributes
    ----------
    interval
        The kind of resamples, "bootstrap" or "subsample".
    probes
        Whether probes were trained anew on each; then only deviations from the mean count.
    scores
        One for each resample, in the order drawn; NaN where it has no value.
    """

    interval: str
    probes: bool
    scores: tuple[float, ...]


@dataclass(frozen=True)
class Evidence:
    """What the differences of two reports are judged by.

    Attributes
    ----------
    rows
        A digest of the factors' values, row by row; empty without factors. Reports whose digests are equal
        scored the same samples in the same order.
    seed
        That of the resamples.
    resampled
        The scores on each resample, by key.
    votes
        What scores of votes counted, by key.
    """

    rows: str
    seed: int
    resampled: Mapping[str, Resampled] = field(default_factory=dict)
    votes: Mapping[str, VoteCount] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As plain Python values, ready for JSON; the scores of each key as one line of text."""
        lines = {
            key: {
                "interval": item.interval,
                "probes": item.probes,
                "scores": " ".join(f"{score:.{DIGITS}g}" for score in item.scores),
            }
            for key, item in self.resampled.items()
        }
        votes = {key: asdict(count) for key, count in self.votes.items()}
        return {"rows": self.rows, "seed": self.seed, "resampled": lines, "votes": votes}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Evidence:
        """The evidence that :meth:`to_dict` wrote."""
        resampled = {
            key: Resampled(item["interval"], item["probes"], tuple(map(float, item["scores"].split())))
            for key, item in values["resampled"].items()
        }
        votes = {key: VoteCount(**count) for key, count in values["votes"].items()}
        return cls(values["rows"], values["seed"], resampled, votes)


def keep(
    inputs: Inputs,
    seed: int,
    values: Mapping[str, MetricValue],
    resampled: Sequence[tuple[Plan, Sequence[Mapping[str, float]]]],
    with_interval: Mapping[str, Any],
) -> Evidence:
    """The evidence of the scores that have an interval.

    Parameters
    ----------
    values
        The scores on all rows, by key.
    resampled
        Each plan, and the scores on each of its resamples.
    with_interval
        Whose keys are those of the scores with an interval.
    """
    kept: dict[str, Resampled] = {}
    for plan, runs in resampled:
        keys = [score.key for request in plan.requests for score in request.scores]
        for key in keys:
            if key in with_interval:
                scores = tuple(float(f"{scores[key]:.{DIGITS}g}") for scores in runs)
                kept[key] = Resampled(plan.interval, plan.probes, scores)
    votes = {
        key: count
        for key, value in values.items()
        if key in with_interval and (count := value.vote_count) is not None
    }
    return Evidence(digest_of_rows(inputs), int(seed), kept, votes)


def digest_of_rows(inputs: Inputs) -> str:
    """A digest of which value each factor has in each row; empty without factors."""
    if not inputs.factors:
        return ""
    digest = hashlib.sha256()
    for factor in inputs.factors:
        column = factor.codes if factor.codes is not None else factor.values
        kind = np.float64 if factor.codes is None else np.int64
        digest.update(np.ascontiguousarray(column, dtype=kind).tobytes())
    return f"sha256-{digest.hexdigest()[:16]}"
