"""Regression of a factor on the latents, both scaled to [0, 1], as the review of Carbonneau et al. has it.

The settings are those of the published code of "Measuring disentanglement: a review of metrics" (2022).
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.probes.advice import without_advice
from disentangle_metrics.estimators.scaling import scaled

ALPHAS = (0.0001, 0.001, 0.01, 0.1, 0.2, 0.4, 0.8, 1.0)
DEPTHS = (8, 16, 32, 64, 128)
FEATURES = (0.2, 0.4, 0.8, 1.0)
FOLDS = 10

UnitData = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def unit_lasso(data: UnitData) -> tuple[NDArray[np.float64], float]:
    """Absolute weights (D,) and quality of a Lasso whose penalty is chosen by 10-fold cross-validation."""
    from sklearn.linear_model import Lasso

    return _best(data, [Lasso(alpha=alpha, max_iter=5_000) for alpha in ALPHAS])


def unit_forest(data: UnitData, seed: int) -> tuple[NDArray[np.float64], float]:
    """Importances (D,) and quality of a forest of 10 trees, depth and features chosen by 10-fold CV."""
    from sklearn.ensemble import RandomForestRegressor

    grid = itertools.product(DEPTHS, FEATURES)
    return _best(
        data,
        [
            RandomForestRegressor(10, max_depth=depth, max_features=share, random_state=seed)
            for depth, share in grid
        ],
    )


def unit_data(train: NDArray[np.floating], test: NDArray[np.floating], target: Any) -> UnitData:
    """Latents and factor of the train rows, then of the test rows, in units of the train rows' range."""
    latents = scaled(train, test, "minmax")
    factor = scaled(target.train[:, None], target.test[:, None], "minmax")
    return latents[0], factor[0][:, 0], latents[1], factor[1][:, 0]


def _best(data: UnitData, candidates: list[Any]) -> tuple[NDArray[np.float64], float]:
    """Fit the candidate with the smallest squared error over the folds; the first of equals."""
    from sklearn.model_selection import cross_val_score

    latents, factor, test_latents, test_factor = data
    folds = min(FOLDS, len(latents))
    with without_advice():
        scores = [
            cross_val_score(model, latents, factor, cv=folds, scoring="neg_mean_squared_error").mean()
            for model in candidates
        ]
        model = candidates[int(np.argmax(scores))].fit(latents, factor)
    error = float(np.mean((model.predict(test_latents) - test_factor) ** 2))
    weights = model.feature_importances_ if hasattr(model, "feature_importances_") else np.abs(model.coef_)
    # 1/12 is the variance of a uniform target, so that guessing its mean has quality 0.
    return np.asarray(weights, dtype=np.float64), max(1 - 12 * error, 0.0)
