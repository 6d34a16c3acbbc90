"""DLIG: the lead of a latent's best factor, for factors that depend on each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.checks import Check
from disentangle_metrics.errors import NotApplicable
from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import Labelled, MetricValue
from disentangle_metrics.metrics.shared.assignment import conditional_entropies, standing, tied_for_largest
from disentangle_metrics.metrics.shared.gap import NEIGHBOURS, TIE
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
    property="modularity",
    range=(-np.inf, np.inf),
    relation="mutual information, and the entropy of each factor given another",
    source="Watcharasupat 2021",
    silent=("assignment", "factor_bins"),
    only_with=NEIGHBOURS,
    interval_studied=True,
    version=2,
)
def dlig(
    relations: Relations,
    *,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
    estimator: InformationEstimator = "histogram",
    k: Neighbours = 3,
    assignment: Assignment = None,
    factor_bins: FactorBins = None,
) -> MetricValue:
    """Dependency-aware latent information gap (DLIG): does a latent tell of one factor only?

    The score is

        mean over the latents d that stand for a factor of (I_di - I_dk) / H(v_i | v_k)

    where i is the factor of which the latent tells most and k the second. The counterpart of `dmig` for
    latents, as `mig_sup` is of `mig`: a latent that merges two factors scores low, but not for what its
    factor itself tells of another.

    Parameters
    ----------
    bins, strategy, estimator, k, factor_bins
        As for `mig`.
    assignment
        The number of the latent that stands for each factor. I is then that factor, and a latent of
        several factors counts once for each. None: the latents that tell most of some factor.

    Returns
    -------
    Range [0, 1] with "histogram", higher is better; a perfect code has 1. With an assignment negative
    where the latent tells more of another factor. Parts: `per_latent`, NaN for latents that stand for no
    factor. Details: `mutual_information` (D, K) and `conditional_entropy` (K, K), of the row's factor
    given the column's, in nats.

    Chance level
    ------------
    About 0: 0.004 was measured on 1,000 rows of 5 normal latents and 5 factors of 5 values, all
    independent.

    Degenerate cases
    ----------------
    Two factors tied for the most: 0. Several factors tied for the second place: the one on which v_i
    depends most. A factor that another one determines cannot be ahead of it by counts. If an assignment
    or another estimator puts it first, the latent is left out with a warning. A constant latent stands for
    no factor. A constant factor is left out. Fewer than two factors that vary, or no latent that
    tells of any: NaN.

    Cost
    ----
    With "histogram" one pass over the rows, time O(N D K), and memory O(D B (V + 1,024 K)) for the
    counts, whatever N is. The other estimators as for `mig`. All rows are read. The table is shared by
    all metrics that read it with these settings. The entropies of pairs of factors add time O(N K^2) and,
    for one pair at a time, memory O(N).

    References
    ----------
    Watcharasupat. Controllable music: supervised learning of disentangled representations for music
    generation. 2021; computed as in the author's published package Latte (Watcharasupat, Lee, Lerch.
    Software Impacts 2022), where latents are assigned by their position.
    """
    varying = relations.need_factors(2, "DLIG")
    information = relations.mutual_information(
        bins=bins, strategy=strategy, estimator=estimator, factor_bins=factor_bins, k=k
    )
    mutual = information.mutual_information
    stands = standing(mutual, varying, assignment)
    if not stands.any():
        raise NotApplicable("no latent tells of any factor")
    given = conditional_entropies(relations, bins, strategy, factor_bins)
    columns = np.flatnonzero(varying)
    per_latent, times = np.full(len(mutual), np.nan), np.zeros(len(mutual))
    for latent in map(int, np.flatnonzero(stands.any(axis=1))):
        row = mutual[latent, columns]
        first = np.flatnonzero(stands[latent, columns]) if assignment is not None else [int(row.argmax())]
        leads = [_lead(row, int(i), given[np.ix_(columns, columns)]) for i in first]
        known = [value for value in leads if not np.isnan(value)]
        if known:
            per_latent[latent], times[latent] = float(np.mean(known)), len(known)
    if np.isnan(per_latent).all():
        raise NotApplicable("each factor is determined by another one")
    lost = tuple(
        Check(
            "factor_left_out",
            f"latent {relations.inputs.latent_names[j]}: its factor is determined by another one; left out",
            "leave out one of the two factors",
            relations.inputs.latent_names[j],
        )
        for j in np.flatnonzero(stands.any(axis=1) & np.isnan(per_latent))
    )
    return MetricValue(
        value=float(np.nansum(per_latent * times) / times.sum()),
        per_latent=per_latent,
        details={
            "mutual_information": Labelled(mutual, ("latents", "factors")),
            "conditional_entropy": Labelled(given, ("factors", "factors")),
        },
        warnings=lost + information.remarks,
    )


def _lead(row: NDArray[np.float64], i: int, given: NDArray[np.float64]) -> float:
    """(I_i - I_k) / H(v_i | v_k) of one latent; NaN where nothing is left to divide by."""
    others = np.delete(np.arange(len(row)), i)
    seconds = others[tied_for_largest(row[others])]
    lead = float(row[i] - row[seconds].max())
    if abs(lead) <= TIE * row.max():
        return 0.0
    left = float(given[i, seconds].min())
    return lead / left if left > 0 else np.nan
