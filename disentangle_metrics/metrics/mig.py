"""Mutual information gap: is each factor told by one latent only?"""

from __future__ import annotations

import numpy as np

from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import Labelled, MetricValue
from disentangle_metrics.metrics.shared.gap import NEIGHBOURS, SAMPLES, gap, normalised
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.settings import (
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
    property="compactness",
    relation="mutual information",
    source="Chen et al. 2018",
    silent=("correction", "factor_bins", "normaliser"),
    only_with={**NEIGHBOURS, **SAMPLES},
    by_factor=True,
    interval_studied=True,
    suite=True,
    from_counts=True,
    version=2,
)
def mig(
    relations: Relations,
    *,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    estimator: InformationEstimator = "histogram",
    k: Neighbours = 3,
    normaliser: Normaliser = "factor",
    factor_bins: FactorBins = None,
    correction: Correction = "none",
    samples: Samples = 10_000,
) -> MetricValue:
    """Mutual information gap (MIG): how far the best latent of a factor is ahead of the second best.

    The score is

        mean over factors k of (I_(1)k - I_(2)k) / H(v_k)

    where I_jk is the mutual information of latent j and factor k, and (1), (2) are the latents with the
    largest and second largest. It measures compactness: a factor spread over several latents scores low.
    So does one that goes round, a hue or an angle, if two latents draw it as a circle: about 0, however
    well they tell it and nothing else. It does not see two factors merged in one latent; `mig_sup` does.

    Parameters
    ----------
    bins
        Number of bins of each latent, and of continuous factors. Few bins hide fine factors: with
        20 bins a factor of 40 values cannot reach 1 (see the ceiling in the report).
    strategy
        "uniform" (equal width) or "quantile" (equal shares of the rows).
    estimator
        How the mutual information is estimated. "histogram": plug-in on the binned latents.
        "nearest_neighbours": from distances, with no bins on latents; it sees fine structure, and
        scatters by about 0.01 nats around the truth. "posterior": from the density of all posteriors
        q(z | x), exact to 1e-4 nats; needs a GaussianPosterior. "posterior_monte_carlo": the same by
        sampling, as the metric was published; it scatters by 1 / sqrt(samples) nats and takes minutes
        at 10,000 rows.
    k
        Number of neighbours, for "nearest_neighbours": more of them scatter less and blur more.
    normaliser
        "factor": the factor's entropy; "values": the logarithm of its number of values, which is the
        same on a full grid and what Chen et al. and Li et al. divide by; "latent": the entropy of each
        binned latent, as the review of Carbonneau et al. 2022 computes it, which lowers a perfect
        code as bins exceed the factor's values.
    factor_bins
        Cut categorical factors of more values than this into as many bins of equal width, as that
        review does; None keeps their values. Texts are cut as they are listed, by the alphabet or as their
        categories are, and a check says so: other names then give another score.
    correction
        "none": entropies of counts as they are; those of few rows are too small, and the information
        too large. "miller_madow": each is raised by (occupied cells - 1) / (2 rows), its bias to first
        order; with "histogram" only.
    samples
        For "posterior_monte_carlo": of each latent, and of each latent given each value.

    Returns
    -------
    Range [0, 1], higher is better. Parts: `per_factor`, the gap of each factor. Details:
    `mutual_information` (D, K) and `factor_entropy` (K,), in nats.

    Chance level
    ------------
    About 0: 0.003 was measured on 1,000 rows of 5 normal latents and 5 factors of 5 values, all
    independent, 0.0003 on 10,000.

    Degenerate cases
    ----------------
    Information estimated from neighbours or posteriors is cut to [0, H(v_k)], with a warning if
    neighbours or samples exceed that by more than 1 percent. A constant latent changes nothing. A constant
    factor is left out. With one latent the second largest is 0. No factor that varies: NaN.

    Cost
    ----
    With "histogram" one pass over chunks of rows, time O(N D K), less where factors of few values share a
    table. Memory O(D B (V + 1,024 K)) for the counts, whatever N is ("quantile" sorts each latent first).
    "nearest_neighbours": time O(D K N (k + log N)), memory O(N). "posterior": 19 to 35 densities for each
    posterior, time O(N D K) and O(V) for each node of the grid, memory O(N) and sections of up to 32 MiB.
    "posterior_monte_carlo": time O(samples N D K), memory O(N). All rows are read. The table is shared by
    all metrics that read it with these settings.

    References
    ----------
    Chen, Li, Grosse, Duvenaud. Isolating sources of disentanglement in VAEs. NeurIPS 2018.
    """
    varying = relations.need_factors(1, "MIG")
    information = relations.mutual_information(
        bins=bins,
        strategy=strategy,
        estimator=estimator,
        factor_bins=factor_bins,
        k=k,
        correction=correction,
        samples=samples,
    )
    per_factor = gap(normalised(information, normaliser, varying), axis=0)
    return MetricValue(
        value=float(np.nanmean(per_factor)),
        per_factor=per_factor,
        details={
            "mutual_information": Labelled(information.mutual_information, ("latents", "factors")),
            "factor_entropy": Labelled(information.factor_entropy, ("factors",)),
        },
        warnings=information.remarks,
    )
