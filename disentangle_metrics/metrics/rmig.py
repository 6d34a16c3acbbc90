"""Robust MIG: the mutual information gap of posteriors that are spread over fixed bins."""

from __future__ import annotations

import numpy as np

from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import Labelled, MetricValue
from disentangle_metrics.metrics.shared.gap import divisor, gap
from disentangle_metrics.metrics.shared.quantised import beyond, edges_between
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.settings import Bins, Ends, Mass, Strategy


@metric(
    property="compactness",
    relation="mutual information of quantised posteriors",
    source="Do and Tran 2020",
    scale_free=False,
    silent=("limits", "mass"),
    needs_posterior=True,
    by_factor=True,
    interval_studied=True,
    version=2,
)
def rmig(
    relations: Relations,
    *,
    bins: Bins = 100,
    strategy: Strategy = "uniform",
    limits: Ends = (-4.0, 4.0),
    mass: Mass = "integral",
) -> MetricValue:
    """Robust mutual information gap (RMIG): `mig` of quantised latents whose noise is not ignored.

    The score is

        mean over factors k of (I_(1)k - I_(2)k) / H(v_k)

    as for `mig`, but each row counts in every bin with the probability that its posterior q(z_j | x) has
    there. Two values of a factor whose posteriors overlap are then not told apart, which the means alone
    would hide.

    Parameters
    ----------
    bins
        Number of bins of equal width between the limits; also of continuous factors.
    strategy
        How continuous factors are cut, as for `mig`.
    limits
        Smallest and largest edge, the same for all latents; the outer bins take what lies outside.
    mass
        What a bin has of a posterior: "integral", its probability. "density", the density at the bin's
        centre in proportion to the other bins', as in the authors' code, which comes closer to the
        information before binning where posteriors are wider than bins.

    Returns
    -------
    Range [0, 1], higher is better. Parts: `per_factor`. Details: `mutual_information` (D, K) and
    `factor_entropy` (K,), in nats.

    Chance level
    ------------
    About 0: nearer to it than `mig`, since wide posteriors blur the counts.

    Degenerate cases
    ----------------
    Latents without posteriors: NaN. A constant latent changes nothing. A constant factor is left
    out. With one latent the second largest is 0. No factor that varies: NaN. More than 1 percent of
    a latent beyond the limits gives a warning.

    Cost
    ----
    One pass over chunks of 8,192 rows, time O(N D B K), memory O(D B V) for the counts, whatever N is.
    All rows are read.

    References
    ----------
    Do, Tran. Theory and evaluation metrics for learning disentangled representations. ICLR 2020.
    """
    varying = relations.need_factors(1, "RMIG")
    edges = edges_between(limits, bins)
    information, outside = relations.quantised_information(edges, bins, strategy, mass)
    per_factor = gap(information.mutual_information, axis=0) / divisor(information, varying)
    return MetricValue(
        value=float(np.nanmean(per_factor)),
        per_factor=per_factor,
        details={
            "mutual_information": Labelled(information.mutual_information, ("latents", "factors")),
            "factor_entropy": Labelled(information.factor_entropy, ("factors",)),
        },
        warnings=beyond(relations.inputs.latent_names, outside, limits),
    )
