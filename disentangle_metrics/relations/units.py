"""The latents as columns, which columns make a unit, and the plane of a unit that follows an angle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import NotApplicable
from disentangle_metrics.estimators.circular import as_plane
from disentangle_metrics.estimators.equivariance import turning_error, turning_plane
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
        own = [latents[:, latent]] if turned is None else [*as_plane(turned).T]
        places.append(list(range(len(columns), len(columns) + len(own))))
        columns += own
    groups = relations.inputs.groups or (tuple(range(latents.shape[1])),)
    units = [[column for latent in group for column in places[latent]] for group in groups]
    return np.column_stack(columns).astype(np.float64, copy=False), units


@dataclass(frozen=True)
class Turning:
    """A plane that follows an angle: each row's place (N, 2), its turns for one of the angle, its error."""

    plane: NDArray[np.float64]
    turns: int
    error: float


def turning_of(columns: NDArray[np.float64], angles: NDArray[np.float64], turns: int) -> Turning:
    """The best plane of these columns (N, D) for angles (N,), of 1 .. `turns` turns, as `d_lsbd` fits it.

    Raises
    ------
    NotApplicable
        If the rows have fewer than three angles.
    """
    errors = turning_error(columns, angles, range(1, turns + 1))
    if np.isnan(errors).all():
        raise NotApplicable("rows of three different angles are needed to fit a plane")
    best = int(np.nanargmin(errors))
    return Turning(turning_plane(columns, angles, best + 1), best + 1, float(errors[best]))
