"""DCIMIG: how much of the factors is told by latents that each tell of one factor?"""

from __future__ import annotations

from typing import Literal

import numpy as np

from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import Labelled, MetricValue
from disentangle_metrics.metrics.shared.gap import NEIGHBOURS, divisor, gap
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.settings import (
    Bins,
    Correction,
    FactorBins,
    InformationEstimator,
    Neighbours,
    Strategy,
)


@metric(
    property="compactness and modularity",
    relation="mutual information",
    source="Sepliarskaia et al. 2019",
    silent=("correction", "factor_bins", "weights"),
    only_with=NEIGHBOURS,
    by_factor=True,
    interval_studied=True,
    suite=True,
    from_counts=True,
    version=2,
)
def dcimig(
    relations: Relations,
    *,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    estimator: InformationEstimator = "histogram",
    k: Neighbours = 3,
    factor_bins: FactorBins = None,
    correction: Correction = "none",
    weights: Literal["entropy", "equal"] = "entropy",
) -> MetricValue:
    """DCIMIG: the share of the factors' entropy that latents devoted to one factor hold.

    Each latent j has the gap g_j = I_j(1) - I_j(2) between its best and second best factor, and credits
    it to the best one, b(j). The score is the sum of the largest credits over that of the factors'
    entropies:

        sum over k of max{g_j : b(j) = k} / sum over k of H(v_k)

    A latent that merges two factors credits little, and of several latents that share one factor only the
    best counts.

    Parameters
    ----------
    bins, strategy, estimator, k, factor_bins, correction
        As for `mig`.
    weights
        Of the factors in the mean of `per_factor`: "entropy", which is the ratio of sums above; "equal".

    Returns
    -------
    Range [0, 1], higher is better. Parts: `per_latent`, the gaps in nats, and `per_factor`, the largest
    credit over the factor's entropy. Details:
    `mutual_information` (D, K) and `factor_entropy` (K,), in nats.

    Chance level
    ------------
    About 0: 0.003 was measured on 1,000 rows of 5 normal latents and 5 factors of 5 values, all
    independent.

    Degenerate cases
    ----------------
    A constant latent credits nothing. A constant factor is left out. Fewer than two factors that
    vary: NaN.

    Cost
    ----
    With "histogram" one pass over the rows, time O(N D K), and memory O(D B (V + 1,024 K)) for the
    counts, whatever N is. The other estimators as for `mig`. All rows are read. The table is shared by
    all metrics that read it with these settings.

    References
    ----------
    Sepliarskaia, Kiseleva, de Rijke. Evaluating disentangled representations. arXiv:1910.05587,
    2019; computed as in the published code of Carbonneau et al. Measuring disentanglement: a review
    of metrics. TNNLS 2022.
    """
    varying = relations.need_factors(2, "DCIMIG")
    information = relations.mutual_information(
        bins=bins, strategy=strategy, estimator=estimator, factor_bins=factor_bins, k=k, correction=correction
    )
    mutual = information.mutual_information
    entropy = divisor(information, varying)
    gaps = gap(mutual, axis=1)
    best = mutual.argmax(axis=1)  # with a tie the gap is 0, so it does not matter which wins
    credit = np.zeros_like(mutual)
    credit[np.arange(len(mutual)), best] = gaps
    largest = credit.max(axis=0)
    per_factor = largest / entropy
    by_entropy = np.sum(largest[varying]) / np.nansum(entropy)
    return MetricValue(
        value=float(by_entropy if weights == "entropy" else np.nanmean(per_factor)),
        per_factor=per_factor,
        per_latent=gaps,
        details={
            "mutual_information": Labelled(mutual, ("latents", "factors")),
            "factor_entropy": Labelled(information.factor_entropy, ("factors",)),
        },
        warnings=information.remarks,
    )
