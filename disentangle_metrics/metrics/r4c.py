"""R4c: R4 of factors that form a tree, each in the rows in which it exists."""

from __future__ import annotations

import numpy as np

from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import MetricValue
from disentangle_metrics.metrics.shared.best_latent import best_latents
from disentangle_metrics.relations.mutual_prediction import mutual_prediction
from disentangle_metrics.relations.relations import Relations


@metric(
    property="identifiability",
    relation="prediction of one column from one other, both ways",
    source="Ross and Doshi-Velez 2021",
    anchors="costly",
    by_factor=True,
    label_free=False,
    interval="subsample",
)
def r4c(relations: Relations, rng: np.random.Generator) -> MetricValue:
    """R4c: where a factor exists, does one latent determine it, and it that latent?

    It is for factors that form a tree, such as the phase that only moons have. With S_jk as in `r4`, from
    the rows in which factor k has a value:

        mean over factors k of max over latents j of S_jk

    So one latent may serve factors that never exist together. If every row has a value of every factor, R4c
    is R4, but for the draw of the fifths.

    The original also scores codes that are trees themselves, and then takes the best node instead of the best
    latent. Not supported: here every latent is read in all rows.

    Returns
    -------
    Range [0, 1], higher is better. Parts: `per_factor`. Details: `both_ways` (D, K), the table S, and
    `factors_from_latents` and `latents_from_factors` (D, K), its two sides.

    Chance level
    ------------
    About 0: predictions are measured on other rows than they are made of.

    Degenerate cases
    ----------------
    As for `r4`: a constant latent scores 0. A constant factor is left out; none that varies, or a factor
    with fewer than 20 rows: NaN. Groups of latents: NaN, since a group is not one column.

    Cost
    ----
    As for `r4`: time O((D + K) N log N + D V N log N), memory O(N (D + K)). All rows are read.

    References
    ----------
    Ross, Doshi-Velez. Benchmarks, algorithms, and metrics for hierarchical disentanglement. ICML 2021.
    """
    varying = relations.need_factors(1, "R4c")
    return best_latents(mutual_prediction(relations, int(rng.integers(2**63))), varying)
