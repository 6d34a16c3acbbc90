"""The latents as columns of numbers, and which columns make a unit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.relations.grouped import GroupedRelations
from disentangle_metrics.relations.relations import Relations


def units_of(relations: Relations) -> tuple[NDArray[np.float64], list[list[int]]]:
    """Columns (N, columns), and those of each group of latents; without groups all latents are one unit.

    A circular latent is two columns, its cosine and its sine.
    """
    single = relations.columns if isinstance(relations, GroupedRelations) else relations
    latents, angles = single.latents, single.inputs.latent_angles()
    columns: list[NDArray[np.floating]] = []
    places: list[list[int]] = []
    for latent in range(latents.shape[1]):
        turned = angles.get(latent)
        own = [latents[:, latent]] if turned is None else [np.cos(turned), np.sin(turned)]
        places.append(list(range(len(columns), len(columns) + len(own))))
        columns += own
    groups = relations.inputs.groups or (tuple(range(latents.shape[1])),)
    units = [[column for latent in group for column in places[latent]] for group in groups]
    return np.column_stack(columns).astype(np.float64, copy=False), units
