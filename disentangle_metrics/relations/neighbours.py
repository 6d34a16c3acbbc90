"""Information by nearest neighbours, which goes round where a latent or a factor is circular."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.counts.entropy import Information
from disentangle_metrics.estimators.nearest_neighbours import neighbour_information
from disentangle_metrics.inputs.factor import Factor
from disentangle_metrics.inputs.inputs import Inputs


def information_by_neighbours(
    inputs: Inputs,
    latents: NDArray[np.floating],
    constant: NDArray[np.bool_],
    codes: Sequence[NDArray[np.integer]],
    k: int,
    rng: np.random.Generator,
) -> Information:
    """Information of `latents` (N, D) with each factor of the input; `constant` (D,) ones have none.

    `codes` are those of the factors, `k` is the number of neighbours.
    """
    return neighbour_information(
        latents,
        constant,
        [None if factor.values is None else places(factor) for factor in inputs.factors],
        codes,
        k,
        rng,
        categorical=inputs.latents_of("categorical"),
        angles=inputs.latent_angles(),
        circular=[place for place, factor in enumerate(inputs.factors) if factor.period is not None],
    )


def places(factor: Factor) -> NDArray[np.float64]:
    """What distances of a factor that is no category are taken of: numbers (N,), or angles in radians."""
    return factor.as_numbers() if factor.period is None else factor.angles()
