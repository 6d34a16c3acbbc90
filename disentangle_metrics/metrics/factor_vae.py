"""FactorVAE score: can the fixed factor be told from the latent that varies least?"""

from __future__ import annotations

from typing import Annotated

import numpy as np

from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import MetricValue
from disentangle_metrics.metrics.shared.votes import majority_votes, usable_factors
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.settings import Active, AtLeast, Bins, Strategy, ValueWeights, Votes


@metric(
    property="modularity",
    relation="variances while a factor is fixed",
    source="Kim and Mnih 2018",
    range_with={"rescale": (True, (-1.0, 1.0))},
    interval="votes",
    interval_studied=True,
    suite=True,
    version=2,
)
def factor_vae(
    relations: Relations,
    rng: np.random.Generator,
    *,
    votes: Votes = (10_000, 5_000),
    rows: Annotated[int, AtLeast(2)] = 64,
    active: Active = "auto",
    rescale: bool = False,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    value_weights: ValueWeights = "frequency",
    replacement: bool = True,
) -> MetricValue:
    """FactorVAE score: accuracy of telling the fixed factor from the latent that varies least.

    A vote: pick a factor, fix it to the value of a random row, draw `rows` rows that share the value, and
    name the active latent with the smallest variance among them relative to its variance over all rows.
    Each latent is then said to stand for the factor that it is named for most often in the first set of
    votes. The score is how often that is right in the second set:

        j(vote) = argmin over active j of Var(z_j within the vote) / Var(z_j)
        score = share of the second votes where factor_of(j(vote)) = the fixed factor

    Parameters
    ----------
    votes
        Votes to fit the majority classifier on, and to score it on.
    rows
        Rows drawn for each vote, at least 2.
    active
        Which latents may be named, as for `mig_sup`.
    rescale
        Report (accuracy - 1/K) / (1 - 1/K), which is 0 by chance, in place of the accuracy.
    bins, strategy
        How continuous factors are cut into values.
    value_weights
        "frequency": the value of a random row, as said; "uniform": each value alike, as in the
        review of Carbonneau et al. 2022. They differ where values are not equally frequent.
    replacement
        Whether rows are drawn with replacement; False: shuffled and dealt out, as in that review.
        Where a value has few rows, dealing makes the votes of one value nearly alike, which even
        noise can be told by.

    Returns
    -------
    Range [0, 1] (rescaled: [-1/(K-1), 1]); higher is better. Parts: `per_factor`, the accuracy on the
    votes of each factor. Details: `votes` (D, K), how often each latent was named for each factor in
    fitting; `train_accuracy`; `active` (D,).

    Chance level
    ------------
    About 1/K, rescaled 0. Somewhat above it with few rows for each value: 0.227 with K = 5 was measured
    on 1,000 rows of 5 normal latents and 5 factors of 5 values, all independent, 0.199 on 10,000.

    Degenerate cases
    ----------------
    Constant latents are never named. A constant factor is left out, as are values that only one
    row has. Fewer than two factors that vary, no value shared by two rows, or no active latent: NaN.
    Of latents that tie for the smallest variance the first is named, as in published code. So their order
    matters for codes without noise, where votes lack a rare value and several latents do not vary: 0.82
    or 1 of a perfect code of 5,000 rows, of which 2 percent have the rarer of two values. Pass more
    `rows`: with 1,024 it is 1.

    Cost
    ----
    Time O(votes rows D) for the draws, from O(N K log N) for sorting the rows by each factor. Memory O(N
    (D + K) + votes D), draws 2^18 rows at a time. More rows cost little: the number of votes is set.

    References
    ----------
    Kim, Mnih. Disentangling by factorising. ICML 2018; vote counts as in Locatello et
    al. Challenging common assumptions. ICML 2019.
    """
    varying = relations.need_factors(2, "the FactorVAE score")
    groups = relations.groups(bins, strategy)
    usable = usable_factors(varying, groups, "a value")
    return majority_votes(
        relations,
        rng,
        groups,
        usable,
        np.argmin,
        votes=votes,
        rows=rows,
        active=active,
        rescale=rescale,
        value_weights=value_weights,
        replacement=replacement,
    )
