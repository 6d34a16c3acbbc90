"""Contingency tables of every binned latent with every factor, in one pass; those of parts add up.

Factors with few values share one joint cell. So a pass costs one ``bincount`` for each latent and
group of factors, rather than one for each latent and factor. The table of each factor is a marginal
of its group's. Counts are integers, so no order of rows or batches changes them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import InputError
from disentangle_metrics.estimators.counts.binning import Bins, chunks

MOST_CELLS = 1 << 28  # of the tables of all latents with one group of factors: 2 GiB
USUAL_BINS = 20
JOINT_CELLS = 1_024  # with so many bins; beyond this a table of counts no longer fits the fast caches


@dataclass(frozen=True)
class ContingencyTables:
    """Counts of rows by latent bin and factor value.

    ``joint[k]`` has shape (D, bins, values of factor k), int64.
    """

    joint: tuple[NDArray[np.int64], ...]


def groups_of_factors(sizes: Sequence[int], most: int = JOINT_CELLS) -> list[list[int]]:
    """Neighbouring factors joined while the product of their numbers of values is `most` at most."""
    groups: list[list[int]] = []
    product = most + 1
    for factor, size in enumerate(sizes):
        if groups and product * size <= most:
            groups[-1].append(factor)
            product *= size
        else:
            groups.append([factor])
            product = size
    return groups


def count(
    latents: NDArray[np.floating],
    bins: Bins,
    codes: Sequence[NDArray[np.integer]],
    sizes: Sequence[int],
) -> ContingencyTables:
    """Count rows by latent bin and factor value.

    Parameters
    ----------
    latents
        Shape (N, D), floating.
    bins
        The bins of the D columns.
    codes
        For each factor an (N,) array of codes 0 .. size - 1.
    sizes
        The number of values of each factor.

    Raises
    ------
    InputError
        If the tables would not fit into memory.
    """
    latent_count = latents.shape[1]
    groups = groups_of_factors(sizes, max(1, JOINT_CELLS * USUAL_BINS // bins.count))
    shapes = [tuple(sizes[factor] for factor in group) for group in groups]
    cells = [math.prod(shape) for shape in shapes]
    if latent_count * max(cells) * bins.count > MOST_CELLS:
        raise InputError(
            f"{bins.count:,} `bins` of {latent_count} latents with a factor of {max(sizes):,} values are "
            "too many cells to count in; use fewer bins, or pass factors of many values as continuous"
        )
    tables = [np.zeros((latent_count, cell * bins.count), dtype=np.int64) for cell in cells]
    for rows in chunks(len(latents)):
        offsets = [_joint_codes([codes[f][rows] for f in g], s) for g, s in zip(groups, shapes, strict=True)]
        for offset in offsets:
            offset *= bins.count
        for latent in range(latent_count):
            binned = bins.encode(latent, latents[rows, latent])
            for table, offset in zip(tables, offsets, strict=True):
                table[latent] += np.bincount(binned + offset, minlength=table.shape[1])
    return ContingencyTables(tuple(_marginals(tables, shapes, latent_count, bins.count)))


def _joint_codes(columns: Sequence[NDArray[np.integer]], shape: tuple[int, ...]) -> NDArray[np.int64]:
    joint = columns[0].astype(np.int64)
    for column, size in zip(columns[1:], shape[1:], strict=True):
        joint = joint * size + column
    return joint


def _marginals(
    tables: list[NDArray[np.int64]], shapes: list[tuple[int, ...]], latents: int, bins: int
) -> Iterable[NDArray[np.int64]]:
    for table, shape in zip(tables, shapes, strict=True):
        joint = table.reshape(latents, *shape, bins)
        for axis in range(len(shape)):
            others = tuple(1 + other for other in range(len(shape)) if other != axis)
            yield np.swapaxes(joint.sum(axis=others), 1, 2)
