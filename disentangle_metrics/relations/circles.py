"""Correlations of circular latents and factors, put in the place of linear ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.circular import circular_circular, circular_linear
from disentangle_metrics.inputs.inputs import Inputs


def with_circles(
    squared: NDArray[np.float64],
    inputs: Inputs,
    constant: NDArray[np.bool_],
    columns: tuple[NDArray[np.floating], NDArray[np.floating]],
    rows: Any,
) -> NDArray[np.float64]:
    """The squared correlations (D, K) with those of circular latents and factors put in.

    `columns` are latents and factors on these `rows` of the input, `constant` (D,) the latents that
    correlate with nothing.
    """
    latents, factors = columns
    turning = {k: f.angles()[rows] for k, f in enumerate(inputs.factors) if f.period is not None}
    for k, angles in turning.items():
        squared[:, k] = np.where(constant, 0.0, circular_linear(latents, angles))
    for j, angles in inputs.latent_angles().items():
        angles = angles[rows]
        squared[j] = circular_linear(factors, angles)
        for k, of_factor in turning.items():
            squared[j, k] = circular_circular(angles, of_factor)
    return squared
