"""The randomised dependence coefficient (RDC) of two columns.

Each column is replaced by its ranks, from 0 to 1. Random waves of the ranks stand for all smooth functions
of the column. The coefficient is the largest correlation of a function of one column with a function of
the other: 1 for any noiseless relation that smooth functions follow, in either direction.

References
----------
Lopez-Paz, Hennig, Schoelkopf. The randomized dependence coefficient. NeurIPS 2013.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.correlation import ranks

WAVES = 20
FREQUENCY = 0.5  # deviation of a wave's frequency and of its phase
LEAST = 1e-8  # of the largest singular value: waves that differ by less are one
ROUNDING = 1e-12  # in each row: waves that vary by less are those of a constant column

Floats = NDArray[np.float64]
Columns = NDArray[np.floating]


class Basis(NamedTuple):
    """Functions of a column that are uncorrelated on its rows.

    Attributes
    ----------
    values
        Shape (N, R): the functions, orthonormal and of mean 0; R = 0 for a constant column.
    centre, weights
        Shapes (WAVES,) and (WAVES, R): the functions are (waves - centre) @ weights.
    """

    values: Floats
    centre: Floats
    weights: Floats


def drawn_waves(rng: np.random.Generator) -> Floats:
    """Frequencies and phases (2, WAVES). One draw serves all columns, so that their order means nothing."""
    return rng.normal(scale=FREQUENCY, size=(2, WAVES))


def dependence(waves: Floats) -> Callable[..., tuple[Floats, Floats]]:
    """What gives RDC (D, K) of the rows that are seen, and how far it holds for those that are not.

    There the functions that were found on the rows that are seen are correlated. Ranks are those among the
    rows of each part.
    """

    def correlate(latents: Columns, factors: Columns, *unseen: Columns) -> tuple[Floats, Floats]:
        pairs = zip(factors.T, unseen[1].T, strict=True)
        of_factors = [(_basis(column, waves), _waves_of(new, waves)) for column, new in pairs]
        seen = np.zeros((latents.shape[1], factors.shape[1]))
        held_out = np.zeros(seen.shape)
        for j, column in enumerate(latents.T):
            basis, new = _basis(column, waves), _waves_of(unseen[0][:, j], waves)
            for k, (other, new_other) in enumerate(of_factors):
                seen[j, k], left, right = _best(basis, other)
                one = (new - basis.centre) @ (basis.weights @ left)
                two = (new_other - other.centre) @ (other.weights @ right)
                held_out[j, k] = _correlation(one, two)
        return np.clip(seen, 0.0, 1.0), held_out

    return correlate


def _waves_of(column: Columns, waves: Floats) -> Floats:
    """Shape (N, WAVES). Tied values share the mean of their ranks: the order of rows means nothing."""
    places = ranks(column[:, None]) / len(column)
    return np.asarray(np.sin(places * waves[0] + waves[1]))


def _basis(column: Columns, waves: Floats) -> Basis:
    of_rows = _waves_of(column, waves)
    centre = of_rows.mean(axis=0)
    left, sizes, right = np.linalg.svd(of_rows - centre, full_matrices=False)
    kept = sizes > max(LEAST * sizes[0], ROUNDING * np.sqrt(len(column)))
    return Basis(left[:, kept], centre, right[kept].T / sizes[kept])


def _best(one: Basis, other: Basis) -> tuple[float, Floats, Floats]:
    """The largest correlation of functions of both, and these functions as weights of each basis."""
    if not (one.weights.shape[1] and other.weights.shape[1]):
        return 0.0, np.zeros(one.weights.shape[1]), np.zeros(other.weights.shape[1])
    left, sizes, right = np.linalg.svd(one.values.T @ other.values)
    return float(sizes[0]), left[:, 0], right[0]


def _correlation(one: Floats, other: Floats) -> float:
    one, other = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / scale if scale > 0 else 0.0
