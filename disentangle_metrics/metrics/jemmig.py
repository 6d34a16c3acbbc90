"""JEMMIG: is each factor told by one latent only, which tells nothing else?"""

from __future__ import annotations

from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import MetricValue
from disentangle_metrics.metrics.shared.gap import NEIGHBOURS, joint_entropy_minus_gap, need_counted
from disentangle_metrics.relations.cells import log_cells
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
    source="Do and Tran 2020",
    silent=("correction", "factor_bins"),
    only_with=NEIGHBOURS,
    by_factor=True,
    interval_studied=True,
    suite=True,
    from_counts=True,
    version=2,
)
def jemmig(
    relations: Relations,
    *,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    estimator: InformationEstimator = "histogram",
    k: Neighbours = 3,
    factor_bins: FactorBins = None,
    correction: Correction = "none",
) -> MetricValue:
    """Joint entropy minus mutual information gap (JEMMIG), normalised so that higher is better.

    The score is

        mean over factors k of 1 - (H(z*, v_k) - I_(1)k + I_(2)k) / (H(v_k) + log B)

    where (1), (2) are the latents with the largest and second largest mutual information, z* is the first
    of them, and B the number of its bins. Beside the gap of `mig` it asks that the best latent hold no more
    than its factor: a latent that merges two factors, or carries noise, has a large joint entropy.

    Parameters
    ----------
    bins
        Number of bins of each latent, and of continuous factors. B of a categorical latent is the number of
        its values, of a group the product over its columns.
    strategy, estimator, k, factor_bins, correction
        As for `mig`. Only "histogram" has the entropy of binned latents that the score is made of;
        with the other estimators it is NaN.

    Returns
    -------
    Range [0, 1], higher is better; the authors' own form is the fraction alone, lower is better. A
    perfect code of fewer values than bins scores 1. Parts: `per_factor`. Details: `mutual_information`
    and `joint_entropy` (D, K), `factor_entropy` (K,), in nats.

    Chance level
    ------------
    (log B - H(z*)) / (H(v_k) + log B): above 0 unless the best latent fills its bins evenly. 0.11 was
    measured on 1,000 rows of 5 normal latents and 5 factors of 5 values, all independent, 0.14 on 10,000.

    Degenerate cases
    ----------------
    Latents tied for the largest information (within 1e-9 of it): z* is the one with the smallest
    joint entropy, so that the order of the latents does not matter. With one latent the second
    largest is 0. A constant factor is left out. No factor that varies: NaN.

    Cost
    ----
    With "histogram" one pass over the rows, time O(N D K), and memory O(D B (V + 1,024 K)) for the
    counts, whatever N is. The other estimators as for `mig`. All rows are read. The table is shared by
    all metrics that read it with these settings.

    References
    ----------
    Do, Tran. Theory and evaluation metrics for learning disentangled representations. ICLR 2020
    (there unnormalised); the form that rises with quality is that of Carbonneau et al. Measuring
    disentanglement: a review of metrics. TNNLS 2022.
    """
    varying = relations.need_factors(1, "JEMMIG")
    information = relations.mutual_information(
        bins=bins, strategy=strategy, estimator=estimator, factor_bins=factor_bins, k=k, correction=correction
    )
    need_counted(information, "JEMMIG")
    return joint_entropy_minus_gap(information, log_cells(relations, bins), varying, information.remarks)
