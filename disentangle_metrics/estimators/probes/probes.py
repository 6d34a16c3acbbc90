"""Predictors of one factor from the latents: their importances and their quality on test rows."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import InputError
from disentangle_metrics.estimators.probes.advice import without_advice
from disentangle_metrics.estimators.probes.unit_regression import unit_data, unit_forest, unit_lasso
from disentangle_metrics.estimators.scaling import scaled
from disentangle_metrics.settings import Probe, parts_that_draw

T = TypeVar("T")
SEEDS = 2**32  # so many has scikit-learn
REGRESSIONS = ("lasso", "review_lasso", "review_forest")  # of the numbers of a factor, also of categories


def regresses(probe: Probe) -> bool:
    """Whether a probe predicts the numbers of categories, whose order then matters."""
    if isinstance(probe, str):
        return probe in REGRESSIONS
    from sklearn.base import is_classifier

    return not is_classifier(probe)


@dataclass(frozen=True)
class Fitted:
    """What a probe found: `importances` (D,), not negative, and `quality` on the test rows.

    `quality` is accuracy for a factor of categories and R2 for a continuous one; for the probes of the
    review of 2022 it is 1 - 12 times the squared error, not below 0, on factors scaled to [0, 1].
    `balanced` is the mean over categories of the accuracy on the rows of each; NaN where none were predicted.
    """

    importances: NDArray[np.float64]
    quality: float
    balanced: float = math.nan


@dataclass(frozen=True)
class ProbeTables:
    """What one probe per factor found: `importances` (D, K), `quality`, `balanced` (K,), NaN if left out."""

    importances: NDArray[np.float64]
    quality: NDArray[np.float64]
    balanced: NDArray[np.float64]

    @classmethod
    def of(cls, fitted: Mapping[int, Fitted], shape: tuple[int, int]) -> ProbeTables:
        """The tables of D latents and K factors, the `shape`, from what was fitted for some factors."""
        importances, quality = np.full(shape, np.nan), np.full((2, shape[1]), np.nan)
        for k, found in fitted.items():
            importances[:, k], quality[:, k] = found.importances, (found.quality, found.balanced)
        return cls(importances, *quality)


@dataclass(frozen=True)
class Target:
    """One factor on the train rows and the test rows: codes if `categories`, values otherwise."""

    train: NDArray[Any]
    test: NDArray[Any]
    categories: bool


def fit(
    probe: Probe,
    train: NDArray[np.floating],
    test: NDArray[np.floating],
    target: Target,
    *,
    alpha: float | None = None,
    seed: int = 0,
) -> Fitted:
    """Fit one probe.

    Parameters
    ----------
    probe
        A name, or a scikit-learn estimator with ``feature_importances_`` or ``coef_``. It draws by the
        seed where its own `random_state` is None.
    train, test
        Latents, (rows, D).
    target
        The factor on the same rows.
    alpha
        The penalty of the Lasso on standardised data; None chooses it by 10-fold cross-validation.
    """
    seed %= SEEDS
    if probe == "boosted_trees":
        return _boosted_trees(train, test, target)
    if probe == "lasso":
        return _lasso(train, test, target, alpha)
    if probe == "review_lasso":
        return Fitted(*unit_lasso(unit_data(train, test, target)))
    if probe == "review_forest":
        return Fitted(*unit_forest(unit_data(train, test, target), seed))
    estimator = _estimator(probe, target.categories, seed)
    with without_advice():
        estimator.fit(train, target.train)
    return Fitted(_importances(estimator), *_quality(target, estimator.predict(test)))


def _boosted_trees(train: NDArray[np.floating], test: NDArray[np.floating], target: Target) -> Fitted:
    from disentangle_metrics.estimators.probes.boosted_trees import fit_boosted_trees

    if not target.categories:
        trees = fit_boosted_trees(train, target.train, classes=None)
        return Fitted(trees.importances, *_quality(target, trees.predict(test)))
    present, codes = np.unique(target.train, return_inverse=True)
    trees = fit_boosted_trees(train, codes, classes=len(present))
    return Fitted(trees.importances, *_quality(target, present[trees.predict(test)]))


def _lasso(
    train: NDArray[np.floating], test: NDArray[np.floating], target: Target, alpha: float | None
) -> Fitted:
    from sklearn.linear_model import Lasso, LassoCV

    latents_train, latents_test = scaled(train, test, "standard")
    factor_train, factor_test = scaled(target.train[:, None], target.test[:, None], "standard")
    model = LassoCV(cv=10) if alpha is None else Lasso(alpha=alpha)
    with without_advice():
        model.fit(latents_train, factor_train[:, 0])
    regression = Target(factor_train[:, 0], factor_test[:, 0], categories=False)
    return Fitted(np.abs(model.coef_), *_quality(regression, model.predict(latents_test)))


def _estimator(probe: Any, categories: bool, seed: int) -> Any:
    from sklearn.base import clone, is_classifier
    from sklearn.ensemble import (
        GradientBoostingClassifier,
        GradientBoostingRegressor,
        RandomForestClassifier,
        RandomForestRegressor,
    )

    if not isinstance(probe, str):
        if is_classifier(probe) and not categories:
            raise InputError(f"`probe` {probe} classifies, but a factor is continuous")
        estimator = clone(probe)
        for part in parts_that_draw(estimator):
            if part.random_state is None:
                part.random_state = seed
        return estimator
    kinds = {
        "gradient_boosting": (GradientBoostingRegressor, GradientBoostingClassifier),
        "random_forest": (RandomForestRegressor, RandomForestClassifier),
    }
    return kinds[probe][categories](random_state=seed)


def _importances(estimator: Any) -> NDArray[np.float64]:
    if hasattr(estimator, "feature_importances_"):
        return np.abs(np.asarray(estimator.feature_importances_, dtype=np.float64))
    if hasattr(estimator, "coef_"):
        weights = np.abs(np.atleast_2d(np.asarray(estimator.coef_, dtype=np.float64)))
        return np.asarray(weights.sum(axis=0))
    raise InputError(f"`probe` {estimator} has neither feature_importances_ nor coef_ after fitting")


def _quality(target: Target, predicted: NDArray[Any]) -> tuple[float, float]:
    """Quality, and balanced accuracy."""
    if target.categories:
        named = np.rint(predicted)
        return accuracy(target.test, named), accuracy(target.test, named, balanced=True)
    residual = float(np.sum((target.test - predicted) ** 2))
    total = float(np.sum((target.test - np.mean(target.test)) ** 2))
    if total == 0:
        return (1.0 if residual == 0 else 0.0), math.nan
    return 1.0 - residual / total, math.nan


def accuracy(codes: NDArray[Any], named: NDArray[Any], *, balanced: bool = False) -> float:
    """Share of the rows named right; balanced: the mean over the codes that occur of the share of each."""
    right = named == codes
    if not balanced:
        return float(np.mean(right))
    place = np.unique(codes, return_inverse=True)[1]
    return float((np.bincount(place, right) / np.bincount(place)).mean())


def svm_accuracies(
    train: NDArray[np.floating],
    test: NDArray[np.floating],
    target: Target,
    units: Sequence[tuple[int, ...]] = (),
    balanced: bool = False,
) -> NDArray[np.float64]:
    """Test accuracy of a class-balanced linear SVM (C = 0.01) on each latent alone. Shape (D,).

    With `units`, on the columns of each; shape (units,). `balanced` as in :func:`accuracy`. The settings are
    those of the study of Locatello et al. 2019. A constant latent has the accuracy of always naming one
    class; so has every latent if the train rows hold one class only.
    """
    from sklearn.svm import LinearSVC

    if len(np.unique(target.train)) < 2:
        always = accuracy(target.test, target.train[:1], balanced=balanced)
        return np.full(len(units) or train.shape[1], always)
    columns = [list(unit) for unit in units or ((latent,) for latent in range(train.shape[1]))]
    accuracies = np.empty(len(columns))
    for place, own in enumerate(columns):
        model = LinearSVC(C=0.01, class_weight="balanced", random_state=0)
        with without_advice():
            model.fit(train[:, own], target.train)
        accuracies[place] = accuracy(target.test, model.predict(test[:, own]), balanced=balanced)
    return accuracies


def mean_result(parts: Sequence[T]) -> T:
    """The mean of each field of results that are dataclasses of numbers and arrays; a flag if any has it."""
    if len(parts) == 1:
        return parts[0]
    first: Any = parts[0]
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(first):
        values = [getattr(part, field.name) for part in parts]
        mean = np.mean(values, axis=0)
        changes[field.name] = (
            any(values) if isinstance(values[0], bool) else mean if mean.ndim else float(mean)
        )
    return cast("T", dataclasses.replace(first, **changes))
