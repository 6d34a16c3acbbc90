"""DCI-ES: how large a probe does it take to read the factors, and how many latents hold them?"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.checks import Check
from disentangle_metrics.errors import NotApplicable
from disentangle_metrics.estimators.capacity import capacities, losses
from disentangle_metrics.estimators.linear import LEAST_ROWS, folds_of
from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import Labelled, MetricValue, ScoreDefinition
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.relations.units import units_of
from disentangle_metrics.settings import Limits

LEAST_TOLD = 0.01  # of a factor's variance, by the best probe; below it a curve has no shape

Floats = NDArray[np.float64]


@metric(
    scores=(
        ScoreDefinition(
            "dci_explicitness",
            property="explicitness",
            range=(-1.0, 1.0),
            no_interval="the best probe of a resample is another one",
            meaning="How small a probe suffices to read what the largest one reads.",
        ),
        ScoreDefinition(
            "dci_size",
            property="size",
            range=(0.0, np.inf),
            no_interval="a ratio of two counts of columns",
            meaning="How many factors there are for each latent.",
        ),
    ),
    relation="losses of ever larger probes on all latents",
    source="Eastwood et al. 2023",
    interval="none",
)
def dci_es(
    relations: Relations,
    rng: np.random.Generator,
    *,
    features: Annotated[int, Limits(least=8, most=4_096)] = 256,
) -> dict[str, MetricValue]:
    """DCI-ES: explicitness E, the ease of reading the factors, and size S.

    Each factor has a curve of T + 1 losses l_0, ..., l_T: what a probe on all latents leaves of the factor's
    variance on rows it has not seen. Probe 0 is linear. Probe t sees 2^(t+1) random Fourier features of the
    latents besides, so that steps are doublings, up to `features`. The curve never rises: l_t is that of
    the best probe up to t, and no more than 1, which the mean leaves.

        area = mean over t = 1 .. T of (l_t + l_(t-1)) / 2 - l_T
        E    = mean over factors of 1 - area / ((1 - l_T) / 2)
        S    = K / D

    E is 1 if the linear probe reads all that the largest one does. It is 0 if the loss falls from 1 in a
    straight line, and below 0 if only the largest probes read anything. `dci` has D, C and I.

    The published definition leaves open which probes, which baseline loss and which capacities are used, and
    its values were chosen by hand. Here they are fixed: the mean as baseline, the largest probe as the best,
    ridge regressions with a penalty of 1e-4 a row, five folds.

    Folds and features are drawn, so E scatters with the seed, and as much with the order of the latents: 500
    rows of one noisy linear code scored 0.64 to 0.90 with ten seeds, 2,000 rows 0.30 to 0.47. Report the mean
    over several seeds, and compare equal numbers of rows.

    Parameters
    ----------
    features
        Random features of the largest probe.

    Returns
    -------
    `dci_explicitness`: E, range [-1, 1], higher is better, with `per_factor`. `dci_size`: range from 0; a
    size, so neither more nor less is better; 1 is one latent for each factor. Details of the first:
    `curve_M` (K,) for each number M of random features, the losses l_t.

    Chance level
    ------------
    `dci_explicitness`: about 0: factors that no probe reads count 0.
    `dci_size`: the score itself: it is the same for any latents.

    Degenerate cases
    ----------------
    A factor of which the largest probe reads less than 1 percent counts 0, with a check. Categories are
    read as indicator columns, whose losses are pooled: a linear probe of an ordered category leaves part of
    its middle values. A circular factor or latent is read as sine and cosine. A constant factor is left out,
    a constant latent counts in S alone. No factor that varies, or fewer than 20 rows: NaN.

    Cost
    ----
    One pass over the rows: with F = `features` + D time O(N F^2) and O(F^3 log F) for the probes, memory O(N
    (D + V) + F^2). All rows are read.

    References
    ----------
    Eastwood, Nicolicioiu, von Kügelgen, Kekić, Träuble, Dittadi, Schölkopf. DCI-ES: An extended
    disentanglement framework with connections to identifiability. ICLR 2023.
    """
    varying = np.flatnonzero(relations.need_factors(1, "DCI-ES"))
    latents, _ = units_of(relations)
    if len(latents) < LEAST_ROWS:
        raise NotApplicable(f"DCI-ES needs {LEAST_ROWS} rows, got {len(latents)}")
    blocks = [_targets(relations, int(k)) for k in varying]
    owner = np.repeat(np.arange(len(blocks)), [block.shape[1] for block in blocks])
    # Of one column the weight does not matter; its variance could be out of range.
    weights = np.concatenate([block.var(axis=0) if block.shape[1] > 1 else [1.0] for block in blocks])
    widths = capacities(features)
    folds = folds_of(len(latents), rng)
    of_columns = losses(latents, np.column_stack(blocks), widths, folds, rng)
    pooled = np.stack(
        [
            np.average(of_columns[:, owner == i], axis=1, weights=weights[owner == i])
            for i in range(len(blocks))
        ],
        axis=1,
    )
    curve = np.minimum.accumulate(np.minimum(pooled, 1.0), axis=0)
    per_factor = np.full(relations.inputs.shape[2], np.nan)
    per_factor[varying] = ease(curve)
    table = np.full((len(widths), len(per_factor)), np.nan)
    table[:, varying] = curve
    return {
        "dci_explicitness": MetricValue(
            float(np.nanmean(per_factor)),
            per_factor=per_factor,
            details={
                f"curve_{m}": Labelled(line, ("factors",)) for m, line in zip(widths, table, strict=True)
            },
            warnings=_untold(relations, varying[curve[-1] > 1 - LEAST_TOLD]),
        ),
        "dci_size": MetricValue(len(varying) / relations.inputs.shape[1]),
    }


def ease(curve: Floats) -> Floats:
    """E of each factor from its losses (T + 1, K), which never rise; 0 where the last is almost 1."""
    told = 1 - curve[-1]
    area = (curve[1:] + curve[:-1]).mean(axis=0) / 2 - curve[-1]
    return np.where(told < LEAST_TOLD, 0.0, 1 - 2 * area / np.where(told > 0, told, 1.0))


def _targets(relations: Relations, k: int) -> Floats:
    """What probes of a factor predict (N, C): an indicator of each category, else its numbers."""
    factor = relations.inputs.factors[k]
    if factor.kind == "categorical" and factor.codes is not None:
        present = np.unique(factor.codes)
        return np.asarray(factor.codes[:, None] == present, dtype=np.float64)
    return factor.columns()


def _untold(relations: Relations, columns: NDArray[np.integer]) -> tuple[Check, ...]:
    if not len(columns):
        return ()
    names = [relations.inputs.factor_names[k] for k in columns]
    text = f"the largest probe of DCI-ES reads less than {LEAST_TOLD:.0%} of {', '.join(names)}; they count 0"
    remedy = "look at dci_informativeness first: what is not held cannot be easy to read"
    return (Check("unread_factor", text, remedy, names[0], {"factors": len(names)}),)
