"""UniBound: what one latent alone tells of a factor, between a bound from below and one from above."""

from __future__ import annotations

import numpy as np

from disentangle_metrics.checks import Check
from disentangle_metrics.estimators.counts.entropy import entropy
from disentangle_metrics.estimators.counts.joint_information import joint_information
from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import Labelled, MetricValue, ScoreDefinition
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.settings import Bins, Samples, Strategy

APART = (
    "the latents beside the best one tell most rows from all others, and so every factor; if the rows are a "
    "sample and not all there are, their information is too large and the score too small"
)

NO_INTERVAL = "fewer rows are told apart by fewer latents, so that resamples score too low"


@metric(
    scores=(
        ScoreDefinition(
            "unibound",
            property="compactness",
            no_interval=NO_INTERVAL,
            meaning="The share of a factor that one latent tells and the others do not, at least.",
        ),
        ScoreDefinition(
            "unibound_upper",
            property="compactness",
            no_interval=NO_INTERVAL,
            meaning="The share of a factor that one latent tells and the others do not, at most.",
        ),
    ),
    relation="joint density of the posteriors",
    source="Tokui and Sato 2022",
    anchors="costly",
    scale_free=False,
    needs_posterior=True,
    interval="none",
    version=2,
)
def unibound(
    relations: Relations,
    rng: np.random.Generator,
    *,
    samples: Samples = 10_000,
    bins: Bins = 20,
    strategy: Strategy = "uniform",
) -> dict[str, MetricValue]:
    """UniBound: the share of a factor that one latent tells and the others together do not, as two bounds.

    With n_jk = I(z_j; v_k) / H(v_k), m_jk the same of all latents but j together, and a_k of all latents,
    each cut to [0, 1]:

        unibound = mean over factors k of max_j max(n_jk - m_jk, 0)
        unibound_upper = mean over factors k of max_j min(max(a_k - m_jk, 0), n_jk)

    What all latents tell of a factor has four parts: what z_j alone tells (unique), what the others alone
    tell, what both tell (redundant), and what only both together tell (synergy). The first score is the
    unique part of the best latent less that of the others, or 0, and the one that was published. The second
    is the unique part with the synergy, but no more than n_jk. The unique part lies between the two,
    however it is defined. `mig` compares latents one by one, and so does not see that several others
    together repeat the best one.

    Parameters
    ----------
    samples
        Points drawn from the posteriors. The error falls with its root: a standard deviation of 0.003 was
        measured with 4,000. The authors draw at most 10,000 for each entropy.
    bins, strategy
        How continuous factors are cut, as for `mig`.

    Returns
    -------
    Range [0, 1], higher is better; the second is not below the first but by the error of sampling. Parts:
    `per_factor`. Details: `mutual_information` (D, K), `others_information` (D, K) of all latents but
    one, `joint_information` (K,) and `factor_entropy` (K,), in nats, before they are cut.

    Chance level
    ------------
    About 0: 0.000 was measured, and 0.001 for the upper bound, on 10,000 rows of 5 latents with normal means
    and posteriors half as wide, and 5 factors of 5 values, all independent.

    Degenerate cases
    ----------------
    Latents without posteriors: NaN. The rows are taken for all there are, each point's own row among
    them, as in the authors' code, which is right for a full grid. For a sample of rows the information is
    too large, the more so the more latents, the narrower their posteriors and the fewer the rows, until
    the latents together tell each row from all others, and with it every factor: then all m_jk and a_k
    are 1, and both scores 0, whatever the code. On 10,000 rows a perfect code of 5 factors, its posteriors
    a tenth as wide as its spread, scored 0.91, and 0.00 with 5 latents of noise beside it. A warning says
    so where a row has most of the density at its own points. One latent: there are no others, and both
    scores are its share n. A constant latent changes nothing. A constant factor is left out. No factor
    that varies: NaN. Values weigh as often as they occur; the authors weigh all alike, which is the same
    on a full grid.

    Cost
    ----
    (2 D + 1) N exponentials for each point: time O(samples N (D + D K)), memory O(N (D + K) + samples D)
    and blocks of 2^16 densities. All rows are read.

    References
    ----------
    Tokui, Sato. Disentanglement analysis with partial information decomposition. ICLR 2022; computed as
    in the authors' published code.
    """
    logvar = relations.need_logvar()
    varying = relations.need_factors(1, "UniBound")
    codes, sizes = relations.factor_codes(bins, strategy)
    columns = np.flatnonzero(varying)
    information = joint_information(relations.given, logvar, [codes[k] for k in columns], int(samples), rng)
    factors = np.array(
        [entropy(np.bincount(c, minlength=size)) for c, size in zip(codes, sizes, strict=True)]
    )
    shape = relations.inputs.shape[1:]
    single, others, together = np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape[1], np.nan)
    single[:, varying], others[:, varying], together[varying] = (
        information.single,
        information.others,
        information.together,
    )
    details = {
        "mutual_information": Labelled(single, ("latents", "factors")),
        "others_information": Labelled(others, ("latents", "factors")),
        "joint_information": Labelled(together, ("factors",)),
        "factor_entropy": Labelled(factors, ("factors",)),
    }
    # Samples scatter by a little beyond what information can be.
    limit = np.where(varying, factors, np.nan)
    n, m, a = (np.clip(nats / limit, 0.0, 1.0) for nats in (single, others, together))
    bounds = {
        "unibound": np.maximum(n - m, 0.0).max(axis=0),
        "unibound_upper": np.minimum(np.maximum(a - m, 0.0), n).max(axis=0),
    }
    best = np.argmax(np.where(varying, n, 0.0), axis=0)
    names = relations.inputs.factor_names
    apart = ", ".join(names[k] for k in columns if information.alone[best[k]] > 0.5)
    warnings = (
        (Check("told_apart", f"{apart}: {APART}", "score more rows, or fewer latents"),) if apart else ()
    )
    return {
        key: MetricValue(
            value=float(np.nanmean(shares)), per_factor=shares, details=details, warnings=warnings
        )
        for key, shares in bounds.items()
    }
