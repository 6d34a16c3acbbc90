"""The difference of two scores: its interval, and p of no difference.

- *Resamples* (bootstrap and half samples): the difference on each resample is one draw. Where both reports
  drew the same rows, the draws are paired, and what the rows do to both scores cancels. The interval is
  Student's, around the difference less its bias of few rows: 2 d - mean(d*), with the deviation of the draws
  d*. For probes it is around d, as in :mod:`disentangle_metrics.scoring.intervals`. p is of the same t, so
  that the two agree. A share of 200 resamples could not be below 0.005, which no correction for many tests
  survives.
- *Votes*: Newcombe's interval of a difference of two shares, from Wilson's intervals. p is that of the pooled
  test of two shares. Both are about more votes on these rows.
- *Runs*: Student's t of the differences of paired runs; without pairs Welch's.

References
----------
Davison, Hinkley. Bootstrap methods and their application. 1997, section 2.4.
Newcombe. Interval estimation for the difference between independent proportions. Statistics in Medicine 1998,
method 10.
Welch. The generalization of "Student's" problem when several different population variances are involved.
Biometrika 1947.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.metrics.definition import VoteCount
from disentangle_metrics.scoring.evidence import Resampled
from disentangle_metrics.scoring.intervals import wilson

FEWEST_RUNS = 3  # of each: two against two tell next to nothing
NO_SPREAD = 1e-12  # a deviation that is rounding alone

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Tested:
    """A difference, second score minus first, with what is known of it.

    Attributes
    ----------
    corrected
        The estimate that the interval is around.
    interval
        Confidence interval (low, high).
    p
        Two-sided, of no difference; not corrected for the number of tests.
    method
        "same rows", "other rows", "votes", "paired runs" or "runs".
    count
        Resamples, votes of both, or runs of both.
    """

    corrected: float
    interval: tuple[float, float]
    p: float
    method: str
    count: int


class NoInterval(Exception):
    """Why a difference has no interval, in words."""


def of_resamples(
    values: tuple[float, float], kept: tuple[Resampled, Resampled], confidence: float, *, paired: bool
) -> Tested:
    """The difference of two scores whose resamples were kept.

    Parameters
    ----------
    values
        Both scores on all rows.
    paired
        Whether the resamples of both drew the same rows.

    Raises
    ------
    NoInterval
        If nothing scatters.
    """
    first, second = (np.array(item.scores) for item in kept)
    probes = kept[0].probes
    if paired:
        count = min(len(first), len(second))
        drawn = second[:count] - first[:count]
        drawn = drawn[~np.isnan(drawn)]
        return _student(
            values[1] - values[0],
            drawn,
            confidence,
            method="same rows",
            total=len(drawn),
            reflected=not probes,
        )
    samples = [draws[~np.isnan(draws)] for draws in (first, second)]
    centre = values[1] - values[0]
    if not probes:
        centre = (2 * values[1] - samples[1].mean()) - (2 * values[0] - samples[0].mean())
    variances = [draws.var(ddof=1) * (1 + 1 / len(draws)) for draws in samples]
    freedoms = [len(draws) - 1 for draws in samples]
    return _welch(float(centre), variances, freedoms, confidence, "other rows", sum(map(len, samples)))


def of_votes(counts: tuple[VoteCount, VoteCount], confidence: float) -> Tested:
    """The difference of two scores of votes.

    Raises
    ------
    NoInterval
        If they guess right by chance in unequal shares, so that votes cannot be pooled.
    """
    if not math.isclose(counts[0].guess, counts[1].guess):
        raise NoInterval("the two score votes on other scales")
    scale = 1 - counts[0].guess
    shares = [count.right / count.votes for count in counts]
    scores = [(share - count.guess) / scale for share, count in zip(shares, counts, strict=True)]
    (low_1, high_1), (low_2, high_2) = (wilson(count, confidence) for count in counts)
    difference = scores[1] - scores[0]
    low = difference - math.hypot(scores[1] - low_2, high_1 - scores[0])
    high = difference + math.hypot(high_2 - scores[1], scores[0] - low_1)
    pooled = sum(count.right for count in counts) / sum(count.votes for count in counts)
    error = math.sqrt(pooled * (1 - pooled) * sum(1 / count.votes for count in counts))
    p = math.erfc(abs(shares[1] - shares[0]) / error / math.sqrt(2)) if error else 1.0
    return Tested(difference, (low, high), p, "votes", sum(count.votes for count in counts))


def of_runs(first: Sequence[float], second: Sequence[float], confidence: float, *, paired: bool) -> Tested:
    """The difference of two means over runs.

    Raises
    ------
    NoInterval
        If there are fewer than three runs of either, or nothing scatters.
    """
    values = [np.array(runs, dtype=float) for runs in (first, second)]
    if paired:
        drawn = values[1] - values[0]
        drawn = drawn[~np.isnan(drawn)]
        if len(drawn) < FEWEST_RUNS:
            have = "1 pair of runs has" if len(drawn) == 1 else f"{len(drawn)} pairs of runs have"
            raise NoInterval(f"{have} a value in both; at least {FEWEST_RUNS} are needed")
        return _student(
            float(drawn.mean()), drawn, confidence, method="paired runs", total=2 * len(drawn), of_mean=True
        )
    values = [runs[~np.isnan(runs)] for runs in values]
    if min(map(len, values)) < FEWEST_RUNS:
        fewest = min(map(len, values))
        raise NoInterval(f"one has {fewest} runs with a value; at least {FEWEST_RUNS} of each are needed")
    variances = [runs.var(ddof=1) / len(runs) for runs in values]
    freedoms = [len(runs) - 1 for runs in values]
    centre = float(values[1].mean() - values[0].mean())
    return _welch(centre, variances, freedoms, confidence, "runs", sum(map(len, values)))


def _student(
    estimate: float,
    drawn: Floats,
    confidence: float,
    *,
    method: str,
    total: int,
    reflected: bool = False,
    of_mean: bool = False,
) -> Tested:
    """Student's interval around an estimate with these draws of it, or whose mean it is."""
    count = len(drawn)
    if count < 2:
        raise NoInterval("fewer than two resamples have a value in both")
    centre = 2 * estimate - float(drawn.mean()) if reflected else estimate
    variance = float(drawn.var(ddof=1)) * (1 / count if of_mean else 1 + 1 / count)
    return _around(centre, math.sqrt(variance), count - 1, confidence, method, total)


def _welch(
    centre: float,
    variances: Sequence[float],
    freedoms: Sequence[int],
    confidence: float,
    method: str,
    total: int,
) -> Tested:
    """The interval of a difference of two that scatter apart, with Welch and Satterthwaite's freedom."""
    variance = float(sum(variances))
    parts = sum(own**2 / free for own, free in zip(variances, freedoms, strict=True))
    freedom = variance**2 / parts if parts > 0 else math.nan
    return _around(centre, math.sqrt(variance), freedom, confidence, method, total)


def _around(
    centre: float, error: float, freedom: float, confidence: float, method: str, total: int
) -> Tested:
    from scipy.special import stdtr, stdtrit

    if not error > NO_SPREAD:
        raise NoInterval("the difference is the same each time, so that nothing tells how far it can be off")
    half = float(stdtrit(freedom, (1 + confidence) / 2)) * error
    p = float(2 * stdtr(freedom, -abs(centre) / error))
    return Tested(centre, (centre - half, centre + half), p, method, total)
