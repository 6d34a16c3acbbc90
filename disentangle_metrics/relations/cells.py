"""How many cells each latent is cut into: its bins, the values of a code, the joint cells of a group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.relations.grouped import GroupedRelations
from disentangle_metrics.relations.incomplete import IncompleteRelations
from disentangle_metrics.relations.relations import Relations


def log_cells(relations: Relations, bins: int) -> NDArray[np.float64]:
    """Logarithm of the cells of each latent in the rows of each factor (D, K): its largest entropy."""
    columns = relations.columns if isinstance(relations, GroupedRelations) else relations
    units = relations.inputs.groups or [(latent,) for latent in range(relations.inputs.shape[1])]
    table = np.empty(relations.inputs.shape[1:])
    if isinstance(columns, IncompleteRelations):
        for factors, part in columns.parts:
            table[:, factors] = _of_units(part, units, bins)[:, None]
        return table
    table[:] = _of_units(columns, units, bins)[:, None]
    return table


def _of_units(columns: Relations, units: Sequence[tuple[int, ...]], bins: int) -> NDArray[np.float64]:
    """That of each unit (D,) in the rows of these columns."""
    cut = (columns.edges_of or columns).inputs
    values = {j: len(np.unique(cut.latents[:, j])) for j in cut.latents_of("categorical")}
    return np.array([sum(np.log(values.get(column, bins)) for column in unit) for unit in units])
