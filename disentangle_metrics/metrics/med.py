"""MED: the disentanglement of DCI, with mutual information for the importances."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import Labelled, MetricValue
from disentangle_metrics.metrics.shared.concentration import columns_to_one, concentration
from disentangle_metrics.metrics.shared.gap import NEIGHBOURS
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.settings import AtLeast, Bins, FactorBins, InformationEstimator, Neighbours, Strategy

DECIMALS = 9  # to which disentanglements and shares are compared, so that rounding decides nothing


@metric(
    property="modularity",
    no_interval="resampled ones missed the truth far too often in tests",
    relation="mutual information",
    source="Cao et al. 2022",
    silent=("factor_bins",),
    only_with=NEIGHBOURS,
    by_factor=True,
    from_counts=True,
    version=2,
)
def med(
    relations: Relations,
    *,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    estimator: InformationEstimator = "histogram",
    k: Neighbours = 3,
    top: Annotated[int, AtLeast(1)] | None = None,
    factor_bins: FactorBins = None,
) -> MetricValue:
    """Mutual-information-based entropy disentanglement (MED): is each latent's information about one factor?

    With R_jk the share of the information about factor k that latent j has, and H_K the entropy to base
    K:

        R_jk = I_jk / sum over latents i of I_ik
        score = sum over j of w_j (1 - H_K(R_j. / sum_k R_jk)),  w_j = sum_k R_jk / sum of R

    It is `dci_disentanglement` without a predictor, so that it stays fast and stable for codes of
    hundreds of latents, for which it was made. Since every factor's shares sum to 1, a factor that no
    latent tells much of weighs as much as the others.

    Parameters
    ----------
    bins, strategy, estimator, k, factor_bins
        As for `mig`.
    top
        Top-k MED: for each factor only the `top` most disentangled of the latents that tell most of
        it are kept, so that a well-ordered part of a large code is seen; None keeps all.

    Returns
    -------
    Range [0, 1], higher is better. Parts: `per_latent`, NaN for latents that `top` leaves out. Details:
    `importances` (D, K), the table R.

    Chance level
    ------------
    About 0, but well above 0 with `top`, which picks the luckiest of many latents: without it 0.004 was
    measured on 1,000 rows of 5 normal latents and 5 factors of 5 values, all independent.

    Degenerate cases
    ----------------
    A latent without information has weight 0, and so has a factor that no latent tells of (the authors'
    code gives NaN). A latent that tells most of two factors alike is a candidate for both. Of equally
    disentangled latents `top` takes those with more mass. A constant factor is left out. No information
    at all: 0. Fewer than two factors that vary: NaN.

    Cost
    ----
    With "histogram" one pass over the rows, time O(N D K), and memory O(D B (V + 1,024 K)) for the
    counts, whatever N is. The other estimators as for `mig`. All rows are read. The table is shared by
    all metrics that read it with these settings. `top` adds O(K D log D).

    References
    ----------
    Cao, Nai, Yang, Huang, Gao. An empirical study on disentanglement of negative-free contrastive
    learning. NeurIPS 2022; computed as in the authors' published code.
    """
    varying = relations.need_factors(2, "MED")
    information = relations.mutual_information(
        bins=bins, strategy=strategy, estimator=estimator, factor_bins=factor_bins, k=k
    )
    shares = columns_to_one(information.mutual_information[:, varying])
    per_latent, value = concentration(shares)
    if top is not None:
        kept = _best_of_each_factor(shares, per_latent, int(top))
        value = concentration(shares[kept])[1]
        per_latent = np.where(kept, per_latent, np.nan)
    shown = np.full_like(information.mutual_information, np.nan)
    shown[:, varying] = shares
    return MetricValue(
        value=value,
        per_latent=per_latent,
        details={"importances": Labelled(shown, ("latents", "factors"))},
        warnings=information.remarks,
    )


def _best_of_each_factor(
    shares: NDArray[np.float64], disentanglement: NDArray[np.float64], top: int
) -> NDArray[np.bool_]:
    """For each factor the `top` most disentangled of the latents with their largest share in it; a mask."""
    kept = np.zeros(len(shares), dtype=bool)
    rounded = np.round(shares, DECIMALS)
    mass = np.round(shares.sum(axis=1), DECIMALS)
    order = np.lexsort((-mass, -np.round(disentanglement, DECIMALS)))
    largest = (rounded == rounded.max(axis=1, keepdims=True)) & (rounded > 0)
    for column in largest.T:
        kept[order[column[order]][:top]] = True
    return kept
