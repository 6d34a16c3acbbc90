"""Minimality: does a latent hold nothing but one factor?"""

from __future__ import annotations

import numpy as np

from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import Labelled, MetricValue
from disentangle_metrics.metrics.shared.gap import NEIGHBOURS, need_counted
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.settings import Active, Bins, FactorBins, InformationEstimator, Neighbours, Strategy


@metric(
    property="modularity",
    relation="mutual information",
    source="Almudevar and Ortega 2024",
    silent=("factor_bins",),
    only_with=NEIGHBOURS,
    interval="subsample",  # halves show more of the bias of cells with few rows: see docs/intervals.md
    interval_studied=True,
    from_counts=True,
    version=2,
)
def minimality(
    relations: Relations,
    *,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    estimator: InformationEstimator = "histogram",
    k: Neighbours = 3,
    active: Active = "auto",
    factor_bins: FactorBins = None,
) -> MetricValue:
    """Minimality: the share of a latent's own entropy that its best factor accounts for.

    The score is

        mean over active latents j of max_k I_jk / H(z_j)

    with the binned latent's entropy. What a latent holds beside one factor, be it another factor, a
    nuisance or noise, lowers it. But factors that depend on each other are not held against it, as a gap
    to the second best factor would be. It is read together with `sufficiency`.

    Parameters
    ----------
    bins, strategy, estimator, k, factor_bins
        As for `mig`. Only "histogram" has the entropy of binned latents that is divided by; with the
        other estimators the score is NaN. The authors' code takes 15 bins. More bins resolve more of
        a latent's noise, and lower the score.
    active
        Which latents are averaged, as for `mig_sup`; the authors average all.

    Returns
    -------
    Range [0, 1], higher is better. Parts: `per_latent`, NaN for inactive ones. Details:
    `mutual_information` (D, K) and `latent_entropy` (D,), in nats, and `active` (D,).

    Chance level
    ------------
    About 0: 0.018 was measured on 1,000 rows of 5 normal latents and 5 factors of 5 values, all
    independent, 0.002 on 10,000.

    Degenerate cases
    ----------------
    A constant latent has no entropy: it is inactive, and with ``active=None`` it counts 0 (the
    authors' code gives NaN). A constant factor is left out. No factor that varies, or no active
    latent: NaN.

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
    varying = relations.need_factors(1, "minimality")
    units = relations.active(active)
    information = relations.mutual_information(
        bins=bins, strategy=strategy, estimator=estimator, factor_bins=factor_bins, k=k
    )
    need_counted(information, "minimality")
    best = information.mutual_information[:, varying].max(axis=1)
    entropy = information.latent_entropy
    share = np.divide(best, entropy, out=np.zeros_like(best), where=entropy > 0)
    per_latent = np.where(units.mask, share, np.nan)
    return MetricValue(
        value=float(np.nanmean(per_latent)),
        per_latent=per_latent,
        details={
            "mutual_information": Labelled(information.mutual_information, ("latents", "factors")),
            "latent_entropy": Labelled(entropy, ("latents",)),
            "active": Labelled(units.mask, ("latents",)),
        },
        warnings=units.warnings + information.remarks,
    )
