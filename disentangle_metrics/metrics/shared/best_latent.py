"""The score of the best latent of each factor, when each column is predicted from one other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.metrics.definition import Axis, Labelled, MetricValue
from disentangle_metrics.relations.mutual_prediction import MutualPrediction


def of_varying(prediction: MutualPrediction, varying: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The geometric mean of both ways (D, K); NaN for factors with one value."""
    return np.where(varying, prediction.both_ways(), np.nan)


def best_latents(prediction: MutualPrediction, varying: NDArray[np.bool_]) -> MetricValue:
    """The mean over the factors that vary of their largest entry."""
    table = of_varying(prediction, varying)
    per_factor = table.max(axis=0)
    axes: tuple[Axis, ...] = ("latents", "factors")
    return MetricValue(
        float(np.nanmean(per_factor)),
        per_factor=per_factor,
        details={
            "both_ways": Labelled(table, axes),
            "factors_from_latents": Labelled(prediction.factors_from_latents, axes),
            "latents_from_factors": Labelled(prediction.latents_from_factors, axes),
        },
    )
