"""FactorVAE score: can the fixed factor be told from the latent that varies least?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.definition import Labelled, MetricDefinition, MetricValue, ScoreDefinition
from disentangle_metrics.errors import InputError, NotApplicable
from disentangle_metrics.estimators.pairing import fixed_factor_variances
from disentangle_metrics.relations import Active, Relations


def factor_vae(
    relations: Relations,
    rng: np.random.Generator,
    *,
    votes: tuple[int, int] = (10_000, 5_000),
    rows: int = 64,
    active: Active = "auto",
    rescale: bool = False,
    bins: int = 20,
    strategy: str = "uniform",
) -> MetricValue:
    """FactorVAE score: accuracy of telling the fixed factor from the latent that varies least.

    A vote: pick a factor, fix it to the value of a random row, draw `rows` rows that share the
    value, and name the active latent with the smallest variance among them relative to its
    variance over all rows. Each latent is then said to stand for the factor that it is named for
    most often in the first set of votes; the score is how often that is right in the second set.

    Parameters
    ----------
    votes
        Votes to fit the majority classifier on, and to score it on.
    rows
        Rows drawn (with replacement) for each vote, at least 2.
    active
        Which latents may be named, as for `mig_sup`.
    rescale
        Report (accuracy - 1/K) / (1 - 1/K), which is 0 by chance, in place of the accuracy.
    bins, strategy
        How continuous factors are cut into values.

    Returns
    -------
    Range [0, 1], chance about 1/K (rescaled: [-1/(K-1), 1], chance 0); higher is better. Parts:
    `per_factor`, the accuracy on the votes of each factor. Details: `votes` (D, K), how often each
    latent was named for each factor in fitting; `train_accuracy`; `active` (D,).

    Degenerate cases
    ----------------
    Constant latents are never named. A constant factor is left out, as are values that only one
    row has. Fewer than two factors that vary, no value shared by two rows, or no active latent: NaN.

    References
    ----------
    Kim, Mnih. Disentangling by factorising. ICML 2018, section 4; vote counts as in Locatello et
    al. Challenging common assumptions. ICML 2019.
    """
    fitting, scoring = _check(votes, rows)
    varying = np.flatnonzero(relations.need_factors(2, "the FactorVAE score"))
    chosen = relations.active(active)
    candidates = np.flatnonzero(chosen.mask & ~relations.constant())
    if not len(candidates):
        raise NotApplicable("every active latent is constant")
    groups = relations.groups(bins, strategy)
    usable = np.array([k for k in varying if (groups[k].size >= 2).any()], dtype=np.int64)
    if len(usable) < 2:
        raise NotApplicable("fewer than two factors have a value that two rows share")
    factors = rng.integers(len(usable), size=fitting + scoring)
    variance = fixed_factor_variances(
        relations.latents[:, candidates], [groups[k] for k in usable], factors, rows, rng
    )
    named = np.argmin(variance / relations.variances()[candidates], axis=1)

    table = np.zeros((len(candidates), len(usable)), dtype=np.int64)
    np.add.at(table, (named[:fitting], factors[:fitting]), 1)
    right = table.argmax(axis=1)[named[fitting:]] == factors[fitting:]
    accuracy = float(right.mean())
    per_factor = np.full(relations.inputs.shape[2], np.nan)
    per_factor[usable] = _mean_by(right, factors[fitting:], len(usable))
    chance = 1 / len(usable)
    if rescale:
        accuracy = (accuracy - chance) / (1 - chance)
        per_factor = (per_factor - chance) / (1 - chance)
    named_for = np.zeros(relations.inputs.shape[1:], dtype=np.int64)
    named_for[np.ix_(candidates, usable)] = table
    return MetricValue(
        value=float(accuracy),
        per_factor=per_factor,
        details={
            "votes": Labelled(named_for, ("latents", "factors")),
            "train_accuracy": float(table.max(axis=1).sum() / fitting),
            "active": Labelled(chosen.mask, ("latents",)),
        },
        warnings=chosen.warnings,
    )


def _check(votes: tuple[int, int], rows: int) -> tuple[int, int]:
    try:
        fitting, scoring = (int(count) for count in votes)
    except (TypeError, ValueError):
        raise InputError(f"`votes` must be a pair of whole numbers, got {votes!r}") from None
    if min(fitting, scoring) < 1:
        raise InputError(f"`votes` must be at least 1 each, got {votes!r}")
    if rows < 2:
        raise InputError(f"`rows` must be at least 2, got {rows!r}")
    return fitting, scoring


def _mean_by(right: NDArray[np.bool_], factors: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Share of right votes for each factor; NaN for a factor without votes."""
    votes = np.bincount(factors, minlength=count)
    hits = np.bincount(factors, weights=right, minlength=count)
    share = np.full(count, np.nan)
    np.divide(hits, votes, out=share, where=votes > 0)
    return share


definition = MetricDefinition(
    name="factor_vae",
    compute=factor_vae,
    scores=(ScoreDefinition("factor_vae", property="modularity"),),
    relation="variances while a factor is fixed",
    source="Kim and Mnih 2018",
)
