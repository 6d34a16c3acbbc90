"""How well each latent predicts each factor, and each factor each latent, one column from another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import NotApplicable
from disentangle_metrics.estimators.circular import as_plane
from disentangle_metrics.estimators.linear import LEAST_ROWS, folds_of
from disentangle_metrics.estimators.probes.one_column import Column, category, held_out_quality, measurement
from disentangle_metrics.inputs.factor import Factor
from disentangle_metrics.relations.incomplete import IncompleteRelations
from disentangle_metrics.relations.relations import Relations


@dataclass(frozen=True)
class MutualPrediction:
    """Quality of `factors_from_latents` and `latents_from_factors`, (D, K) each, in [0, 1]."""

    factors_from_latents: NDArray[np.float64]
    latents_from_factors: NDArray[np.float64]

    def both_ways(self) -> NDArray[np.float64]:
        """The geometric mean of the two (D, K): 1 where a pair determines one another."""
        both: NDArray[np.float64] = np.sqrt(self.factors_from_latents * self.latents_from_factors)
        return both


def mutual_prediction(relations: Relations, seed: int) -> MutualPrediction:
    """Both tables; the columns of a factor without values in some rows are those of its rows.

    Raises
    ------
    NotApplicable
        If latents are groups of columns, or a factor has fewer than 20 rows.
    """
    shape = relations.inputs.shape[1:]
    tables = MutualPrediction(np.zeros(shape), np.zeros(shape))
    parts = [(tuple(range(shape[1])), relations)]
    if isinstance(relations, IncompleteRelations):
        parts = relations.parts
    for columns, part in parts:
        rows = len(part.latents)
        if rows < LEAST_ROWS:
            names = part.inputs.factor_names
            of = f"factor {names[0]!r} has" if len(names) == 1 else f"{len(names)} factors together have"
            raise NotApplicable(f"needs {LEAST_ROWS} rows, and {of} {rows}")
        folds = folds_of(rows, np.random.default_rng(seed))
        latents = _latents(part)
        factors = [_factor(factor) for factor in part.inputs.factors]
        tables.factors_from_latents[:, columns] = held_out_quality(latents, factors, folds)
        tables.latents_from_factors[:, columns] = held_out_quality(factors, latents, folds).T
    return tables


def _factor(factor: Factor) -> Column:
    if factor.kind == "categorical" and factor.codes is not None:
        return category(factor.codes)
    if factor.period is not None:
        return measurement(factor.angles(), factor.columns())
    return measurement(factor.as_numbers())


def _latents(relations: Relations) -> list[Column]:
    categories, angles = relations.inputs.latents_of("categorical"), relations.inputs.latent_angles()
    columns = []
    for j, values in enumerate(np.where(relations.constant(), 0.0, relations.latents).T):
        if j in categories:
            columns.append(category(np.unique(values, return_inverse=True)[1].reshape(-1)))
        elif j in angles:
            around = np.mod(angles[j], 2 * np.pi)
            columns.append(measurement(around, as_plane(around)))
        else:
            columns.append(measurement(values))
    return columns
