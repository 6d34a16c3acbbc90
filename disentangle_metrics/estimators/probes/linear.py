"""Logistic classifiers of latents, and how well they rank or name classes on test rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.probes.advice import without_advice
from disentangle_metrics.estimators.probes.probes import Target
from disentangle_metrics.estimators.scaling import scaled
from disentangle_metrics.settings import Decision, Scaling


@dataclass(frozen=True)
class ClassRanking:
    """Mean area under the ROC curve over the classes of the test rows, and how many of them had no train row.

    `auc` is NaN if all test rows are of one class. `stopped` says that the classifier was still improving.
    """

    auc: float
    unseen: int
    stopped: bool = False


def class_ranking(
    train: NDArray[np.floating],
    test: NDArray[np.floating],
    target: Target,
    *,
    decision: Decision,
    scaling: Scaling,
    class_weight: Any,
    C: float,
) -> ClassRanking:
    """Rank the test rows by the probability of each class, one against the rest.

    Parameters
    ----------
    train, test
        Latents, (rows, D).
    target
        The classes of the same rows.
    decision
        ``"multinomial"``: one softmax over all classes; ``"one_vs_rest"``: a binary classifier for
        each class, their probabilities made to sum to 1 in each row; ``"separate"``: without that.
    scaling
        See :func:`.scaling.scaled`.
    class_weight, C
        As in scikit-learn: weights of the classes, and the inverse of the penalty. A dict weighs the train
        rows of each class, also where the classifiers are of one class against the rest.
    """
    train, test = scaled(train, test, scaling)
    known = np.unique(target.train)
    # Without a second class nothing can be learned, and every row gets the same score.
    scores = np.zeros((len(test), len(known)))
    stopped: list[Any] = []
    if len(known) > 1:
        with without_advice() as stopped:
            scores = _probabilities(train, test, target.train, decision, class_weight, C=C)
    present = np.unique(target.test)
    positive = target.test[:, None] == present
    by_class = np.zeros(positive.shape)  # a class without train rows is never predicted: all rows tie
    _, ours, theirs = np.intersect1d(present, known, return_indices=True)
    by_class[:, ours] = scores[:, theirs]
    areas = areas_under_roc(by_class, positive)[positive.sum(axis=0) < len(test)]
    area = float(areas.mean()) if len(areas) else np.nan
    return ClassRanking(area, len(present) - len(ours), bool(stopped))


def _probabilities(
    train: NDArray[np.float64],
    test: NDArray[np.float64],
    classes: NDArray[Any],
    decision: str,
    class_weight: Any,
    **options: Any,
) -> NDArray[np.float64]:
    """Probability of each class, in the order of their values, for the test rows."""
    values, weights = np.unique(classes), None
    if isinstance(class_weight, Mapping):
        weights = np.array([class_weight.get(value, 1.0) for value in classes.tolist()])
    else:
        options["class_weight"] = class_weight
    if decision == "multinomial":
        fitted = _logistic(len(values), **options).fit(train, classes, sample_weight=weights)
        return np.asarray(fitted.predict_proba(test))
    columns = [
        _logistic(2, **options).fit(train, classes == value, sample_weight=weights).predict_proba(test)[:, 1]
        for value in values
    ]
    table = np.stack(columns, axis=1)
    if decision == "one_vs_rest":
        table /= np.maximum(table.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    return table


def _logistic(classes: int, **options: Any) -> Any:
    """A classifier that is run to its optimum, which scikit-learn's own settings can stop short of.

    Without a penalty, or with latents of different scale, they are off by up to 0.04 in the area.
    """
    from sklearn.linear_model import LogisticRegression

    # Newton's method is exact, and cheap with one row of weights; its matrix is too large for many.
    solver = "newton-cholesky" if classes == 2 else "lbfgs"
    return LogisticRegression(solver=solver, tol=1e-6, max_iter=1_000, **options)


def areas_under_roc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> NDArray[np.float64]:
    """For each column the share of (positive, negative) pairs of rows in the right order, ties for half.

    Both arguments have shape (rows, classes); a column without positives or negatives gives NaN.
    """
    from scipy.stats import rankdata

    ranks = np.where(positive, rankdata(scores, axis=0), 0.0).sum(axis=0)
    ones = positive.sum(axis=0)
    zeros = len(positive) - ones
    areas = np.full(scores.shape[1], np.nan)
    np.divide(ranks - ones * (ones + 1) / 2, ones * zeros, out=areas, where=ones * zeros > 0)
    return areas


def named_classes(
    train: NDArray[np.float64], classes: NDArray[np.int64], test: NDArray[np.float64], scaling: Scaling
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The class that a multinomial classifier names for each train row and each test row."""
    train, test = scaled(train, test, scaling)
    if (classes == classes[0]).all():
        return classes, np.full(len(test), classes[0])
    with without_advice():
        model = _logistic(len(np.unique(classes)), C=1.0).fit(train, classes)
    return np.asarray(model.predict(train)), np.asarray(model.predict(test))
