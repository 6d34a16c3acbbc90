"""XMIG: the mutual information gap to the latents that stand for no factor."""

from __future__ import annotations

import numpy as np

from disentangle_metrics.errors import NotApplicable
from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import Labelled, MetricValue
from disentangle_metrics.metrics.shared.assignment import standing
from disentangle_metrics.metrics.shared.gap import NEIGHBOURS, TIE, divisor
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.settings import (
    Assignment,
    Bins,
    FactorBins,
    InformationEstimator,
    Neighbours,
    Strategy,
)


@metric(
    property="compactness",
    range=(-1.0, 1.0),
    relation="mutual information",
    source="Watcharasupat 2021",
    silent=("assignment", "factor_bins"),
    only_with=NEIGHBOURS,
    has_ceiling=False,
    interval_studied=True,
    from_counts=True,
    version=2,
)
def xmig(
    relations: Relations,
    *,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    estimator: InformationEstimator = "histogram",
    k: Neighbours = 3,
    assignment: Assignment = None,
    factor_bins: FactorBins = None,
) -> MetricValue:
    """Dependency-blind mutual information gap (XMIG): do spare latents tell of a factor too?

    The score is

        mean over factors i of (I_ji - I_ki) / H(v_i)

    where j is the latent of factor i and k the latent with the largest information about it among those
    that stand for no factor. Latents of other factors are not looked at, so that dependent factors cost
    nothing; `dmig` looks at all.

    Parameters
    ----------
    bins, strategy, estimator, k, factor_bins
        As for `mig`.
    assignment
        As for `dmig`.

    Returns
    -------
    Range [0, 1], higher is better; with an assignment [-1, 1], negative where a spare latent tells more
    than the assigned one. Parts: `per_factor`. Details: `mutual_information` (D, K) and `factor_entropy`
    (K,), in nats, and `spare` (D,).

    Chance level
    ------------
    About 0: 0.004 was measured on 1,000 rows of 5 normal latents and 5 factors of 5 values, all
    independent.

    Degenerate cases
    ----------------
    Of several latents tied for a factor one stands for it and the others are spare, so that its gap is
    0. No matter which, all of them are compared with the other factors. A constant latent is spare. A
    constant factor is left out. No spare latent, or no factor that varies: NaN. A report has no ceiling: a
    code of one latent for each factor has no spare one.

    Cost
    ----
    With "histogram" one pass over the rows, time O(N D K), and memory O(D B (V + 1,024 K)) for the
    counts, whatever N is. The other estimators as for `mig`. All rows are read. The table is shared by
    all metrics that read it with these settings.

    References
    ----------
    Watcharasupat. Controllable music: supervised learning of disentangled representations for music
    generation. 2021; computed as in the author's published package Latte (Watcharasupat, Lee, Lerch.
    Software Impacts 2022), where latents are assigned by their position.
    """
    varying = relations.need_factors(1, "XMIG")
    information = relations.mutual_information(
        bins=bins, strategy=strategy, estimator=estimator, factor_bins=factor_bins, k=k
    )
    mutual = information.mutual_information
    stands = standing(mutual, varying, assignment)
    spare = np.asarray(~stands[:, stands.sum(axis=0) == 1].any(axis=1))
    if not spare.any():
        raise NotApplicable("XMIG needs a latent that stands for no factor, and each stands for one")
    # A factor of which no latent tells has no latent either, and a gap of 0.
    first = np.where(stands, mutual, -np.inf).max(axis=0)
    gaps = np.where(stands.any(axis=0), first, 0.0) - mutual[spare].max(axis=0)
    tied = np.abs(gaps) <= TIE * mutual.max(axis=0)
    per_factor = np.where(tied, 0.0, gaps) / divisor(information, varying)
    return MetricValue(
        value=float(np.nanmean(per_factor)),
        per_factor=per_factor,
        details={
            "mutual_information": Labelled(mutual, ("latents", "factors")),
            "factor_entropy": Labelled(information.factor_entropy, ("factors",)),
            "spare": Labelled(spare, ("latents",)),
        },
        warnings=information.remarks,
    )
