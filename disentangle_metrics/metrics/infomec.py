"""InfoMEC: modularity, compactness and explicitness, each as information."""

from __future__ import annotations

import functools
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.checks import Check
from disentangle_metrics.errors import NotApplicable
from disentangle_metrics.estimators.probes.predictive_information import predictive_information
from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import Labelled, MetricValue, ScoreDefinition
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.settings import Active, AtLeast, MostRows, Neighbours, Split

Table = NDArray[np.float64]


@metric(
    scores=(
        ScoreDefinition(
            "info_modularity",
            property="modularity",
            no_interval="resampled ones missed the truth far too often in tests",
            meaning="How far each latent tells of one factor only.",
        ),
        ScoreDefinition(
            "info_compactness",
            property="compactness",
            meaning="How far each factor is told by one latent only.",
        ),
        ScoreDefinition(
            "info_explicitness",
            property="explicitness",
            range=(-np.inf, 1.0),
            meaning="How well a linear predictor reads the factors from all latents.",
        ),
    ),
    relation="mutual information by nearest neighbours, and a linear predictor on all latents",
    source="Hsu et al. 2023",
    anchors="costly",
    sklearn=True,
    silent=("bounded", "max_iter"),
    of_numbers=("info_explicitness",),
    interval="subsample",
    by_factor=True,
    interval_studied=True,
    suite=True,
    most_latents=512,
    version=2,
)
def infomec(
    relations: Relations,
    *,
    k: Neighbours = 10,
    active: Active = "auto",
    split: Split = None,
    max_rows: MostRows = 15_000,
    max_iter: Annotated[int, AtLeast(1)] = 1_000,
    bounded: bool = True,
) -> dict[str, MetricValue]:
    """InfoMEC: are latents devoted to one factor, factors to one latent, and is all of it easy to read?

    With n_jk = I_jk / H(v_k), I_jk estimated by nearest neighbours, D latents active and K factors:

        InfoM = (x - 1/K) / (1 - 1/K),  x = mean over active j of max_k n_jk / sum_k n_jk
        InfoC = (y - 1/D) / (1 - 1/D),  y = mean over k of max_j n_jk / sum_j n_jk
        InfoE = mean over k of 1 - CE_k / CE_null

    CE is the cross-entropy of a linear classifier on all latents and CE_null that of one that knows
    nothing. A continuous factor has the R2 of a linear regression instead. The scores are called
    `info_modularity`, `info_compactness` and `info_explicitness`.

    Parameters
    ----------
    k
        Number of nearest neighbours.
    active
        Which latents InfoM and InfoC regard: as for `mig_sup`, or "range", as published: those whose
        range exceeds a twentieth of the largest, so that the latents' scale matters.
    split, max_rows
        Rows to train and test InfoE's predictors on, as for `dci`; by default the same rows, as
        published.
    max_iter
        Steps of InfoE's optimiser (L-BFGS). The published code stops after 100, which on codes that
        are hard to separate is too early: a share of 0.922 was seen to grow to 0.947.
    bounded
        Cut n at 1; the published code does not, and neighbours can exceed it slightly.

    Returns
    -------
    Range of InfoM and InfoC [0, 1], of InfoE (-inf, 1]; higher is better. Parts: `per_latent` of InfoM,
    `per_factor` of InfoC and InfoE. Details of InfoM and InfoC: `normalised_mutual_information` (D, K),
    `active` (D,).

    Chance level
    ------------
    `info_modularity`: far above 0: 0.59 was measured on 1,000 rows of 5 normal latents and 5 factors of 5
    values, all independent, 0.65 on 10,000, since what neighbours estimate of nothing scatters.
    `info_compactness`: far above 0: 0.65 was measured on the same rows, 0.69 on 10,000.
    `info_explicitness`: about 0: 0.006 was measured on the same rows, in sample.

    Degenerate cases
    ----------------
    An active latent that tells nothing contributes 0 to InfoM, a factor that no active latent tells
    of 0 to InfoC. With one active latent a factor that it tells of has InfoC 1. A constant factor is
    left out. Fewer than two factors that vary: InfoM is NaN. No active latent: InfoM and InfoC are
    NaN. A value that no train row has counts as chance for InfoE.

    Cost
    ----
    InfoM and InfoC: neighbours in sorted columns, time O(D K N (k + log N)), memory O(N); all rows are
    read. InfoE: one classifier per factor on at most `max_rows` rows, R of them, O(R D V) for each of at
    most `max_iter` steps, memory O(R (D + V)). Factors can run in parallel (`n_jobs`).

    References
    ----------
    Hsu, Dorrell, Whittington, Wu, Finn. Disentanglement via latent quantization. NeurIPS 2023; details as
    in the authors' published code.
    """
    relations.need_factors(1, "InfoMEC")
    values = _modularity_and_compactness(relations, k, active, bounded)
    values["info_explicitness"] = _explicitness(relations, split, max_rows, int(max_iter))
    return values


def _modularity_and_compactness(
    relations: Relations, k: int, active: Active, bounded: bool
) -> dict[str, MetricValue]:
    information = relations.mutual_information(estimator="nearest_neighbours", k=k, bounded=bounded)
    entropy = information.factor_entropy  # 0 in a resample that has one value of a rare factor
    varying = relations.varying_factors() & (entropy > 0)
    try:
        if not varying.any():
            raise NotApplicable("no factor has two values among these rows")
        units = relations.active(active)
    except NotApplicable as error:
        nothing = MetricValue(np.nan, reason=str(error))
        return {"info_modularity": nothing, "info_compactness": nothing}
    normalised = information.mutual_information / np.where(varying, entropy, np.nan)
    details = {
        "normalised_mutual_information": Labelled(normalised, ("latents", "factors")),
        "active": Labelled(units.mask, ("latents",)),
    }
    warnings = units.warnings + information.remarks
    regarded = normalised[units.mask][:, varying]
    per_latent, per_factor = np.full(len(normalised), np.nan), np.full(len(varying), np.nan)
    per_factor[varying] = devotion(regarded.T)
    compactness = MetricValue(
        float(np.nanmean(per_factor)), per_factor=per_factor, details=details, warnings=warnings
    )
    if varying.sum() < 2:
        reason = "InfoM needs two factors with more than one value, got 1"
        return {
            "info_modularity": MetricValue(np.nan, reason=reason),
            "info_compactness": compactness,
        }
    per_latent[units.mask] = devotion(regarded)
    modularity = MetricValue(
        float(np.nanmean(per_latent)), per_latent=per_latent, details=details, warnings=warnings
    )
    return {"info_modularity": modularity, "info_compactness": compactness}


def devotion(normalised: Table) -> Table:
    """Share of each row's sum that its largest entry holds, rescaled to 0 for equal entries.

    `table` is not negative, with shape (rows, columns). A row of zeros gives 0, and a row of one
    positive entry 1.
    """
    total = normalised.sum(axis=1)
    share: Table = np.divide(normalised.max(axis=1), total, out=np.zeros(len(normalised)), where=total > 0)
    columns = normalised.shape[1]
    if columns == 1:
        return share
    return np.where(total > 0, (share - 1 / columns) / (1 - 1 / columns), 0.0)


def _explicitness(relations: Relations, split: Split, max_rows: int | None, max_iter: int) -> MetricValue:
    factors = relations.inputs.factors
    categories = np.array([factor.codes is not None for factor in factors])
    predict = functools.partial(predictive_information, max_iter=max_iter)
    predictions = relations.per_factor(predict, split, max_rows, relations.varying_factors(), categories)
    per_factor = np.full(len(factors), np.nan)
    warnings = []
    for index, predicted in predictions.items():
        per_factor[index] = predicted.share
        if predicted.stopped:
            warnings.append(
                Check(
                    "not_converged",
                    f"info_explicitness: the classifier of factor {factors[index].name!r} was still "
                    f"improving after {max_iter:,} steps",
                    "pass a larger max_iter",
                    factors[index].name,
                    {"steps": max_iter},
                )
            )
    mean = float(np.nanmean(per_factor))
    # The share of a factor's entropy that is predicted: a guess without latents predicts none of it.
    return MetricValue(mean, per_factor=per_factor, warnings=tuple(warnings), baseline=0.0)
