"""WSEPIN and WINDIN: what each latent knows of its input that the other latents do not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.posteriors.quadrature import information_about_rows
from disentangle_metrics.estimators.probes.separability import separability
from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import Labelled, MetricValue, ScoreDefinition
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.settings import MostRows, Samples

NOTHING = 1e-6  # nats that cannot be told from none


@metric(
    scores=(
        ScoreDefinition(
            "wsepin",
            property="separability",
            range=(0.0, np.inf),
            meaning="How many nats a latent tells of its input that no other latent tells.",
        ),
        ScoreDefinition(
            "windin",
            property="independence",
            range=(0.0, np.inf),
            meaning="How many nats a latent tells of its input, less what it shares with the others.",
        ),
    ),
    relation="joint density of the posteriors",
    source="Do and Tran 2020",
    anchors="none",
    scale_free=False,
    needs_factors=False,
    needs_posterior=True,
    interval="none",
)
def wsepin(
    relations: Relations, rng: np.random.Generator, *, samples: Samples = 2_000, max_rows: MostRows = 10_000
) -> dict[str, MetricValue]:
    """WSEPIN and WINDIN: how much of what latents know of their input is not shared with other latents.

    With I_j = I(x; z_j), what latent j knows of its input, and weights r_j = I_j / sum of I:

        wsepin = sum over j of r_j I(x; z_j | z_others)
        windin = sum over j of r_j (I_j - I(z_j; z_others))

    The first is separable information, the second information minus dependence. Given x the latents of a
    posterior are independent, and then both are the same quantity. They are estimated in the two ways
    that define them, and differ by the error of sampling. No factors are needed. A code of independent
    informative latents scores the weighted mean of its I_j; copies of a latent score 0.

    Parameters
    ----------
    samples
        Points drawn from the posteriors. The error falls with its root; see `standard_error`. The
        authors draw 10,000.
    max_rows
        At most this many rows are used, drawn by the seed; None: all.

    Returns
    -------
    Range [0, log N], in nats, higher is better. Parts: `per_latent`, before weighting. Details:
    `informativeness` (D,), the I_j; `standard_error` of the score.

    Chance level
    ------------
    None: independent latents score the weighted mean of their I_j, the most there is, so that the score
    is no quality without the latents' `informativeness` beside it. 0 are latents that know nothing, and
    copies.

    Degenerate cases
    ----------------
    Latents without posteriors: NaN. A latent that knows nothing has weight 0, and if none knows anything
    the score is 0. One latent: its I_j. Both parts are known to lie between 0 and I_j, and
    estimates are cut there.

    Cost
    ----
    With R rows used, at most `max_rows`: time O(samples R D), memory O(samples D + R D) and blocks of
    2^18 densities.

    References
    ----------
    Do, Tran. Theory and evaluation metrics for learning disentangled representations. ICLR 2020;
    estimated as in the authors' published code, but I_j by quadrature.
    """
    logvar = relations.need_logvar()
    rows = relations.split(None, max_rows)[0]
    mean, logvar = relations.given[rows], logvar[rows]
    informativeness = information_about_rows(mean, logvar)
    informativeness[informativeness < NOTHING] = 0.0
    total = informativeness.sum()
    weights = informativeness / total if total > 0 else np.zeros_like(informativeness)
    estimates = separability(mean, logvar, int(samples), rng)
    dependence = np.clip(estimates.shared.mean(axis=0), 0.0, informativeness)
    parts = {
        "wsepin": (np.clip(estimates.conditional.mean(axis=0), 0.0, informativeness), estimates.conditional),
        "windin": (informativeness - dependence, estimates.shared),
    }
    return {
        key: MetricValue(
            value=float(weights @ per_latent),
            per_latent=per_latent,
            details={
                "informativeness": Labelled(informativeness, ("latents",)),
                "standard_error": _standard_error(draws @ weights),
            },
        )
        for key, (per_latent, draws) in parts.items()
    }


def _standard_error(draws: NDArray[np.float64]) -> float:
    return float(draws.std(ddof=1) / np.sqrt(len(draws)))
