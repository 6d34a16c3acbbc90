"""Modularity of Ridgeway and Mozer: how close is each latent to telling of one factor alone?"""

from __future__ import annotations

import numpy as np

from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import Labelled, MetricValue
from disentangle_metrics.metrics.shared.gap import NEIGHBOURS
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.settings import (
    Active,
    Bins,
    Correction,
    FactorBins,
    InformationEstimator,
    Neighbours,
    Strategy,
)


@metric(
    property="modularity",
    no_interval="resampled ones missed the truth far too often in tests",
    relation="mutual information",
    source="Ridgeway and Mozer 2018",
    silent=("correction", "factor_bins"),
    only_with=NEIGHBOURS,
    by_factor=True,
    suite=True,
    from_counts=True,
    version=2,
)
def modularity(
    relations: Relations,
    *,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    estimator: InformationEstimator = "histogram",
    k: Neighbours = 3,
    active: Active = "auto",
    factor_bins: FactorBins = None,
    correction: Correction = "none",
) -> MetricValue:
    """Modularity: how small a latent's information about the other factors is beside its best one.

    The score is

        mean over active latents j of 1 - sum over the other factors k of I_jk^2 / ((K - 1) I_j(1)^2)

    with I_j(1) the latent's largest mutual information. Pure noise scores high: read it beside its chance
    level.

    Parameters
    ----------
    bins, strategy, estimator, k
        As for `mig`.
    active
        Which latents are averaged, as for `mig_sup`.
    factor_bins, correction
        As for `mig`.

    Returns
    -------
    Range [0, 1], higher is better. Parts: `per_latent`, NaN for inactive ones. Details:
    `mutual_information` (D, K) in nats, `active` (D,).

    Chance level
    ------------
    Far above 0: 0.32 was measured on 1,000 rows of 5 normal latents and 5 factors of 5 values, all
    independent, and 0.67 with the unequal factor sizes of dSprites, as of noise too one factor seems to
    be told of most. More rows do not lower it.

    Degenerate cases
    ----------------
    An active latent without any information contributes 0. A constant factor is left out. Fewer
    than two factors that vary, or no active latent: NaN.

    Cost
    ----
    With "histogram" one pass over the rows, time O(N D K), and memory O(D B (V + 1,024 K)) for the
    counts, whatever N is. The other estimators as for `mig`. All rows are read. The table is shared by
    all metrics that read it with these settings.

    References
    ----------
    Ridgeway, Mozer. Learning deep disentangled embeddings with the F-statistic loss. NeurIPS 2018.
    """
    varying = relations.need_factors(2, "modularity")
    units = relations.active(active)
    information = relations.mutual_information(
        bins=bins, strategy=strategy, estimator=estimator, factor_bins=factor_bins, k=k, correction=correction
    )
    mutual = information.mutual_information[:, varying]
    best = mutual.max(axis=1)
    informed = best > 0
    # Divide before squaring: a tiny squared information would underflow.
    shares = np.divide(mutual, best[:, None], out=np.zeros_like(mutual), where=informed[:, None])
    others = np.sum(shares**2, axis=1) - 1
    per_latent = np.where(informed, 1 - others / (mutual.shape[1] - 1), 0.0)
    per_latent = np.where(units.mask, np.clip(per_latent, 0.0, 1.0), np.nan)
    return MetricValue(
        value=float(np.nanmean(per_latent)),
        per_latent=per_latent,
        details={
            "mutual_information": Labelled(information.mutual_information, ("latents", "factors")),
            "active": Labelled(units.mask, ("latents",)),
        },
        warnings=units.warnings + information.remarks,
    )
