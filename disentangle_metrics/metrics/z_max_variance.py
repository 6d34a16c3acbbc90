"""Z-max variance: can the only factor that varies be told from the latent that varies most?"""

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
    relation="variances while all factors but one are fixed",
    source="Kim et al. 2019",
    range_with={"rescale": (True, (-1.0, 1.0))},
    interval="votes",
    interval_studied=True,
    suite=True,
    most_latents=512,
    version=2,
)
def z_max_variance(
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
    """Z-max variance: accuracy of telling the only factor that varies from the latent that varies most.

    A vote: pick a factor, fix all other factors to the joint value of a random row, draw `rows` rows that
    share it, and name the active latent with the largest variance among them relative to its variance
    over all rows. Each latent then stands for the factor that it is named for most often in the first set
    of votes. The score is how often that is right in the second set:

        j(vote) = argmax over active j of Var(z_j within the vote) / Var(z_j)
        score = share of the second votes where factor_of(j(vote)) = the only factor that varies

    Only joint values that at least two rows have can be fixed: where factors have many values few rows
    qualify, and the score measures the noise of the sampling.

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
        How continuous factors are cut into values; few bins let more rows share a joint value.
    value_weights
        "frequency": the joint value of a random row, as said; "uniform": each joint value alike, as
        in the review of Carbonneau et al. 2022.
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
    About 1/K, rescaled 0. Above it where few rows share a joint value, so that votes repeat: 0.213 with K
    = 5 was measured on 1,000 rows of 5 normal latents and 5 factors of 5 values, all independent.

    Degenerate cases
    ----------------
    Constant latents are never named. A constant factor is left out, as is a factor for which no two
    rows agree in all others. Fewer than two factors left, or no active latent: NaN. Of latents that tie
    for the largest variance the first is named, as in published code. So their order matters for codes
    without noise, where votes lack a rare value and no latent varies: 0.90 or 1 of a perfect code of 5,000
    rows, of which 2 percent have the rarer of two values. Pass more `rows`: with 1,024 it is
    0.9996 or 1.

    Cost
    ----
    Time O(votes rows D) for the draws, from O(N K^2 log N) for sorting the rows by the joint value of all
    other factors. Memory O(N (D + K) + votes D), draws 2^18 rows at a time. More rows cost little: the
    number of votes is set.

    References
    ----------
    Kim, Wang, Sahu, Pavlovic. Relevance factor VAE: learning and identifying disentangled factors.
    arXiv:1902.01568, 2019; computed as in the published code of Carbonneau et al. Measuring
    disentanglement: a review of metrics. TNNLS 2022.
    """
    varying = relations.need_factors(2, "Z-max variance")
    groups = relations.groups_of_others(bins, strategy)
    usable = usable_factors(varying, groups, "a joint value of the others")
    return majority_votes(
        relations,
        rng,
        groups,
        usable,
        np.argmax,
        votes=votes,
        rows=rows,
        active=active,
        rescale=rescale,
        value_weights=value_weights,
        replacement=replacement,
    )
