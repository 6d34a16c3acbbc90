"""The relations that suit an input: of columns or of groups of them, with values missing or not."""

from __future__ import annotations

from typing import Any

from disentangle_metrics.inputs.inputs import Inputs
from disentangle_metrics.relations.grouped import GroupedRelations
from disentangle_metrics.relations.incomplete import IncompleteRelations
from disentangle_metrics.relations.relations import Relations


def relate(
    inputs: Inputs,
    *,
    seed: int = 0,
    n_jobs: int | None = 1,
    edges_of: Relations | None = None,
    of_factors: dict[Any, Any] | None = None,
) -> Relations:
    """The relations of checked input, whether its factors are complete or not, its latents groups or not."""
    kind = IncompleteRelations if inputs.incomplete else Relations
    if not inputs.groups:
        return kind(inputs, seed=seed, n_jobs=n_jobs, edges_of=edges_of, of_factors=of_factors)
    edges = edges_of.columns if isinstance(edges_of, GroupedRelations) else None
    columns = kind(inputs.ungrouped(), seed=seed, n_jobs=n_jobs, edges_of=edges, of_factors=of_factors)
    return GroupedRelations(inputs, columns)
