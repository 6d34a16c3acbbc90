"""Confidence intervals of scores, and what each is about.

Those of most scores say where the score of the whole source lies, cut into the bins of these rows; the
bias of few rows is taken off. Those of probes say what other samples of as many rows would score, and
those of votes what many more votes on these rows would.

- *Bootstrap* (most metrics): rows drawn with replacement, all metrics scored on the same replicate,
  latents and continuous factors cut at the edges of the full data.
- *Subsample* (distances between neighbours, densities of posteriors, probes): halves of the rows,
  each row at most once, since a row that is there twice is its own nearest neighbour, and teaches a
  probe nothing new. A half deviates from the whole as much as the whole does from the truth: the
  variance 1/m - 1/N of a subsample of m rows without replacement is 1/N for m = N/2, so that
  deviations need no rescaling (in general by sqrt(m / (N - m)), which for m far below N is the better
  known sqrt(m / N)). Neighbours scatter by themselves too, which makes their intervals about a
  third too wide. A row that is there twice may be in a fit and in the fold that the fit has not seen, so
  cross-fitted scores (`mcc` of groups, or with `cross_fitted`) are halved. Means of information
  (`minimality`, `sufficiency`), whose bias is large beside their scatter, are halved as well: with few
  rows in a cell rows drawn with replacement, which never fall where none of these rows did, show less
  of the bias than halves do.
- *Probes*: halves as well, of the train and of the test rows apart, and the probes are trained anew.
- *Votes*: Wilson's interval of the share of test votes that are right. It tells how much the draw of
  the votes matters on these rows, not how much the draw of the rows does.

Intervals from replicates are basic ones (reverse percentile): [2 e - q_high, 2 e - q_low] for an
estimate e and the replicates' quantiles q. A plug-in estimate of information is biased upward, and
a replicate is as much above the estimate again; percentile intervals would add the two, basic ones
take the second off the first. The estimate itself may therefore lie outside of its interval.
`corrected` never does: it is what the interval shrinks to as the confidence falls to 0, 2 e - q_50 (for a
normal interval 2 e - mean). It is the estimate less its bias of few rows. For votes and probes, whose bias
is left, it is the estimate.

Those of probes are not reflected: the replicates are moved to the estimate first, so that only their
deviations count. A probe that has half of the rows has learned less, or is another one (a linear SVM
with the penalty C = 0.01 is the more regularised the fewer rows it has), and the loss is no error of
the estimate. Reflected ones of `sap` lay between the score of as many other rows and that of the whole
population, and missed both too often.

"In the bins of these rows": equal-width bins lie between the smallest and the largest value, which of an
unbounded latent move apart with the number of rows. The whole source would score something else in its
own, wider bins, and nothing in these rows tells how wide those are. What the interval holds is its score
with values beyond these rows' ends counted in the outermost bins. The edges of strategy="quantile"
settle, and so does the score.

Where all resamples score what the rows do, at an end of the range, there is none but for probes: one without
width would claim that the source scores exactly that. `modularity`, InfoM, `med` and `mean_pairwise_mi`
have none: on 1,000 rows of the tests' population resampled ones missed the truth far more often than
they should. They weigh information that is close to none, most of which is bias, like information that
is much.
docs/intervals.md has the measured coverage of most metrics, and names those without.

References
----------
Davison, Hinkley. Bootstrap methods and their application. 1997, sections 2.4 and 5.2.
Shao, Wu. A general theory for jackknife variance estimation. Annals of Statistics 1989 (half samples).
Wilson. Probable inference, the law of succession, and statistical inference. JASA 1927.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.metrics.definition import Interval, MetricValue, VoteCount
from disentangle_metrics.relations.relate import relate
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.scoring.binding import Request
from disentangle_metrics.settings import setting_text

LEAST_SHARE = 0.9  # of the replicates must have a value
SAME = 1e-9  # scores that differ by less are alike but for rounding

Rows = NDArray[np.int64]
Bounds = tuple[float, float]


class Located(NamedTuple):
    """Where the score of the source lies: an interval, and the estimate without bias that it is around."""

    bounds: Bounds
    corrected: float

    def within(self, limits: Bounds) -> Located:
        """Both within the range of the score."""
        low, high = limits
        return Located(clipped(self.bounds, limits), min(max(self.corrected, low), high))


@dataclass(frozen=True)
class Plan:
    """Metrics that are scored on the same resamples.

    Attributes
    ----------
    interval, replicates
        The kind of resamples, and how many.
    pieces
        Rows to draw from, each on its own.
    split
        The train and the test part, as positions in the rows drawn.
    probes
        Whether the metrics train probes anew on each resample.
    requests
        The metrics.
    """

    interval: Interval
    replicates: int
    pieces: tuple[Rows, ...]
    split: tuple[Rows, Rows] | None
    probes: bool
    requests: list[Request]

    def resamples(self, whole: Relations) -> Iterator[Relations]:
        """The relations of each resample of the rows.

        Each has a stream of its own, which depends on nothing but the seed, its number and the interval.
        """
        for number in range(self.replicates):
            source = np.random.SeedSequence([whole.seed, *self.interval.encode()], spawn_key=(number,))
            rng = np.random.Generator(np.random.Philox(source))
            rows = np.concatenate([_drawn(piece, self.interval, rng) for piece in self.pieces])
            yield relate(whole.inputs.rows(rows), seed=whole.seed, n_jobs=whole.n_jobs, edges_of=whole)


def plans(whole: Relations, requests: Sequence[Request], values: Mapping[str, MetricValue]) -> Iterator[Plan]:
    """How to resample the rows for the metrics that have a value and are resampled.

    Parameters
    ----------
    whole
        The relations of all rows; its seed is that of the resamples.
    values
        The scores on all rows, by key.
    """
    found: dict[tuple[Any, ...], Plan] = {}
    for request in requests:
        wanted = [score for score in request.scores if not score.no_interval]
        valued = any(not math.isnan(values[score.key].value) for score in request.scores)
        if request.interval == "votes" or _why_not(request, whole) or not (wanted and valued):
            continue
        settings = request.settings
        divided = {
            name: settings[name] for name in ("split", "max_rows") if "split" in settings and name in settings
        }
        key = (request.interval, request.replicates, *map(setting_text, divided.values()))
        if key not in found:
            pieces, split = _pieces(whole, divided, halved=request.interval == "subsample")
            found[key] = Plan(request.interval, request.replicates, pieces, split, bool(divided), [])
        if (split := found[key].split) is not None:
            changed = {"split": split, **({"max_rows": None} if "max_rows" in divided else {})}
            request = replace(request, settings={**settings, **changed})
        found[key].requests.append(request)
    yield from found.values()


def intervals(
    whole: Relations,
    requests: Sequence[Request],
    values: Mapping[str, MetricValue],
    resampled: Sequence[tuple[Plan, Sequence[Mapping[str, float]]]],
    confidence: float,
) -> tuple[dict[str, Located], dict[str, str]]:
    """The interval of each score that has a value and one; and the reason for each that has no interval.

    Parameters
    ----------
    whole
        The relations of all rows.
    values
        The scores on all rows, by key.
    resampled
        Each plan, and the scores on each of its resamples.
    confidence
        Nominal coverage.
    """
    located: dict[str, Located] = {}
    reasons: dict[str, str] = {}
    for request in requests:
        if all(math.isnan(values[score.key].value) for score in request.scores):
            continue
        general = _why_not(request, whole)
        for score in request.scores:
            counted = values[score.key].vote_count
            if request.interval == "votes" and counted is not None:
                located[score.key] = Located(wilson(counted, confidence), values[score.key].value)
            elif reason := score.no_interval or general:
                reasons[score.key] = reason
    for plan, runs in resampled:
        for score in [score for request in plan.requests for score in request.scores]:
            key, estimate = score.key, values[score.key].value
            if key in reasons or math.isnan(estimate):
                continue
            drawn = np.array([scores[key] for scores in runs])
            found = _of_resamples(estimate, drawn, score.range, confidence, probes=plan.probes)
            if isinstance(found, str):
                reasons[key] = found
            else:
                located[key] = found
    return located, {key: f"{key} has no confidence interval: {reason}" for key, reason in reasons.items()}


def _of_resamples(
    estimate: float, drawn: NDArray[np.float64], limits: Bounds, confidence: float, *, probes: bool
) -> Located | str:
    """The interval of a score from its value on each resample, or why it has none."""
    present = drawn[~np.isnan(drawn)]
    if len(present) < max(2, LEAST_SHARE * len(drawn)):
        return (
            f"{len(drawn) - len(present)} of {len(drawn)} resamples of the rows gave no value; "
            "more rows would help"
        )
    if probes:
        centred = present + (estimate - _middle(present, confidence))
        return Located(basic(estimate, centred, confidence), estimate)
    if _stuck(estimate, present, limits):
        return (
            f"all resamples of the rows scored {estimate:.3g} as they do, the end of its range, so that they "
            "cannot tell how far the source is from it"
        )
    return Located(basic(estimate, present, confidence), corrected(estimate, present, confidence))


def _stuck(estimate: float, replicates: NDArray[np.float64], limits: Bounds) -> bool:
    """Whether nothing scatters, at an end of the range: what else the source holds is in none of the rows."""
    at_end = min(abs(estimate - limit) for limit in limits) <= SAME
    return bool(at_end and np.abs(replicates - estimate).max() <= SAME)


def _why_not(request: Request, whole: Relations) -> str:
    """Why a metric has no interval here; empty if it has one."""
    if request.interval in ("votes", "none"):
        return "its definition names no way to resample it"
    if whole.inputs.incomplete and isinstance(request.settings.get("split"), tuple | list):
        return "the rows that `split` names cannot be halved while factors lack values"
    return ""


def _pieces(
    whole: Relations, divided: Mapping[str, Any], *, halved: bool
) -> tuple[tuple[Rows, ...], tuple[Rows, Rows] | None]:
    """The rows to draw from piece by piece, and where the parts of the split lie among those drawn."""
    total = whole.inputs.shape[0]
    if not divided or whole.inputs.incomplete:  # where each factor has rows, and a split, of its own
        return (np.arange(total),), None
    train, test = whole.split(divided["split"], divided.get("max_rows"))
    rest = np.ones(total, dtype=bool)
    rest[train], rest[test] = False, False
    pieces = [train] if np.array_equal(train, test) else [train, test]
    ends = np.cumsum([_size(piece, halved) for piece in pieces])
    parts = [np.arange(end - _size(piece, halved), end) for piece, end in zip(pieces, ends, strict=True)]
    return (*pieces, np.flatnonzero(rest)), (parts[0], parts[-1])


def _size(piece: Rows, halved: bool) -> int:
    return (len(piece) + 1) // 2 if halved else len(piece)


def _drawn(piece: Rows, interval: Interval, rng: np.random.Generator) -> Rows:
    if not len(piece):
        return piece
    if interval == "subsample":
        return rng.permutation(piece)[: _size(piece, halved=True)]
    # Sorted, since rows near each other in memory are gathered faster; their order means nothing.
    return piece[np.sort(rng.integers(len(piece), size=len(piece)))]


def basic(estimate: float, replicates: NDArray[np.float64], confidence: float) -> Bounds:
    """The basic (reverse-percentile) interval of an estimate with these replicates of it.

    With too few replicates for the tails, the one of a normal distribution with the replicates' mean
    and deviation takes the place of their quantiles (Student's t with replicates - 1 degrees of
    freedom).
    """
    tail = (1 - confidence) / 2
    count = len(replicates)
    if _reach_tails(count, confidence):
        low, high = np.quantile(replicates, [tail, 1 - tail], method="weibull")
    else:
        from scipy.special import stdtrit

        middle = float(replicates.mean())
        spread = float(stdtrit(count - 1, 1 - tail) * replicates.std(ddof=1) * math.sqrt(1 + 1 / count))
        low, high = middle - spread, middle + spread
    return 2 * estimate - float(high), 2 * estimate - float(low)


def corrected(estimate: float, replicates: NDArray[np.float64], confidence: float) -> float:
    """The estimate less its bias of few rows: what :func:`basic` shrinks to as its confidence falls to 0."""
    return 2 * estimate - _middle(replicates, confidence)


def _middle(replicates: NDArray[np.float64], confidence: float) -> float:
    """What an interval of replicates shrinks to: their median if it is one of quantiles, else their mean."""
    return float(np.median(replicates) if _reach_tails(len(replicates), confidence) else replicates.mean())


def _reach_tails(count: int, confidence: float) -> bool:
    """Whether so many replicates have quantiles as far out as this confidence asks for."""
    return (count + 1) * (1 - confidence) / 2 >= 1


def wilson(counted: VoteCount, confidence: float) -> Bounds:
    """Wilson's score interval of a share of votes, rescaled as the score is."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    n, share = counted.votes, counted.right / counted.votes
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = max(centre - half, 0.0), min(centre + half, 1.0)
    scale = 1 - counted.guess
    return (low - counted.guess) / scale, (high - counted.guess) / scale


def clipped(bounds: Bounds, limits: Bounds) -> Bounds:
    """The interval within the range of its score."""
    low, high = (min(max(end, limits[0]), limits[1]) for end in bounds)
    return low, high
