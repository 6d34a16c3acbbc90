"""OMES: does a change of one factor change one latent, and does that latent change with no other factor?"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.checks import Check
from disentangle_metrics.errors import NotApplicable
from disentangle_metrics.estimators.interventions import correlation_across
from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import Labelled, MetricValue
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.settings import Active, Bins, Share, Strategy


@metric(
    property="compactness and modularity",
    relation="latents of rows that differ in one factor alone",
    source="Dapueto et al. 2024",
    interval_studied=True,
    version=2,
)
def omes(
    relations: Relations,
    *,
    alpha: Share = 0.5,
    pooling: Literal["max", "mean"] = "max",
    active: Active = "auto",
    bins: Bins = 20,
    strategy: Strategy = "uniform",
) -> MetricValue:
    """OMES, overlap and multiple encoding scores: how latents answer to a change of one factor alone.

    Over pairs of rows that differ in factor k alone, r_jk is the correlation of latent j in the first
    row with latent j in the second, and S_jk = 1 - |r_jk|: near 0 for a latent that stays as it is.
    For factor k and latent j, with e_j the unit vector of latent j and e_k that of factor k,

        O_k = max over j of S_jk (1 - mean over factors of |S_j. - e_k|)
        M_k = max over j of S_jk (1 - mean over latents of |S_.k - e_j|)
        score = mean over factors k of alpha O_k + (1 - alpha) M_k

    Overlap O is lowered if other factors move the latent, multiple encoding M if the factor moves other
    latents.

    Parameters
    ----------
    alpha
        Weight of overlap (modularity), the rest being that of multiple encoding (compactness).
    pooling
        "max": the best latent for each factor; "mean": all latents, weighted by S_jk.
    active
        Which latents take part, as for `mig_sup`; the authors leave out standard deviations below
        0.05, which is ``active=0.0025``.
    bins, strategy
        How continuous factors are cut, as for `mig`.

    Returns
    -------
    Range [0, 1], higher is better. A perfect code scores less than 1: in two different values of a factor
    with n equally frequent ones its latent has the correlation -1 / (n - 1), so that S is (n - 2) / (n -
    1), and 0 for two values. Compare with the ceiling. Parts: `per_factor`. Details: `response` (D, K),
    the table S, `overlap` and `multiple_encoding` (K,), `active` (D,).

    Chance level
    ------------
    About alpha / K + (1 - alpha) / D: 0.23 was measured on 1,000 rows of 5 normal latents and 5 factors
    of 5 values, all independent, 0.20 on 10,000, as noise has S_jk near 1 everywhere.

    Degenerate cases
    ----------------
    The authors draw pairs; here all pairs of joint values count, so that nothing is drawn. A latent
    that is constant over the pairs has S = 0. A constant factor is left out, as is, with a warning, one
    for which no two rows differ in it alone. Fewer than two factors that vary, no such pair for any
    factor, or no active latent: NaN.

    Cost
    ----
    For each factor the rows are sorted by the joint value of all others: time O(N K (D + K log N)),
    memory O(N (D + K)). No pair of rows is formed. All rows are read.

    References
    ----------
    Dapueto, Noceti, Odone. Transferring disentangled representations: bridging the gap between synthetic
    and real images. NeurIPS 2024; computed as in the authors' published code.
    """
    varying = relations.need_factors(2, "OMES")
    units = relations.active(active)
    response = np.full(relations.inputs.shape[1:], np.nan)
    standardised = relations.latents[:, units.mask].astype(np.float64)
    spread = standardised.std(axis=0)
    standardised = (standardised - standardised.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    codes, _ = relations.factor_codes(bins, strategy)
    groups = relations.groups_of_others(bins, strategy)
    for k in map(int, np.flatnonzero(varying)):
        alike = correlation_across(standardised, codes[k], groups[k])
        if alike is not None:
            response[units.mask, k] = 1 - np.abs(alike)
    usable = ~np.isnan(response).all(axis=0)
    if not usable.any():
        raise NotApplicable("no two rows differ in one factor alone")
    names = relations.inputs.factor_names
    warnings = tuple(
        Check(
            "factor_left_out",
            f"factor {names[k]}: no two rows differ in it alone; left out",
            "score rows of a grid, of which some differ in one factor",
            names[k],
        )
        for k in np.flatnonzero(varying & ~usable)
    )
    used = response[units.mask][:, usable]
    overlap, multiple = np.full(len(varying), np.nan), np.full(len(varying), np.nan)
    overlap[usable] = _pooled(used, _closeness(used), pooling)
    multiple[usable] = _pooled(used, _closeness(used.T).T, pooling)
    per_factor = alpha * overlap + (1 - alpha) * multiple
    return MetricValue(
        value=float(np.nanmean(per_factor)),
        per_factor=per_factor,
        details={
            "response": Labelled(response, ("latents", "factors")),
            "overlap": Labelled(overlap, ("factors",)),
            "multiple_encoding": Labelled(multiple, ("factors",)),
            "active": Labelled(units.mask, ("latents",)),
        },
        warnings=units.warnings + warnings,
    )


def _closeness(response: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 - mean absolute difference of each row from each unit vector; entry (j, k) for row j, vector k."""
    # All entries lie in [0, 1], so that |S - e| sums to the row's sum, with 1 - S in place of S at k.
    distance = response.sum(axis=1, keepdims=True) + 1 - 2 * response
    return np.asarray(1 - distance / response.shape[1])


def _pooled(
    response: NDArray[np.float64], closeness: NDArray[np.float64], pooling: str
) -> NDArray[np.float64]:
    """For each factor the best latent's closeness times response, or the mean weighted by response."""
    scores = closeness * response
    if pooling == "max":
        return np.asarray(scores.max(axis=0))
    total = response.sum(axis=0)
    weighted = (scores * response).sum(axis=0)
    return np.asarray(np.divide(weighted, total, out=np.zeros_like(total), where=total > 0))
