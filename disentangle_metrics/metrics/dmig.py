"""DMIG: the mutual information gap for factors that depend on each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import NotApplicable
from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import Labelled, MetricValue
from disentangle_metrics.metrics.shared.assignment import (
    conditional_entropies,
    determined,
    standing,
    tied_for_largest,
)
from disentangle_metrics.metrics.shared.gap import NEIGHBOURS
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
    range=(-np.inf, np.inf),
    relation="mutual information, and the entropy of each factor given another",
    source="Watcharasupat and Lerch 2021",
    silent=("assignment", "factor_bins"),
    only_with=NEIGHBOURS,
    interval_studied=True,
    version=2,
)
def dmig(
    relations: Relations,
    *,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    estimator: InformationEstimator = "histogram",
    k: Neighbours = 3,
    assignment: Assignment = None,
    factor_bins: FactorBins = None,
) -> MetricValue:
    """Dependency-aware mutual information gap (DMIG): `mig` that does not punish dependent factors.

    The score is

        mean over factors i of (I_ji - I_ki) / H(v_i | v_l)

    where j is the latent of factor i, k the other latent with the largest information about it, and v_l
    the factor that latent k stands for. Where k stands for none, H(v_i | v_l) is H(v_i). If v_i and v_l
    depend on each other, even a perfect latent of v_l tells of v_i, and the gap cannot exceed H(v_i |
    v_l): a perfect code scores 1, where `mig` gives it less.

    Parameters
    ----------
    bins, strategy, estimator, k, factor_bins
        As for `mig`.
    assignment
        The number of the latent that stands for each factor, as where training tied latents to
        factors; None: the latent that tells most of it.

    Returns
    -------
    Higher is better, a perfect code has 1. Range [0, inf): a gap can exceed H(v_i | v_l) if latent k
    stands for v_l but tells little of it. With an assignment (-inf, inf): negative where another latent
    tells more than the assigned one. Parts: `per_factor`. Details: `mutual_information` (D, K) and
    `denominator` (K,), in nats.

    Chance level
    ------------
    About 0: 0.003 was measured on 1,000 rows of 5 normal latents and 5 factors of 5 values, all
    independent.

    Degenerate cases
    ----------------
    Two latents tied for the most information: 0. If latent k stands for several factors, or several
    latents are tied for it, v_l is the factor on which v_i depends most. A factor that v_l
    determines is left out with a warning. A constant latent changes nothing, and with one latent
    I_ki is 0. A constant factor is left out. No factor left: NaN.

    Cost
    ----
    With "histogram" one pass over the rows, time O(N D K), and memory O(D B (V + 1,024 K)) for the
    counts, whatever N is. The other estimators as for `mig`. All rows are read. The table is shared by
    all metrics that read it with these settings. The entropies of pairs of factors add time O(N K^2) and,
    for one pair at a time, memory O(N).

    References
    ----------
    Watcharasupat, Lerch. Evaluation of latent space disentanglement in the presence of interdependent
    attributes. ISMIR 2021, late-breaking; computed as in the authors' published package Latte
    (Watcharasupat, Lee, Lerch. Software Impacts 2022), where latents are assigned by their position.
    """
    varying = relations.need_factors(1, "DMIG")
    information = relations.mutual_information(
        bins=bins, strategy=strategy, estimator=estimator, factor_bins=factor_bins, k=k
    )
    mutual = information.mutual_information
    stands = standing(mutual, varying, assignment)
    given = conditional_entropies(relations, bins, strategy, factor_bins)
    per_factor, denominator = np.full(len(varying), np.nan), np.full(len(varying), np.nan)
    for i in map(int, np.flatnonzero(varying)):
        denominator[i] = information.factor_entropy[i]
        gap, seconds = _gap(mutual[:, i], stands[:, i])
        rivals = np.asarray(stands[seconds].any(axis=0))
        rivals[i] = False
        if rivals.any():
            denominator[i] = min(denominator[i], given[i, rivals].min())
        if gap == 0:
            per_factor[i] = 0.0
        elif denominator[i] > 0:
            per_factor[i] = gap / denominator[i]
    if np.isnan(per_factor).all():
        raise NotApplicable("each factor is determined by another one")
    lost = [int(i) for i in np.flatnonzero(varying & np.isnan(per_factor))]
    return MetricValue(
        value=float(np.nanmean(per_factor)),
        per_factor=per_factor,
        details={
            "mutual_information": Labelled(mutual, ("latents", "factors")),
            "denominator": Labelled(denominator, ("factors",)),
        },
        warnings=determined(relations.inputs.factor_names, lost) + information.remarks,
    )


def _gap(column: NDArray[np.float64], mine: NDArray[np.bool_]) -> tuple[float, NDArray[np.int64]]:
    """The lead of a factor's latent over the best other one, and which others are tied for that place."""
    if mine.sum() != 1:  # tied, or none tells anything
        return 0.0, np.zeros(0, dtype=np.int64)
    others = np.flatnonzero(~mine)
    seconds = others[tied_for_largest(column[others])]
    second = column[seconds].max() if len(seconds) else 0.0
    return float(column[mine][0] - second), seconds
