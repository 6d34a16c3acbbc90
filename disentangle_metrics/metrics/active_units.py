"""Active units: how many latents vary with the input?"""

from __future__ import annotations

import numpy as np

from disentangle_metrics.errors import NotApplicable
from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import Labelled, MetricValue
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.settings import Active


@metric(
    property="size",
    range=(0.0, np.inf),
    relation="variance of the latents",
    source="Burda et al. 2016",
    anchors="none",
    needs_factors=False,
    interval_studied=True,
    suite=True,
    from_counts=True,
)
def active_units(relations: Relations, *, active: Active = "auto") -> MetricValue:
    """Active units: the number of latents that respond to the input.

    A latent is active if the variance over the rows of its posterior mean exceeds 0.01:

        number of latents j with Var_n(E[z_j | x_n]) > 0.01

    Metrics that leave inactive latents out do so by this rule.

    Parameters
    ----------
    active
        "auto": with a posterior variance above 0.01 (as in the paper; the prior has 1), with plain
        arrays, whose scale means nothing, "varying". "varying": not constant. A number: variance above
        it; "range": a range above a twentieth of the largest; None: all.

    Returns
    -------
    Range [0, D]; a size, not a quality, so neither more nor less is better. Parts: `per_latent`, 1 for
    active and 0 for inactive ones. Details: `active` (D,).

    Chance level
    ------------
    None: a size, not a quality. Latents that have nothing to do with the input are inactive if their
    posterior means do not move; in plain arrays noise counts as active.

    Degenerate cases
    ----------------
    No active latent: 0.

    Cost
    ----
    Two passes over chunks of rows, time O(N D), memory O(D) beside a chunk. All rows are read.

    References
    ----------
    Burda, Grosse, Salakhutdinov. Importance weighted autoencoders. ICLR 2016.
    """
    try:
        units = relations.active(active)
        mask, warnings = units.mask, units.warnings
    except NotApplicable:
        mask, warnings = np.zeros(relations.inputs.shape[1], dtype=bool), ()
    return MetricValue(
        value=float(mask.sum()),
        per_latent=mask.astype(np.float64),
        details={"active": Labelled(mask, ("latents",))},
        warnings=warnings,
    )
