"""Sufficiency: does one latent tell all there is to know of a factor?"""

from __future__ import annotations

import numpy as np

from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import Labelled, MetricValue
from disentangle_metrics.metrics.shared.gap import NEIGHBOURS, normalised
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.settings import Bins, FactorBins, InformationEstimator, Neighbours, Strategy


@metric(
    property="explicitness of the best latent",
    relation="mutual information",
    source="Almudevar and Ortega 2024",
    silent=("factor_bins",),
    only_with=NEIGHBOURS,
    by_factor=True,
    interval="subsample",  # halves show more of the bias of cells with few rows: see docs/intervals.md
    interval_studied=True,
    from_counts=True,
    version=2,
)
def sufficiency(
    relations: Relations,
    *,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    estimator: InformationEstimator = "histogram",
    k: Neighbours = 3,
    factor_bins: FactorBins = None,
) -> MetricValue:
    """Sufficiency: the share of a factor's entropy that its best latent tells.

    The score is

        mean over factors k of max_j I_jk / H(v_k)

    Nothing is subtracted for the second best latent, so that factors which depend on each other, and
    latents that repeat each other, cost nothing. Read it together with `minimality`, which asks that the
    latent hold nothing else.

    Parameters
    ----------
    bins, strategy, estimator, k, factor_bins
        As for `mig`. The authors' code takes 15 bins.

    Returns
    -------
    Range [0, 1], higher is better. Parts: `per_factor`. Details: `mutual_information` (D, K) and
    `factor_entropy` (K,), in nats.

    Chance level
    ------------
    About 0 with many rows: 0.003 was measured on 10,000 rows of 5 normal latents and 5 factors of 5
    values, all independent, 0.028 on 1,000, as the best of D estimates that are too large counts.

    Degenerate cases
    ----------------
    A constant latent changes nothing. A constant factor is left out. No factor that varies: NaN.

    Cost
    ----
    With "histogram" one pass over the rows, time O(N D K), and memory O(D B (V + 1,024 K)) for the
    counts, whatever N is. The other estimators as for `mig`. All rows are read. The table is shared by
    all metrics that read it with these settings.

    References
    ----------
    Almudevar, Ortega. Rethinking disentanglement under dependent factors of variation.
    arXiv:2408.07016, 2024; computed as in the authors' published code, which calls it so.
    """
    varying = relations.need_factors(1, "sufficiency")
    information = relations.mutual_information(
        bins=bins, strategy=strategy, estimator=estimator, factor_bins=factor_bins, k=k
    )
    per_factor = normalised(information, "factor", varying).max(axis=0)
    return MetricValue(
        value=float(np.nanmean(per_factor)),
        per_factor=per_factor,
        details={
            "mutual_information": Labelled(information.mutual_information, ("latents", "factors")),
            "factor_entropy": Labelled(information.factor_entropy, ("factors",)),
        },
        warnings=information.remarks,
    )
