"""MIG-sup: does each latent tell of one factor only?"""

from __future__ import annotations

from typing import Literal

import numpy as np

from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import Labelled, MetricValue
from disentangle_metrics.metrics.shared.gap import NEIGHBOURS, SAMPLES, gap, gap_in_order_of, normalised
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.settings import (
    Active,
    Bins,
    Correction,
    FactorBins,
    InformationEstimator,
    Neighbours,
    Normaliser,
    Samples,
    Strategy,
)


@metric(
    property="modularity",
    relation="mutual information",
    source="Li et al. 2020",
    silent=("correction", "factor_bins", "normaliser", "order"),
    only_with={**NEIGHBOURS, **SAMPLES},
    range_with={"order": ("information", (-1.0, 1.0))},
    by_factor=True,
    interval_studied=True,
    suite=True,
    from_counts=True,
    version=2,
)
def mig_sup(
    relations: Relations,
    *,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    estimator: InformationEstimator = "histogram",
    k: Neighbours = 3,
    active: Active = "auto",
    normaliser: Normaliser = "factor",
    factor_bins: FactorBins = None,
    correction: Correction = "none",
    samples: Samples = 10_000,
    order: Literal["share", "information"] = "share",
) -> MetricValue:
    """MIG-sup: how far the best factor of a latent is ahead of the second best.

    The score is

        mean over active latents j of n_j(1) - n_j(2),  n_jk = I_jk / H(v_k)

    where (1), (2) are the factors with the largest and second largest. It measures modularity and
    complements `mig`: it sees two factors merged in one latent, and does not see one factor spread over
    two.

    Parameters
    ----------
    bins, strategy, estimator, k
        As for `mig`.
    active
        Which latents are averaged. "auto": with a posterior those whose mean has a variance above
        0.01 (as in the paper), otherwise "varying". "varying": all that are not constant. A number: those
        with a larger variance; None: all.
    normaliser, factor_bins, correction, samples
        As for `mig`.
    order
        What chooses the two factors: their share n_jk, or their information I_jk in nats, divided
        afterwards. With "information" the second may have the larger share, and a latent counts below 0.
        Of factors with the same information the larger share comes first.

    Returns
    -------
    Range [0, 1], with `order` "information" [-1, 1]; higher is better. Parts: `per_latent`, NaN for
    inactive ones. Details: `normalised_mutual_information` (D, K), `active` (D,).

    Chance level
    ------------
    About 0: 0.003 was measured on 1,000 rows of 5 normal latents and 5 factors of 5 values, all
    independent, 0.0004 on 10,000.

    Degenerate cases
    ----------------
    An active latent that tells nothing contributes 0. A constant factor is left out. Fewer than
    two factors that vary, or no active latent: NaN.

    Cost
    ----
    With "histogram" one pass over the rows, time O(N D K), and memory O(D B (V + 1,024 K)) for the
    counts, whatever N is. The other estimators as for `mig`. All rows are read. The table is shared by
    all metrics that read it with these settings.

    References
    ----------
    Li, Murkute, Gyawali, Wang. Progressive learning and disentanglement of hierarchical representations.
    ICLR 2020.
    """
    varying = relations.need_factors(2, "MIG-sup")
    units = relations.active(active)
    information = relations.mutual_information(
        bins=bins,
        strategy=strategy,
        estimator=estimator,
        factor_bins=factor_bins,
        k=k,
        correction=correction,
        samples=samples,
    )
    shares = normalised(information, normaliser, varying)
    if order == "share":
        gaps = gap(shares, axis=1)
    else:
        gaps = gap_in_order_of(information.mutual_information, shares)
    per_latent = np.where(units.mask, gaps, np.nan)
    return MetricValue(
        value=float(np.nanmean(per_latent)),
        per_latent=per_latent,
        details={
            "normalised_mutual_information": Labelled(shares, ("latents", "factors")),
            "active": Labelled(units.mask, ("latents",)),
        },
        warnings=units.warnings + information.remarks,
    )
