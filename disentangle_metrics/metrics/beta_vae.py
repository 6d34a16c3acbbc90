"""BetaVAE score: can the shared factor be told from how far pairs of latents lie apart?"""

from __future__ import annotations

from typing import Annotated

import numpy as np

from disentangle_metrics.estimators.pairing import Drawing, mean_pair_distances
from disentangle_metrics.estimators.probes.linear import named_classes
from disentangle_metrics.estimators.scaling import bounded_units
from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import Labelled, MetricValue
from disentangle_metrics.metrics.shared.votes import share_right, usable_factors
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.settings import AtLeast, Bins, Scaling, Strategy, ValueWeights, Votes


@metric(
    property="modularity",
    relation="distances of pairs that share a factor",
    source="Higgins et al. 2017",
    sklearn=True,
    range_with={"rescale": (True, (-1.0, 1.0))},
    interval="votes",
    interval_studied=True,
    suite=True,
    most_latents=512,
    version=2,
)
def beta_vae(
    relations: Relations,
    rng: np.random.Generator,
    *,
    votes: Votes = (10_000, 5_000),
    rows: Annotated[int, AtLeast(1)] = 64,
    scaling: Scaling = "standard",
    rescale: bool = False,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    value_weights: ValueWeights = "frequency",
    replacement: bool = True,
) -> MetricValue:
    """BetaVAE score (Z-diff): accuracy of telling the shared factor from the distances of pairs.

    A vote: pick a factor, draw `rows` pairs of rows, both rows of a pair having the same value of it, and
    take the mean over pairs of the absolute difference of each latent. A linear (multinomial logistic)
    classifier is fitted to name the factor from these D numbers; the score is its accuracy on fresh
    votes:

        d_j = mean over the pairs (a, b) of a vote of |z_aj - z_bj|
        score = share of fresh votes where classifier(d) = the shared factor

    A classifier that may weigh latents against each other forgives much: factors merged in one latent,
    and uneven mixes of all, can score 1.

    Parameters
    ----------
    votes
        Votes to fit the classifier on, and to score it on.
    rows
        Pairs drawn for each vote.
    scaling
        Of the D numbers before the classifier: "standard" (mean 0, deviation 1 on the votes for
        fitting), so that the latents' scale means nothing. "none", as in the study of Locatello et
        al., where the classifier's penalty (C = 1) weighs on latents of small scale. "minmax".
    rescale
        Report (accuracy - 1/K) / (1 - 1/K), which is 0 by chance, in place of the accuracy.
    bins, strategy
        How continuous factors are cut into values.
    value_weights
        "frequency": the value of a random row among those that two rows have; "uniform": each such
        value alike, as in the review of Carbonneau et al. 2022.
    replacement
        Whether rows are drawn with replacement; False: shuffled and dealt out, as in that review.
        Where a value has few rows, dealing makes the votes of one value nearly alike, which even
        noise can be told by.

    Returns
    -------
    Range [0, 1] (rescaled: [-1/(K-1), 1]); higher is better. Parts: `per_factor`, the accuracy on the
    votes of each factor. Details: `mean_distance` (D, K), the latents' mean differences while each factor
    is shared; `train_accuracy`.

    Chance level
    ------------
    About 1/K, rescaled 0; above it where values have few rows each, so that pairs repeat and noise can be
    recognised.

    Degenerate cases
    ----------------
    A constant latent changes nothing. A constant factor is left out, as are values that only one row
    has. Fewer than two factors that vary, or no value shared by two rows: NaN. All latents constant:
    chance.

    Cost
    ----
    Time O(votes rows D) for the draws, from O(N K log N) for sorting the rows by each factor, and the fit
    of a logistic classifier to the votes, O(votes D K) a step. Memory O(N K + votes D), draws 2^18 rows
    at a time. More rows cost little: the number of votes is set, not that of rows.

    References
    ----------
    Higgins et al. beta-VAE: learning basic visual concepts with a constrained variational framework.
    ICLR 2017; vote counts as in Locatello et al. Challenging common assumptions. ICML
    2019.
    """
    fitting = votes[0]
    varying = relations.need_factors(2, "the BetaVAE score")
    groups = relations.groups(bins, strategy)
    usable = usable_factors(varying, groups, "a value")
    factors = rng.integers(len(usable), size=sum(votes))
    distance = mean_pair_distances(
        bounded_units(relations.given) if scaling == "none" else relations.latents,
        [groups[k] for k in usable],
        factors,
        rows,
        rng,
        Drawing(value_weights == "uniform", replacement),
    )
    fitted, named = named_classes(distance[:fitting], factors[:fitting], distance[fitting:], scaling)
    count = relations.inputs.shape[2]
    right = named == factors[fitting:]
    value, per_factor, vote_count = share_right(right, factors[fitting:], usable, count, rescale)
    mean_distance = np.full(relations.inputs.shape[1:], np.nan)
    for position, k in enumerate(usable):
        drawn = distance[factors == position]
        mean_distance[:, k] = drawn.mean(axis=0) if len(drawn) else np.nan
    if scaling != "none":
        mean_distance = np.ldexp(mean_distance, relations.exponents()[:, None])
    return MetricValue(
        value=value,
        per_factor=per_factor,
        details={
            "mean_distance": Labelled(mean_distance, ("latents", "factors")),
            "train_accuracy": float(np.mean(fitted == factors[:fitting])),
        },
        vote_count=vote_count,
    )
