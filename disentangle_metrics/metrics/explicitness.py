"""Explicitness: can a linear classifier read each factor from all latents together?"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.checks import Check
from disentangle_metrics.errors import InputError, NotApplicable
from disentangle_metrics.estimators.probes.linear import ClassRanking, class_ranking
from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import MetricValue
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.settings import Decision, Limits, MostRows, Scaling, Split, allows, described

Weight = Annotated[float, Limits(least=0)]


@metric(
    property="explicitness",
    range=(-1.0, 1.0),
    relation="a linear classifier on all latents",
    source="Ridgeway and Mozer 2018",
    anchors="costly",
    sklearn=True,
    by_factor=True,
    interval="subsample",
    interval_studied=True,
    suite=True,
    version=2,
)
def explicitness(
    relations: Relations,
    *,
    split: Split = 1 / 3,
    rescale: bool = True,
    class_weight: Literal["balanced"] | Mapping[Any, float] | None = None,
    decision: Decision = "multinomial",
    scaling: Scaling = "standard",
    C: Annotated[float, Limits(above=0)] = 1.0,
    max_rows: MostRows = 15_000,
) -> MetricValue:
    """Explicitness: how well a linear classifier on all latents ranks the values of each factor.

    For each factor a logistic classifier is fitted on the train rows. On the test rows, for each value,
    the area A_kc under the ROC curve of its probability against all other values:

        mean over factors k of mean over values c of 2 (A_kc - 1/2)

    It asks whether the factors are there and easy to read, not whether they are apart: a rotation of the
    latents changes nothing.

    Parameters
    ----------
    split, max_rows
        Rows to train and test on, as for `dci`.
    rescale
        Report 2 (area - 1/2), which is 0 by chance; False: the area itself.
    class_weight
        None, "balanced", or a dict, as in scikit-learn. A dict has the weights of values, such as
        ``{"rare": 50}``; each factor takes those of its own values, and a value that it lacks has weight 1.
    decision
        "multinomial": one classifier of all values; "one_vs_rest": one for each value, with the
        probabilities of a row made to sum to 1; "separate": without that. A linear classifier
        cannot separate a middle value of an ordinal factor from the others, so "separate" scores far
        lower.
    scaling
        Of the latents, by the train rows: "standard" (mean 0, deviation 1), "minmax" or "none".
    C
        Inverse of the classifier's penalty.

    Returns
    -------
    Range [-1, 1] (not rescaled: [0, 1]); higher is better. Parts: `per_factor`.

    Chance level
    ------------
    About 0, not rescaled 1/2: -0.01 was measured on 1,000 rows of 5 normal latents and 5 factors of 5
    values, all independent. In sample (`split` None) it is above.

    Degenerate cases
    ----------------
    A constant latent changes nothing. A constant factor is left out. A value that no train row has
    cannot be predicted and counts as chance, with a warning. One that no test row has is left out,
    as is a factor of which all test rows have the same value. A continuous factor has no values to
    rank: it is left out with a warning; if no factor is left, NaN.

    Cost
    ----
    One classifier per factor on at most `max_rows` rows, R of them: time O(R D V) for each step of the
    optimiser (at most 1,000), and O(R V log R) for the areas. "one_vs_rest" and "separate" O(R D^2 V) a
    step. Memory O(R (D + V)); factors can run in parallel (`n_jobs`).

    References
    ----------
    Ridgeway, Mozer. Learning deep disentangled embeddings with the F-statistic loss. NeurIPS 2018; the
    classifier as in the published code of Locatello et al. ICML 2019, "one_vs_rest" and "separate" as the
    two in that of Carbonneau et al. 2022.
    """
    factors = relations.inputs.factors
    categories = np.array([factor.codes is not None for factor in factors])
    ranked = relations.need_factors(1, "explicitness") & categories
    if not ranked.any():
        raise NotApplicable("explicitness ranks the values of categories, and every factor is continuous")
    rank = functools.partial(class_ranking, decision=decision, scaling=scaling, C=float(C))
    alike: list[tuple[NDArray[np.bool_], Any]] = [(ranked, class_weight)]
    if isinstance(class_weight, Mapping):
        whole = (relations.edges_of or relations).inputs
        _check_values(class_weight, {level for factor in whole.factors for level in factor.levels})
        places = np.arange(len(factors))
        alike = [
            (places == k, _by_code(class_weight, _levels(relations, int(k)))) for k in np.flatnonzero(ranked)
        ]
    rankings: dict[int, ClassRanking] = {}
    for wanted, weights in alike:
        weighted = functools.partial(rank, class_weight=weights)
        found = relations.per_factor(weighted, split, max_rows, wanted, categories, scaling == "none")
        rankings.update(found)
    warnings = [
        _left_out(factor.name, "which is continuous", "read info_explicitness or dci_informativeness for it")
        for factor in factors
        if factor.codes is None
    ]
    per_factor = np.full(len(factors), np.nan)
    for k, ranking in rankings.items():
        per_factor[k] = 2 * (ranking.auc - 0.5) if rescale else ranking.auc
        if ranking.unseen:
            warnings.append(
                Check(
                    "unseen_values",
                    f"explicitness counts {ranking.unseen} values of {factors[k].name} as chance: "
                    "no train row has them",
                    "score more rows, or merge rare values",
                    factors[k].name,
                    {"values": ranking.unseen},
                )
            )
        if ranking.stopped:
            text = f"explicitness: the classifier of factor {factors[k].name!r} was still improving"
            warnings.append(Check("not_converged", text, "pass a smaller C", factors[k].name))
        if np.isnan(ranking.auc):
            remedy = "score more rows, or leave a rare value out"
            warnings.append(_left_out(factors[k].name, "of which all test rows have one value", remedy))
    if np.isnan(per_factor).all():
        raise NotApplicable("the test rows have one value of each factor")
    return MetricValue(
        float(np.nanmean(per_factor)),
        per_factor=per_factor,
        warnings=tuple(warnings),
        baseline=0.0 if rescale else 0.5,  # a guess without latents ranks all rows alike
    )


def _check_values(weights: Mapping[Any, float], values: Collection[Any]) -> None:
    """Refuse weights that are none, or are of none of the values of all factors."""
    for value, weight in weights.items():
        if value not in values:
            raise InputError(
                f"`class_weight` has the value {value!r}, which no factor of categories has: its keys are "
                "values of the factors"
            )
        if not allows(Weight, weight):
            raise InputError(f"`class_weight` of {value!r} must be {described(Weight)}, got {weight!r}")


def _levels(relations: Relations, k: int) -> tuple[Any, ...]:
    """A factor's values in the order of the codes that predictors see."""
    inputs = relations.inputs
    if not inputs.incomplete:
        return inputs.factors[k].levels
    return inputs.factors[k].kept(np.flatnonzero(inputs.present([k]))).levels


def _by_code(weights: Mapping[Any, float], levels: Sequence[Any]) -> dict[int, float]:
    """The weights of a factor's values by their codes."""
    return {code: weights[level] for code, level in enumerate(levels) if level in weights}


def _left_out(factor: str, why: str, remedy: str) -> Check:
    return Check("factor_left_out", f"explicitness leaves out {factor}, {why}", remedy, factor)
