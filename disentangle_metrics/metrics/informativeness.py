"""Informativeness: how much does each latent know of its input?"""

from __future__ import annotations

import numpy as np

from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import MetricValue
from disentangle_metrics.relations.relations import Relations


@metric(
    property="size",
    range=(0.0, np.inf),
    relation="density of the posteriors",
    source="Do and Tran 2020",
    anchors="none",
    scale_free=False,
    needs_factors=False,
    needs_posterior=True,
    interval="subsample",
    interval_studied=True,
)
def informativeness(relations: Relations) -> MetricValue:
    """Informativeness I(x; z_j): nats that a sample of a latent tells about which row it came from.

    The score is the sum over latents of

        I(x; z_j) = H(z_j) - mean over the rows n of H(z_j | x_n)

    with the aggregate posterior q(z_j) = mean over the rows of q(z_j | x_n), by quadrature to 1e-4 nats.
    Since the posterior's latents are independent given x, the sum exceeds I(x; z) by exactly the total
    correlation of q(z).

    Returns
    -------
    Range [0, D log N], in nats; a size, not a quality, so neither more nor less is better. Parts:
    `per_latent`, each 0 to log N.

    Chance level
    ------------
    None: a size, not a quality. A latent whose posterior is the same in every row has 0.

    Degenerate cases
    ----------------
    Latents without posteriors: NaN. A latent with the same posterior in every row has 0.

    Cost
    ----
    Each posterior is evaluated at 19 to 35 nodes of a grid: time O(N D) and O(nodes) for the grid, whose
    nodes grow with the latent's range over its narrowest posterior, up to 35 N. Memory O(N), and the grid
    in sections of up to 32 MiB. All rows are read.

    References
    ----------
    Do, Tran. Theory and evaluation metrics for learning disentangled representations. ICLR 2020.
    """
    per_latent = relations.information_about_rows()
    return MetricValue(value=float(np.sum(per_latent)), per_latent=per_latent)
