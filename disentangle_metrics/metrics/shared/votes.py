"""What the metrics that name the fixed factor share: drawing votes, and counting how many are right."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import NotApplicable
from disentangle_metrics.estimators.pairing import Drawing, Groups
from disentangle_metrics.metrics.definition import Labelled, MetricValue, VoteCount
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.settings import Active, ValueWeights, Votes


def usable_factors(varying: NDArray[np.bool_], groups: Sequence[Groups], what: str) -> NDArray[np.int64]:
    """The factors that vary and have a group of at least two rows, if there are two such factors.

    Raises
    ------
    NotApplicable
        If there are fewer; `what` says what the rows of a group share.
    """
    usable = [k for k, group in enumerate(groups) if varying[k] and (group.size >= 2).any()]
    if len(usable) < 2:
        raise NotApplicable(f"fewer than two factors have {what} that two rows share")
    return np.array(usable, dtype=np.int64)


def share_right(
    right: NDArray[np.bool_], factors: NDArray[np.int64], usable: NDArray[np.int64], count: int, rescale: bool
) -> tuple[float, NDArray[np.float64], VoteCount]:
    """Accuracy of all votes, of those of each of `count` factors, and the count; 0 for guessing if rescaled.

    Parameters
    ----------
    right
        Shape (votes,): which were right.
    factors
        Shape (votes,): the fixed factor, as a position in `usable`.
    usable
        The factors that votes were drawn for.
    """
    votes = np.bincount(factors, minlength=len(usable))
    hits = np.bincount(factors, weights=right, minlength=len(usable))
    per_factor = np.full(count, np.nan)
    per_factor[usable] = np.divide(hits, votes, out=np.full(len(usable), np.nan), where=votes > 0)
    accuracy = float(right.mean())
    hit = int(right.sum())
    if not rescale:
        return accuracy, per_factor, VoteCount(hit, len(right))
    guess = 1 / len(usable)
    rescaled = (per_factor - guess) / (1 - guess)
    return (accuracy - guess) / (1 - guess), rescaled, VoteCount(hit, len(right), guess)


def majority_votes(
    relations: Relations,
    rng: np.random.Generator,
    groups: Sequence[Groups],
    usable: NDArray[np.int64],
    pick: Callable[..., NDArray[np.int64]],
    *,
    votes: Votes,
    rows: int,
    active: Active,
    rescale: bool,
    value_weights: ValueWeights,
    replacement: bool,
) -> MetricValue:
    """How often the latent picked by its variance within a group stands for the group's factor.

    A vote picks a factor of `usable` and one of its `groups`, draws `rows` rows of it, and names
    the active latent whose variance among them, over its variance among all rows, is picked by
    `pick` (argmin or argmax). Each latent stands for the factor that it is named for most often in
    the first set of votes; the second set is scored.
    """
    fitting = votes[0]
    units = relations.active(active)
    candidates = np.flatnonzero(units.mask & ~relations.constant())
    if not len(candidates):
        raise NotApplicable("every active latent is constant")
    factors = rng.integers(len(usable), size=sum(votes))
    rule = Drawing(value_weights == "uniform", replacement)
    variance = relations.relative_variances([groups[k] for k in usable], factors, rows, rng, rule)
    named = pick(variance[:, candidates], axis=1)
    counts = np.zeros((len(candidates), len(usable)), dtype=np.int64)
    np.add.at(counts, (named[:fitting], factors[:fitting]), 1)
    right = counts.argmax(axis=1)[named[fitting:]] == factors[fitting:]
    count = relations.inputs.shape[2]
    value, per_factor, vote_count = share_right(right, factors[fitting:], usable, count, rescale)
    named_for = np.zeros(relations.inputs.shape[1:], dtype=np.int64)
    named_for[np.ix_(candidates, usable)] = counts
    return MetricValue(
        value=value,
        per_factor=per_factor,
        details={
            "votes": Labelled(named_for, ("latents", "factors")),
            "train_accuracy": float(counts.max(axis=1).sum() / fitting),
            "active": Labelled(units.mask, ("latents",)),
        },
        warnings=units.warnings,
        vote_count=vote_count,
    )
