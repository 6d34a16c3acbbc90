"""Linear recovery: are the factors recovered up to a linear map, and is it a rotation?"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import NotApplicable
from disentangle_metrics.estimators import circular, correlation, linear
from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import Labelled, MetricValue, ScoreDefinition
from disentangle_metrics.relations.relations import Relations


@metric(
    scores=(
        ScoreDefinition(
            "r2_from_latents",
            property="identifiability",
            meaning="How much of each factor a linear map of all latents tells.",
        ),
        ScoreDefinition(
            "r2_from_factors",
            property="identifiability",
            meaning="How much of each latent a linear map of all factors tells.",
        ),
        ScoreDefinition(
            "cca",
            property="identifiability",
            meaning="How far latents and factors agree up to a linear map on each side.",
        ),
        ScoreDefinition(
            "orthogonality",
            property="identifiability",
            range=(0.0, np.inf),
            direction="down",
            meaning="How far the linear map from factors to latents is from a rotation.",
        ),
        ScoreDefinition(
            "procrustes",
            property="identifiability",
            direction="down",
            meaning="What remains between latents and factors after the best rotation.",
        ),
    ),
    relation="linear maps between all latents and all factors",
    source="Roeder et al. 2021",
    label_free=False,
    labels_as_numbers=True,
    interval="subsample",
    silent=("cross_fitted", "weights"),
    only_with={"seed": ("cross_fitted", True)},
)
def linear_recovery(
    relations: Relations,
    *,
    ranks: bool = False,
    cross_fitted: bool = True,
    weights: Literal["equal", "variance"] = "equal",
) -> dict[str, MetricValue]:
    """Linear recovery: are the factors recovered up to a linear map, and is that map a rotation?

    Latents z and factors v are scaled to mean 0 and deviation 1. Maps are ridge regressions with an
    intercept and a penalty of 1e-6 a row, fitted on four fifths of the rows and measured on the fifth that
    they have not seen, five times.

        r2_from_latents = mean over factors k of 1 - MSE(v_k | z) / Var(v_k)
        r2_from_factors = mean over latents j of 1 - MSE(z_j | v) / Var(z_j)
        cca = mean over the min(D, K) pairs of their canonical correlation
        orthogonality = ||A'A - I|| / sqrt(K), A the map of least squares from v to z
        procrustes = 1 - (sum of the singular values of Z'V)^2, both of norm 1

    Each R2 is cut at 0. They say nothing of which latent is which: a rotation of a perfect code scores as
    the code. `mcc` asks for one latent for each factor; set beside it they tell mixing from loss.

    Parameters
    ----------
    ranks
        Take the ranks of all latents and factors, so that monotone functions of a factor are linear.
    cross_fitted
        False: fit and measure R2 and canonical correlations on all rows, R2 by least squares, as most
        papers do. Noise then has an R2 of about D / N.
    weights
        Of the columns in the mean of R2: "equal"; "variance": each by its variance in its own units, so
        that R2 is that of all columns together. It then depends on their units.

    Returns
    -------
    `r2_from_latents`: range [0, 1], higher is better, with `per_factor`; `r2_from_factors`: the same, with
    `per_latent`; `cca`: [0, 1], higher is better; `orthogonality`: from 0, lower is better; `procrustes`:
    [0, 1], lower is better. Details of `orthogonality`: `map` (D, K), the matrix A.

    Chance level
    ------------
    `r2_from_latents`: about 0, a little above where rows are few for D and K.
    `r2_from_factors`: about 0, a little above where rows are few for D and K.
    `cca`: about 0, a little above where rows are few for D and K.
    `orthogonality`: near 1, the distance of a map of zeros.
    `procrustes`: near 1, the worst.

    Degenerate cases
    ----------------
    A constant latent counts 0 in `r2_from_factors`. A constant factor is left out; none that varies, or
    fewer than 20 rows: NaN. Categories are used as numbers, as by `mcc`; a circular factor or latent as its
    sine and cosine, whose R2 is one number. Groups of latents: NaN, since they change nothing. Fewer
    latents than factors cannot tell all.

    Cost
    ----
    Time O(N (D + K)^2), memory O(N (D + K)). All rows are read.

    References
    ----------
    Roeder, Metz, Kingma. On linear identifiability of learned representations. ICML 2021.
    """
    if relations.inputs.groups:
        raise NotApplicable(
            "maps all latents at once, so that groups of them change nothing: leave `groups` out"
        )
    varying = np.flatnonzero(relations.need_factors(1, "linear recovery"))
    if len(relations.latents) < linear.LEAST_ROWS:
        raise NotApplicable(f"linear recovery needs {linear.LEAST_ROWS} rows, got {len(relations.latents)}")
    of_factors = [relations.inputs.factors[k] for k in varying]
    blocks = []
    for factor in of_factors:
        columns = factor.columns()
        blocks.append(correlation.ranks(columns) if ranks and factor.period is None else columns)
    given = correlation.ranks(relations.latents) if ranks else relations.latents
    widths = np.ones(given.shape[1], dtype=int)
    if around := relations.inputs.latent_angles():
        widths[list(around)] = 2
        given = np.column_stack(
            [circular.as_plane(around[j]) if j in around else column for j, column in enumerate(given.T)]
        )
    latents, constant = linear.standardised(given), np.repeat(relations.constant(), widths)
    latents[:, constant] = 0.0
    factors = linear.standardised(np.column_stack(blocks))
    folds = linear.folds_of(len(latents), relations.generator("linear_recovery")) if cross_fitted else None

    per_factor = np.full(relations.inputs.shape[2], np.nan)
    per_factor[varying] = _of_blocks(
        linear.linear_r2(latents, factors, folds), [block.shape[1] for block in blocks]
    )
    per_latent = _of_blocks(linear.linear_r2(factors, latents, folds), widths)
    r2_from_latents, r2_from_factors = float(np.nanmean(per_factor)), float(per_latent.mean())
    if weights == "variance":
        units = np.column_stack([factor.given_numbers() for factor in of_factors])
        r2_from_latents = _by_variance(per_factor[varying], units, ranks)
        r2_from_factors = _by_variance(per_latent, relations.given, ranks)
    linear_map, _ = linear.least_squares(factors, latents)
    moving = latents[:, ~constant]
    pairs = linear.canonical_correlations(moving, factors, folds) if moving.size else np.zeros(1)
    names = tuple(relations.inputs.factor_names[k] for k in varying)
    table = np.full(relations.inputs.shape[1:], np.nan)
    if linear_map.T.shape == (len(table), len(names)):  # without circles, each of which is two columns
        table[:, varying] = linear_map.T
    return {
        "r2_from_latents": MetricValue(r2_from_latents, per_factor=per_factor),
        "r2_from_factors": MetricValue(r2_from_factors, per_latent=per_latent),
        "cca": MetricValue(float(pairs.sum() / min(latents.shape[1], factors.shape[1]))),
        "orthogonality": MetricValue(
            linear.distance_from_orthogonal(linear_map),
            details={"map": Labelled(table, ("latents", "factors"))},
        ),
        "procrustes": MetricValue(linear.procrustes_distance(latents, factors)),
    }


def _of_blocks(of_columns: NDArray[np.float64], widths: Iterable[int]) -> NDArray[np.float64]:
    """R2 of blocks of columns. Cosine and sine have the same deviation, so that their mean is that of one."""
    ends = np.cumsum([0, *widths])
    return np.array([of_columns[a:b].mean() for a, b in pairwise(ends)])


def _by_variance(shares: NDArray[np.float64], columns: NDArray[np.floating], ranks: bool) -> float:
    """The mean of shares (D,) by the variance of the columns (N, D), or of their ranks; 0 if none varies."""
    columns = correlation.ranks(columns) if ranks else columns
    largest = np.abs(columns).max()
    variances = np.var(columns / largest if largest > 0 else columns, axis=0, dtype=np.float64)
    return float(shares @ variances / variances.sum()) if variances.sum() > 0 else 0.0
