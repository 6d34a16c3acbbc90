"""DCI: disentanglement, completeness and informativeness of a predictor's importances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.checks import Check
from disentangle_metrics.estimators.probes.probes import REGRESSIONS, ProbeTables, regresses
from disentangle_metrics.estimators.scaling import scaled
from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import Labelled, MetricValue, ScoreDefinition
from disentangle_metrics.metrics.shared.concentration import columns_to_one, concentration
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.settings import MostRows, Penalty, Probe, Split


def _regresses(settings: Mapping[str, Any]) -> bool:
    return regresses(settings["probe"])


@metric(
    scores=(
        ScoreDefinition(
            "dci_disentanglement",
            property="modularity",
            meaning="How far each latent is important for predicting one factor only.",
        ),
        ScoreDefinition(
            "dci_completeness",
            property="compactness",
            meaning="How far each factor is predicted from one latent only.",
        ),
        ScoreDefinition(
            "dci_informativeness",
            property="explicitness",
            range=(-np.inf, 1.0),
            meaning="How well all latents together predict the factors of new rows.",
        ),
    ),
    relation="importances of one predictor per factor",
    source="Eastwood and Williams 2018",
    anchors="costly",
    sklearn=True,
    by_factor=True,
    interval="subsample",
    interval_studied=True,
    suite=True,
    most_latents=512,
    silent=("balanced",),
    labels_as_numbers=_regresses,
    only_with={"alpha": ("probe", "lasso")},
    always_named=("alpha",),
    version=2,
)
def dci(
    relations: Relations,
    *,
    probe: Probe = "boosted_trees",
    alpha: Penalty | None = None,
    split: Split = 1 / 3,
    max_rows: MostRows = 15_000,
    importances: Literal["shares", "raw"] = "shares",
    balanced: bool = False,
) -> dict[str, MetricValue]:
    """DCI: how a predictor's importances are shared out between latents and factors.

    One predictor per factor, fitted on all latents, gives the importances R (D, K), each column summing
    to 1. With H_K and H_D the entropies to base K and D:

        disentanglement = sum over j of w_j (1 - H_K(R_j. / sum_k R_jk)),  w_j = sum_k R_jk / sum of R
        completeness = mean over k of 1 - H_D(R_.k)
        informativeness = mean over k of the predictor's quality on test rows

    The quality is the accuracy for categories and R2 for continuous factors.

    Parameters
    ----------
    probe
        "boosted_trees": this package's fast gradient-boosted trees; "gradient_boosting": the
        learner of the study of Locatello et al. (scikit-learn's, 100 stages of depth 3), slow.
        "random_forest". "lasso": absolute weights on standardised data, as first published, which
        makes pure noise look disentangled. "review_lasso" and "review_forest": the regressions of
        the review of Carbonneau et al. 2022 on data scaled to [0, 1], tuned by 10-fold
        cross-validation, with the quality max(0, 1 - 12 squared error). Or any scikit-learn
        estimator with importances, which draws by the seed where its `random_state` is None.
    alpha
        Penalty of "lasso"; None: by 10-fold cross-validation. No other probe reads it.
    split
        Share of the rows to test on, a pair of index arrays (train, test), or None for in-sample.
    max_rows
        At most this many rows are used, drawn by the seed; None: all.
    importances
        "shares": each column is made to sum to 1, so that every factor weighs alike. "raw": R as
        the predictor gives it, so that a factor predicted with larger weights counts more for
        disentanglement, and a factor without importances counts 0 for completeness, as published
        with the Lasso. Trees give shares anyway.
    balanced
        Of categories, take the mean of the accuracies on the test rows of each value. A rare value then
        counts as much as a frequent one. It changes `dci_informativeness` alone, which is NaN with a
        `probe` that regresses the numbers of categories.

    Returns
    -------
    Three scores: `dci_disentanglement` and `dci_completeness`, range [0, 1], and
    `dci_informativeness`, range [0, 1] for categories and (-inf, 1] for continuous factors. Higher
    is better. Parts: `per_latent` for disentanglement, `per_factor` for the others. Details:
    `importances` (D, K).

    Chance level
    ------------
    `dci_disentanglement`: about 0 with trees: 0.002 was measured on 1,000 rows of 5 normal latents and 5
    factors of 5 values, all independent; far above 0 with "lasso".
    `dci_completeness`: about 0 with trees: 0.002 was measured on the same rows.
    `dci_informativeness`: the share of the most frequent value, for continuous factors about 0 or less:
    0.21 was measured on the same rows. Balanced: 1 / V of V values. With "lasso" about 0, with
    "review_lasso" and "review_forest" what the mean of a factor scores.

    Degenerate cases
    ----------------
    A latent without importance has weight 0, and so has a factor (see `importances`). A constant
    factor is left out. No importance at all: 0. Fewer than two factors that vary: disentanglement
    is NaN. One latent: completeness is 1. Probes that regress use categories as numbers, as `mcc` does.

    Cost
    ----
    One predictor per factor on at most `max_rows` rows, R of them to train on; factors can run in
    parallel (`n_jobs`). "boosted_trees": 100 stages of a tree for each value of the factor, each found in
    histograms of at most 255 bins, time O(D V (R + bins)) a stage, memory O(R (D + V) + D V bins).
    "gradient_boosting": as many trees, which sort the rows of each node by each latent, O(D V R log R) a
    stage. "lasso": ten folds of a path of penalties, O(R D) a sweep.

    References
    ----------
    Eastwood, Williams. A framework for the quantitative evaluation of disentangled representations. ICLR
    2018.
    """
    raw = importances == "raw"
    varying = relations.need_factors(1, "DCI")
    probes = relations.probes(probe=probe, alpha=alpha, split=split, max_rows=max_rows)
    shares = columns_to_one(probes.importances[:, varying])
    weights = probes.importances[:, varying] if raw else shares
    shown = np.full_like(probes.importances, np.nan)
    shown[:, varying] = weights
    details = {"importances": Labelled(shown, ("latents", "factors"))}

    per_latent, disentanglement = concentration(weights)
    per_factor = np.full(len(varying), np.nan)
    per_factor[varying], completeness = concentration(shares.T)
    if raw:
        completeness = float(per_factor[varying].mean())
    single = int(varying.sum()) == 1
    nothing = Check("no_importance", "no latent has any importance for any factor", "score more rows")
    warnings = () if weights.any() else (nothing,)
    return {
        "dci_disentanglement": MetricValue(
            value=np.nan if single else disentanglement,
            per_latent=None if single else per_latent,
            details=details,
            warnings=warnings,
            reason="DCI disentanglement needs two factors with more than one value, got 1" if single else "",
        ),
        "dci_completeness": MetricValue(
            completeness, per_factor=per_factor, details=details, warnings=warnings
        ),
        "dci_informativeness": _informativeness(
            relations, probes, probe, varying, raw=raw, balanced=balanced
        ),
    }


def _informativeness(
    relations: Relations,
    probes: ProbeTables,
    probe: Probe,
    varying: NDArray[np.bool_],
    *,
    raw: bool,
    balanced: bool,
) -> MetricValue:
    """Mean quality of the probes; balanced, that of categories by value."""
    categories = np.array([factor.codes is not None for factor in relations.inputs.factors])
    quality = np.where(categories, probes.balanced, probes.quality) if balanced else probes.quality
    if balanced and np.isnan(quality[varying]).any():
        reason = "`balanced` needs a `probe` that classifies: this one regresses the numbers of categories"
        return MetricValue(np.nan, reason=reason)
    return MetricValue(
        float(np.nanmean(quality)),
        per_factor=quality,
        baseline=None if raw else _without_latents(relations, varying, probe, balanced=balanced),
    )


def _without_latents(
    relations: Relations, varying: NDArray[np.bool_], probe: Probe, *, balanced: bool
) -> float:
    """Mean quality of always naming the most frequent value (accuracy) or the mean (R2, which is 0)."""
    guesses = []
    for factor in np.array(relations.inputs.factors, dtype=object)[varying]:
        held = factor if factor.present is None else factor.kept(np.flatnonzero(factor.present))
        if isinstance(probe, str) and probe in REGRESSIONS:
            guesses.append(_of_mean(held.targets(as_category=False), probe))
        elif held.codes is None:
            guesses.append(0.0)
        else:
            rows = np.bincount(held.codes)
            guesses.append(1 / np.count_nonzero(rows) if balanced else float(rows.max() / rows.sum()))
    return float(np.mean(guesses))


def _of_mean(targets: Sequence[NDArray[np.float64]], probe: str) -> float:
    """Quality of always naming the mean of what a probe regresses on, (N,) each."""
    if probe == "lasso":
        return 0.0
    columns = [target[:, None] for target in targets]
    spreads = [float(scaled(column, column, "minmax")[0].var()) for column in columns]
    return float(np.mean([max(1 - 12 * spread, 0.0) for spread in spreads]))
