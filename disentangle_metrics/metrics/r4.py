"""R4: has each factor a latent of its own, so that each of the two determines the other?"""

from __future__ import annotations

import numpy as np

from disentangle_metrics.estimators.matching import one_to_one
from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import MetricValue, ScoreDefinition
from disentangle_metrics.metrics.shared.best_latent import best_latents, of_varying
from disentangle_metrics.relations.mutual_prediction import mutual_prediction
from disentangle_metrics.relations.relations import Relations


@metric(
    scores=(
        ScoreDefinition(
            "r4",
            property="identifiability",
            meaning="How well the best latent of each factor determines it, and is determined by it.",
        ),
        ScoreDefinition(
            "r4_assigned",
            property="identifiability",
            meaning="The same where each latent may serve one factor only.",
        ),
    ),
    relation="prediction of one column from one other, both ways",
    source="Ross and Doshi-Velez 2021",
    anchors="costly",
    label_free=False,
    interval="subsample",
)
def r4(relations: Relations, rng: np.random.Generator) -> dict[str, MetricValue]:
    """R4: does one latent determine each factor, and the factor that latent?

    Q(a, b) says how well column a predicts column b: R2 of a measurement, and of a category the accuracy
    beyond guessing, (right - guess) / (1 - guess), where guess is the share of its most frequent value. It
    is measured on fifths of the rows that the predictor has not seen, and cut at 0.

        S_jk = sqrt(Q(z_j, v_k) Q(v_k, z_j))
        r4 = mean over factors k of max over latents j of S_jk
        r4_assigned = the same for the matching of latents and factors with the largest sum

    Any invertible map of a factor counts as recovered. A mix of two factors does not, nor does one latent
    that two others make up.

    The predictor is a step function. Its number of steps, 1, 2, 4, ... of equally many rows, is the one with
    the smallest leave-one-out error. The original has boosted trees.

    Returns
    -------
    Range [0, 1], higher is better. Parts: `per_factor`. Details of `r4`: `both_ways` (D, K), the table S, and
    `factors_from_latents` and `latents_from_factors` (D, K), its two sides.

    With a hierarchy of factors no row may have a value of each: `r4c` reads every factor where it exists.

    Chance level
    ------------
    About 0: predictions are measured on other rows than they are made of.

    Degenerate cases
    ----------------
    A constant latent scores 0. A constant factor is left out; none that varies, or a factor with fewer
    than 20 rows: NaN. With fewer latents than factors, the factors left over count 0 in `r4_assigned`.
    A circular factor or latent is predicted as cosine and sine. Groups of latents: NaN, since a group is not
    one column.

    Cost
    ----
    Each column is sorted once in each fold. A category counts as its V values: time O((D + K) N log N +
    D V N log N), memory O(N (D + K)), whatever V. A process that scores one latent and a category of 1,000
    values in 50,000 rows takes 0.16 GB (tests/benchmarks/test_memory.py). All rows are read.

    References
    ----------
    Ross, Doshi-Velez. Benchmarks, algorithms, and metrics for hierarchical disentanglement. ICML 2021.
    """
    varying = relations.need_factors(1, "R4")
    prediction = mutual_prediction(relations, int(rng.integers(2**63)))
    matched = one_to_one(of_varying(prediction, varying)[:, varying])
    assigned = np.full(len(varying), np.nan)
    assigned[varying] = np.nansum(matched, axis=0)
    return {
        "r4": best_latents(prediction, varying),
        "r4_assigned": MetricValue(float(np.nanmean(assigned)), per_factor=assigned),
    }
