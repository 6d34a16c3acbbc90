"""How much of a factor a linear probe on all latents predicts, as a share of what there is to predict."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.probes.advice import without_advice
from disentangle_metrics.estimators.probes.probes import Target
from disentangle_metrics.estimators.scaling import scaled


@dataclass(frozen=True)
class Predicted:
    """`share`, at most 1, and whether the classifier was still improving when it was stopped."""

    share: float
    stopped: bool = False


def predictive_information(
    train: NDArray[np.floating], test: NDArray[np.floating], target: Target, *, max_iter: int
) -> Predicted:
    """1 - CE / CE_null of a linear classifier, or R2 of a linear regression for a continuous factor.

    The classifier is multinomial, without penalty, and weighs all classes alike; CE is its mean
    cross-entropy on the test rows and CE_null that of knowing nothing, the logarithm of the number
    of classes. Where a linear classifier can separate the classes its weights grow for ever and
    the share tends to 1.

    Parameters
    ----------
    train, test
        Latents, (rows, D).
    target
        The factor on the same rows. A class that no train row has counts as not predicted.
    max_iter
        Steps of the classifier's optimiser.
    """
    train, test = scaled(train, test, "standard")
    if not target.categories:
        return Predicted(_r2(train, test, target))
    classes = np.unique(target.train)
    if len(classes) < 2:
        return Predicted(0.0)
    nothing = np.log(len(classes))
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=np.inf, class_weight="balanced", max_iter=max_iter)
    with without_advice() as stopped:
        model.fit(train, target.train)
    known = np.isin(target.test, classes)
    place = np.searchsorted(classes, target.test[known])
    probability = model.predict_proba(test)[known, place]
    losses = np.full(len(test), nothing)
    losses[known] = -np.log(np.maximum(probability, np.finfo(np.float64).eps))
    return Predicted(float(1 - losses.mean() / nothing), bool(stopped))


def _r2(train: NDArray[np.float64], test: NDArray[np.float64], target: Target) -> float:
    centre = np.mean(target.train)
    slopes = np.linalg.lstsq(train - train.mean(axis=0), target.train - centre, rcond=None)[0]
    residual = target.test - centre - (test - train.mean(axis=0)) @ slopes
    total = float(np.sum((target.test - np.mean(target.test)) ** 2))
    if total == 0:
        return 0.0
    return 1.0 - float(residual @ residual) / total
