"""Draw rows that share a factor's value, for metrics that compare batches of rows.

Everything is vectorised over the draws. The rows are sorted by each factor once. After that
"another row with the same value" is one multiplication and one look-up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.counts.binning import chunks, distinct

DRAWS = 1 << 18  # rows drawn at a time
CACHED = 1 << 12  # rows whose latents are looked at in one go: they stay in the second-level cache
CELLS = 1 << 22  # numbers held at a time, 8 bytes each, however many latents there are


@dataclass(frozen=True)
class Drawing:
    """How rows that share a value are drawn.

    `uniform_values`: each value alike, rather than by its frequency; `replacement`: rows may be
    drawn twice.
    """

    uniform_values: bool = False
    replacement: bool = True


@dataclass(frozen=True)
class Groups:
    """The rows sorted by one factor's value: value v owns ``order[start[v] : start[v] + size[v]]``."""

    order: NDArray[np.int64]
    start: NDArray[np.int64]
    size: NDArray[np.int64]

    @classmethod
    def of(cls, codes: NDArray[np.integer], values: int) -> Groups:
        """Sort rows by their code 0 .. values - 1."""
        size = np.bincount(codes, minlength=values).astype(np.int64)
        order = np.argsort(codes, kind="stable").astype(np.int64, copy=False)
        return cls(order, np.concatenate([[0], np.cumsum(size)[:-1]]).astype(np.int64), size)

    def rows(self, value: int | np.int64) -> NDArray[np.int64]:
        """The rows that have this value."""
        return self.order[self.start[value] : self.start[value] + self.size[value]]

    def draw_values(
        self, draws: int, rng: np.random.Generator, rule: Drawing = Drawing()
    ) -> NDArray[np.int64]:
        """Values that at least two rows have, drawn in proportion to their frequency, or each alike."""
        eligible = np.where(self.size >= 2, 1 if rule.uniform_values else self.size, 0)
        edges = np.cumsum(eligible)
        return np.searchsorted(edges, rng.integers(edges[-1], size=draws), side="right").astype(np.int64)

    def draw_rows(
        self, values: NDArray[np.int64], rows: int, rng: np.random.Generator, rule: Drawing = Drawing()
    ) -> NDArray[np.int64]:
        """For each value `rows` rows that have it. Shape (values, rows)."""
        if not rule.replacement:
            return self._draw_without_replacement(values, rows, rng)
        # random() rather than integers(): the upper bounds differ from row to row.
        position = rng.random((len(values), rows)) * self.size[values, None]
        return self.order[self.start[values, None] + position.astype(np.int64)]

    def _draw_without_replacement(
        self, values: NDArray[np.int64], rows: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Shuffle the rows of a value and deal them out; shuffle again when they are used up.

        No draw holds a row twice, unless the value has fewer rows than a draw needs.
        """
        drawn = np.empty((len(values), rows), dtype=np.int64)
        for value in np.unique(values):
            members, wanted = self.rows(value), np.flatnonzero(values == value)
            dealt = len(members) - (len(members) % rows if len(members) >= rows else 0)
            shuffles = -(-len(wanted) * rows // dealt)
            order = np.argsort(rng.random((shuffles, len(members))), axis=1)[:, :dealt]
            drawn[wanted] = members[order].reshape(-1)[: len(wanted) * rows].reshape(-1, rows)
        return drawn


def joint_groups(codes: Sequence[NDArray[np.integer]], sizes: Sequence[int]) -> Groups:
    """Rows sorted by the joint value of one or more columns of codes."""
    joint, count = codes[0].astype(np.int64), sizes[0]
    for column, size in zip(codes[1:], sizes[1:], strict=True):
        # Renumbering after each column keeps the codes below the number of rows times a column's size.
        levels, joint = distinct(joint * size + column)
        count = len(levels)
    return Groups.of(joint, count)


def fixed_factor_variances(
    latents: NDArray[np.floating],
    groups: Sequence[Groups],
    factors: NDArray[np.int64],
    rows: int,
    rng: np.random.Generator,
    rule: Drawing = Drawing(),
) -> NDArray[np.float64]:
    """Variance of each latent over `rows` rows that share the value of one factor.

    Parameters
    ----------
    latents
        Shape (N, D), floating.
    groups
        The sorted rows of each factor.
    factors
        Shape (draws,): which factor is fixed in each draw.
    rows
        Rows per draw, at least 2.
    rule
        How values and rows are drawn.

    Returns
    -------
    Shape (draws, D); the unbiased variance (ddof 1).
    """
    variance = np.empty((len(factors), latents.shape[1]))
    for factor, group in enumerate(groups):
        draws = np.flatnonzero(factors == factor)
        for part in np.array_split(draws, max(1, len(draws) * rows // DRAWS)):
            values = group.draw_values(len(part), rng, rule)
            drawn = group.draw_rows(values, rows, rng, rule)
            step = max(1, min(CACHED // rows, CELLS // (rows * latents.shape[1])))
            for some in chunks(len(part), step):
                # Draws lie side by side, so that sums over their rows run along contiguous memory.
                chosen = np.take(latents, drawn[some].T, axis=0).astype(np.float64, copy=False)
                flat = chosen.reshape(rows, -1).var(axis=0, ddof=1)
                variance[part[some]] = flat.reshape(-1, latents.shape[1])
    return variance


def mean_pair_distances(
    latents: NDArray[np.floating],
    groups: Sequence[Groups],
    factors: NDArray[np.int64],
    pairs: int,
    rng: np.random.Generator,
    rule: Drawing = Drawing(),
) -> NDArray[np.float64]:
    """Mean absolute difference of each latent over pairs of rows that share the value of one factor.

    Each pair has a value of its own. Parameters as for :func:`fixed_factor_variances`, with `pairs`
    pairs per draw. Shape (draws, D).
    """
    distance = np.empty((len(factors), latents.shape[1]))
    for factor, group in enumerate(groups):
        draws = np.flatnonzero(factors == factor)
        for part in np.array_split(draws, max(1, len(draws) * pairs * 2 // DRAWS)):
            values = group.draw_values(len(part) * pairs, rng, rule)
            rows = group.draw_rows(values, 2, rng, rule)
            step = max(1, CELLS // (pairs * latents.shape[1]))
            for some in chunks(len(part), step):
                first, second = rows[some.start * pairs : some.stop * pairs].T
                difference = latents[first].astype(np.float64, copy=False) - latents[second]
                distance[part[some]] = np.abs(difference).reshape(len(part[some]), pairs, -1).mean(axis=1)
    return distance
