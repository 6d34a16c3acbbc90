"""Mean correlation coefficient: the correlation of latents and factors after the best matching."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import NotApplicable
from disentangle_metrics.estimators.correlation import ranks
from disentangle_metrics.estimators.linear import FOLDS, folds_of, standardised
from disentangle_metrics.estimators.matching import (
    Correlate,
    held_out_matches,
    matches,
    pearson,
    spearman,
    up_to_linear_maps,
)
from disentangle_metrics.estimators.randomised_dependence import dependence, drawn_waves
from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import Labelled, MetricValue
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.settings import Correlation

Floats = NDArray[np.float64]


@metric(
    property="identifiability",
    relation="correlation of each latent with each factor",
    source="Hyvarinen and Morioka 2016",
    label_free=False,
    labels_as_numbers=True,
    silent=("affine", "cross_fitted", "normalisation"),
    only_with={"seed": (("cross_fitted", True), ("correlation", "rdc"))},
    by_factor=True,
    interval_studied=True,
    suite=True,
    version=2,
)
def mcc(
    relations: Relations,
    *,
    correlation: Correlation = "pearson",
    normalisation: Literal["factors", "matched"] = "factors",
    affine: bool = False,
    cross_fitted: bool = False,
) -> MetricValue:
    """Mean correlation coefficient (MCC): are the factors recovered one by one, up to scale and order?

    Each factor is matched with at most one latent and each latent with at most one factor, so that the
    sum of absolute correlations is largest. With m(k) the match of factor k, the score is

        mean over factors k of |corr(z_m(k), v_k)|

    It is the usual measure of identifiability in non-linear independent component analysis.

    Parameters
    ----------
    correlation
        "pearson": linear recovery; "spearman": of ranks, so that any monotone function of a factor
        counts as recovered; "rdc": the randomised dependence coefficient, so that any smooth function does.
    normalisation
        "factors": the mean over all factors, of which those without a latent count 0. "matched": the mean
        over the matched pairs, which papers report where D is less than K; it cannot see what is missing.
    affine
        Weak MCC: are the factors recovered up to a linear map? Latents and factors are replaced by their
        canonical variables, and these are matched. Any invertible linear mixture of the factors scores 1.
    cross_fitted
        Match, and choose signs, canonical variables and RDC's functions, on four fifths of the rows, and
        correlate on the fifth that they have not seen, five times. Unrelated rows then score about 0, where
        the best of several correlations does not. Parts may be below 0, the score is not.

    Returns
    -------
    Range [0, 1], higher is better. Parts: `per_factor`, and `per_latent`, NaN for latents without a
    factor. Details: `correlation` (D, K), absolute values; `matching` (D, K), 1 or -1 for each matched pair
    by the sign of its correlation and 0 elsewhere, held out the mean of the folds' signs. RDC, circles and
    groups have no sign: 1. With `affine` there are no parts, since a pair is no latent with its factor.

    Chance level
    ------------
    Of the order of 1 / sqrt(N): the best of several such correlations. 0.044 was measured on 1,000 rows
    of 5 normal latents and 5 factors of 5 values, all independent, 0.014 on 10,000. RDC and `affine` have
    more to choose from: 0.135 and 0.063 on such 1,000 rows. With `cross_fitted` about 0.

    Degenerate cases
    ----------------
    A constant latent has correlation 0. With fewer latents than factors, the factors left over count 0.
    A constant factor is left out; none that varies: NaN, and with `cross_fitted` fewer than 10 rows.
    "rdc", `affine` and `cross_fitted` read the rows that have a value of every factor. With them
    circular factors and latents, and groups of latents, have no score: NaN. Categories are used as
    numbers (their codes, where they are no numbers), which means little for more than two of them
    without an order. A check says so.

    Cost
    ----
    Time O(N D K) and the matching, cubic in the smaller of D and K. "spearman" sorts every column, O(N (D
    + K) log N). Memory O(N K), with "spearman" O(N (D + K)). "rdc" takes O(N (400 (D + K) + 80 D K)) and
    memory O(20 N K); `affine` O(N (D + K)^2). All rows are read.

    References
    ----------
    Hyvarinen, Morioka. Unsupervised feature extraction by time-contrastive learning. NeurIPS 2016;
    Khemakhem, Kingma, Monti, Hyvarinen. Variational autoencoders and nonlinear ICA. AISTATS 2020;
    Khemakhem, Monti, Kingma, Hyvarinen. ICE-BeeM. NeurIPS 2020 (weak MCC); Lopez-Paz, Hennig, Schoelkopf. The
    randomized dependence coefficient. NeurIPS 2013.
    """
    varying = relations.need_factors(1, "MCC")
    columns = np.flatnonzero(varying)
    if affine or correlation == "rdc" or cross_fitted:
        latents, factors = _complete_columns(relations, columns)
        correlate = _correlate(relations, correlation, affine)
        signed, _ = correlate(latents, factors, latents, factors)
        matched = matches(signed)
        if cross_fitted:
            if len(factors) < 2 * FOLDS:  # fewer have no correlation within a fold
                raise NotApplicable(f"`cross_fitted` needs {2 * FOLDS} rows, got {len(factors)}")
            folds = folds_of(len(factors), relations.generator("folds"))
            matched = held_out_matches(latents, factors, folds, correlate)
        if affine:
            size = len(columns) if normalisation == "factors" else len(signed)
            weak = float(np.clip(np.nansum(matched.strengths) / size, 0.0, 1.0))
            return MetricValue(weak)
        strengths = np.abs(signed)
    else:
        strengths = np.sqrt(relations.squared_correlation(ranks=correlation == "spearman"))[:, columns]
        matched = matches(strengths)
        matched = matched._replace(signs=_signs(relations, columns, matched.signs, correlation))
    per_factor = np.where(varying, 0.0 if normalisation == "factors" else np.nan, np.nan)
    has_latent = ~np.isnan(matched.strengths).all(axis=0)
    per_factor[columns[has_latent]] = np.nansum(matched.strengths[:, has_latent], axis=0)
    has_factor = ~np.isnan(matched.strengths).all(axis=1)
    per_latent = np.full(len(strengths), np.nan)
    per_latent[has_factor] = np.nansum(matched.strengths[has_factor], axis=1)
    tables = {"correlation": strengths, "matching": matched.signs}
    # Where latents are fewer, folds may differ in which factors they match: the pairs of each count.
    size = len(columns) if normalisation == "factors" else min(strengths.shape)
    return MetricValue(
        value=max(0.0, float(np.nansum(per_factor)) / size),
        per_factor=per_factor,
        per_latent=per_latent,
        details={name: _of_all(table, varying) for name, table in tables.items()},
    )


def _complete_columns(relations: Relations, columns: NDArray[np.integer]) -> tuple[Floats, Floats]:
    """Latents (N, D) and factors (N, K) of the rows that have a value of every factor, of deviation 1."""
    whole = relations.complete_cases()
    if whole.inputs.latent_angles() or any(f.period is not None for f in whole.inputs.factors):
        raise NotApplicable("RDC, `affine` and `cross_fitted` do not go round circles: leave them out")
    factors = np.stack([whole.inputs.factors[k].as_numbers() for k in columns], axis=1)
    return standardised(np.where(whole.constant(), 0.0, whole.latents)), standardised(factors)


def _correlate(relations: Relations, correlation: Correlation, affine: bool) -> Correlate:
    """What correlates the columns of the rows that are seen, and of those that are not."""
    correlate: Correlate = pearson if correlation == "pearson" else spearman
    if correlation == "rdc":
        correlate = dependence(drawn_waves(relations.generator("waves")))
    return up_to_linear_maps(correlate) if affine else correlate


def _signs(
    relations: Relations, columns: NDArray[np.integer], pairs: Floats, correlation: Correlation
) -> Floats:
    """The sign of the correlation of each pair, in the rows that have a value of its factor; 0 of no pair."""
    inputs, signs = relations.inputs, pairs.copy()
    if inputs.groups:  # whose multiple correlation has no sign
        return signs
    for latent, place in np.argwhere(pairs > 0):
        factor = inputs.factors[columns[place]]
        if factor.period is not None or latent in inputs.latent_angles():
            continue
        values = relations.latents[:, latent]
        if factor.present is not None:
            values, factor = values[factor.present], factor.kept(np.flatnonzero(factor.present))
        both = np.stack([values, factor.as_numbers()], axis=1)
        one, other = (ranks(both) if correlation == "spearman" else both).T
        signs[latent, place] = np.sign((one - one.mean()) @ (other - other.mean()))
    return signs


def _of_all(table: Floats, varying: NDArray[np.bool_]) -> Labelled:
    """The table of the factors that vary as one of all: NaN for the others."""
    whole = np.full((len(table), len(varying)), np.nan)
    whole[:, varying] = table
    return Labelled(whole, ("latents", "factors"))
