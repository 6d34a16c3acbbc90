"""SAP: is each factor predicted by one latent far better than by any other?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np

from disentangle_metrics.errors import NotApplicable
from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import Labelled, MetricValue
from disentangle_metrics.metrics.shared.gap import gap
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.settings import MostRows, Only, Split

ROWS_READ = (("kind", ("auto", "classification")), ("fit_rows", "train"))  # where rows are split at all


def _correlates(settings: Mapping[str, Any]) -> bool:
    return bool(settings["kind"] == "regression")


@metric(
    property="compactness",
    relation="predictability of a factor from one latent",
    source="Kumar et al. 2018",
    anchors="costly",
    scale_free=False,
    label_free=False,
    labels_as_numbers=_correlates,
    sklearn=True,
    by_factor=True,
    interval="subsample",
    interval_studied=True,
    suite=True,
    most_latents=512,
    silent=("balanced",),
    only_with={
        "split": ROWS_READ,
        "max_rows": ROWS_READ,
        "fit_rows": ("kind", ("auto", "regression")),
    },
    always_named=("split", "max_rows", "fit_rows"),
    version=2,
)
def sap(
    relations: Relations,
    *,
    kind: Literal["auto", "regression", "classification"] = "auto",
    split: Split = 1 / 3,
    max_rows: MostRows = 15_000,
    fit_rows: Literal["all", "train"] = "all",
    balanced: Annotated[bool, Only(False, "kind", ("auto", "classification"))] = False,
) -> MetricValue:
    """Separated attribute predictability (SAP): the lead of the best single latent in predicting a factor.

    The score is

        mean over factors k of S_(1)k - S_(2)k

    the largest and second largest over latents of S_jk: the squared correlation of latent j with factor
    k, or the test accuracy of a class-balanced linear SVM (C = 0.01) that sees latent j alone.

    Parameters
    ----------
    kind
        "auto": the SVM for categorical factors, the correlation for ordinal and continuous ones;
        "regression" or "classification" for all. A linear SVM cannot separate the middle values of
        an ordinal factor, and depends on the latents' scale: a perfect code of ordinal factors
        scores far below 1 with it.
    split, max_rows
        Rows to train and test the SVM on, as for `dci`.
    fit_rows
        Rows for the correlation: "all", or "train", as in the study of Locatello et al.
    balanced
        Take the mean of the accuracies on the rows of each value, where a factor is classified. A rare value
        then counts as much as a frequent one, and always naming one of V values scores 1 / V.

    Returns
    -------
    Range [0, 1], higher is better. Parts: `per_factor`. Details: `predictability` (D, K), the table S.

    Chance level
    ------------
    About 0: 0.014 was measured on 1,000 rows of 5 normal latents and 5 factors of 5 values, all
    independent, 0.004 on 10,000.

    Degenerate cases
    ----------------
    A constant latent has correlation 0, and the accuracy of always naming one class. A constant
    factor is left out. With one latent the second largest
    is 0. NaN with `kind="classification"` if a factor is continuous. With `kind="regression"` categories are
    used as numbers, as by `mcc`.

    Cost
    ----
    Correlations: one pass over all rows, time O(N D K), memory O(N K). SVMs: for each factor of V_k
    values D V_k fits of one latent, each O(R) a step, on at most `max_rows` rows, R of them. Memory O(R
    D). Factors can run in parallel (`n_jobs`).

    References
    ----------
    Kumar, Sattigeri, Balakrishnan. Variational inference of disentangled latent concepts from unlabeled
    observations. ICLR 2018.
    """
    varying = relations.need_factors(1, "SAP")
    factors = relations.inputs.factors
    if kind == "classification" and any(factor.codes is None for factor in factors):
        continuous = next(factor.name for factor in factors if factor.codes is None)
        raise NotApplicable(
            f"SAP by classification needs categories, and factor {continuous!r} is continuous"
        )
    classified = np.array(
        [kind == "classification" or (kind == "auto" and f.kind == "categorical") for f in factors]
    )
    predictability = np.zeros(relations.inputs.shape[1:])
    if not classified.all():
        correlation = relations.squared_correlation(fit_rows, split, max_rows)
        predictability[:, ~classified] = correlation[:, ~classified]
    if classified.any():
        accuracy = relations.svm_accuracy(split=split, max_rows=max_rows, balanced=balanced)
        predictability[:, classified] = accuracy[:, classified]
    predictability[:, ~varying] = np.nan
    per_factor = gap(predictability, axis=0)
    return MetricValue(
        value=float(np.nanmean(per_factor)),
        per_factor=per_factor,
        details={"predictability": Labelled(predictability, ("latents", "factors"))},
    )
