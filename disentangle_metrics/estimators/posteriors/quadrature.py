"""Entropies and mutual information of Gaussian posteriors, by quadrature instead of sampling.

A latent's density q(z) = mean over the rows n of Normal(z; m_n, s_n^2) is a mixture in one
dimension, and so is its part q(z, v = c) of each factor value c. Both are evaluated on a grid and
integrated by the trapezoid rule, which converges faster than any power for such smooth functions:

    H(z) = -integral of q log q,   H(z, v) = -sum over c of the integral of q(., c) log q(., c),
    I(z; v) = H(z) + H(v) - H(z, v).

Each normal is evaluated only where it has mass, on a grid with at least ``SPACING`` nodes to its
standard deviation. Widths in one latent may differ by many orders of magnitude, so there is a
grid for every octave of width, each with half the spacing of the one above. A finer grid covers
only the surroundings of the normals that need it. It takes over there by a smooth window whose
complement stays with the coarser grid. There is no seam, so the trapezoid rule stays exact.

What is done for every row is done by the library of the arrays, on their device. The grids, which are
small, are NumPy's.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.counts.counts import groups_of_factors
from disentangle_metrics.estimators.counts.entropy import Information, entropy, present
from disentangle_metrics.estimators.namespaces import ascending, namespace, on_host

SPACING = 1.6  # nodes to the standard deviation of the narrowest normal of a grid
REACH = 5.2  # standard deviations beyond which a normal has no mass: 2e-7 of it
BLEND = 12  # nodes of the coarser grid over which a finer one takes over
HALO = 8  # nodes to each side that interpolation reads
NOTHING = 1e-6  # nats that cannot be told from none
NARROWEST = 1e-9  # of the latent's range: narrower posteriors count as this narrow
ELEMENTS = 1 << 16  # densities evaluated at a time; a few arrays of them stay in the cache
DEVICE_ELEMENTS = 1 << 24  # the same on another device, where every call costs more than its arithmetic
CELLS = 1 << 22  # densities kept at a time: 32 MiB

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Array = Any  # NumPy's, or a tensor on any device


def posterior_information(
    mean: Array,
    logvar: Array,
    codes: Sequence[NDArray[np.integer]],
    sizes: Sequence[int],
) -> Information:
    """Mutual information of every latent with every factor, from the posteriors of all N rows.

    Parameters
    ----------
    mean, logvar
        Shape (N, D): means and natural logarithms of the variances. Arrays of NumPy, or of PyTorch on
        any device with float64, where the work is then done; on a GPU sums have no fixed order, so that
        the last bits may differ from run to run.
    codes, sizes
        For each factor an (N,) array of codes 0 .. size - 1, and its number of values.

    Returns
    -------
    In nats; the entropies that involve the latent are differential. The error is below 2e-5 nats.
    """
    rows_by_value = [np.bincount(column, minlength=size) for column, size in zip(codes, sizes, strict=True)]
    factor_entropy = np.array([entropy(rows) for rows in rows_by_value])
    latent_entropy = np.empty(mean.shape[1])
    joint_entropy = np.empty((mean.shape[1], len(sizes)))
    codes = [namespace(mean).asarray(column, device=mean.device) for column in codes]
    for latent in range(mean.shape[1]):
        mixture = Mixture.of(mean[:, latent], logvar[:, latent], codes, sizes)
        latent_entropy[latent], joint_entropy[latent] = mixture.entropies()
    information = latent_entropy[:, None] + factor_entropy - joint_entropy
    information = np.clip(information, 0.0, factor_entropy)
    information[information < NOTHING] = 0.0
    return Information(
        information, joint_entropy, latent_entropy, factor_entropy, present(rows_by_value), counted=False
    )


def information_about_rows(mean: Array, logvar: Array) -> Floats:
    """I(x; z_j) = H(z_j) - mean over the rows of H(z_j | x), in nats, 0 to log N. Shape (D,)."""
    rows, xp = len(mean), namespace(mean)
    found = np.empty(mean.shape[1])
    for latent in range(mean.shape[1]):
        whole = [xp.zeros(rows, dtype=xp.int64, device=mean.device)]
        mixture = Mixture.of(mean[:, latent], logvar[:, latent], whole, [1])
        noise = 0.5 * math.log(2 * math.pi * math.e) + float(xp.log(mixture.deviation).mean())
        found[latent] = mixture.entropies()[0] - noise
    return np.clip(found, 0.0, math.log(rows))


@dataclass(frozen=True)
class Mixture:
    """One latent: normals with `mean` (N,) and `deviation` (N,), and the factors' codes.

    `level` (N,) is the grid each normal lies on, 0 the coarsest; grid l has spacing / 2 ** l.
    """

    mean: Array
    deviation: Array
    level: Array
    spacing: float
    codes: Sequence[Array]
    sizes: Sequence[int]

    @classmethod
    def of(cls, mean: Array, logvar: Array, codes: Sequence[Array], sizes: Sequence[int]) -> Mixture:
        """Choose the grids."""
        xp = namespace(mean)
        centre = xp.asarray(mean, dtype=xp.float64)
        deviation = xp.exp(0.5 * xp.clip(xp.asarray(logvar, dtype=xp.float64), -600, 600))
        extent = float(centre.max() - centre.min()) + float(deviation.max())
        # The second term keeps the nodes apart in floating point when the mean is far from 0.
        floor = max(NARROWEST * extent, 1e-13 * float(abs(centre).max()))
        deviation = xp.clip(deviation, floor, None)
        narrowest = float(deviation.min())
        octave = xp.asarray(xp.log2(deviation / narrowest), dtype=xp.int64)
        finest = int(octave.max())
        return cls(centre, deviation, finest - octave, narrowest / SPACING * 2.0**finest, codes, sizes)

    def entropies(self) -> tuple[float, Floats]:
        """H(z), and H(z, v_k) of each factor (K,), in nats."""
        sums = np.zeros(1 + len(self.sizes))
        for low, high in self._sections():
            sums += self._section(low, high)
        return -float(sums[0]), -sums[1:]

    def _sections(self) -> Iterator[tuple[float, float]]:
        """Intervals of the axis that hold at most about CELLS nodes each, all rows of values counted."""
        most = 0.0
        reach = REACH * self.deviation
        extent = float((self.mean + reach).max() - (self.mean - reach).min())
        for level in range(int(self.level.max()) + 1):
            alone = int((self.level >= level).sum()) * (4 * REACH * SPACING + 8 * BLEND)
            most = max(most, min(alone, extent / self.spacing * 2.0**level))
        parts = math.ceil(most * sum(self.sizes) / CELLS)
        if parts == 1:
            yield -math.inf, math.inf
            return
        quantiles = np.unique(np.quantile(on_host(self.mean), np.arange(1, parts) / parts))
        cuts = [-math.inf, *quantiles.tolist(), math.inf]
        yield from pairwise(cuts)

    def _section(self, low: float, high: float) -> Floats:
        """The integrals of q log q over the nodes in [low, high): of q(z), and summed over q(z, v_k = c)."""
        rows = namespace(self.mean).arange(len(self.mean), device=self.mean.device)
        sums = np.zeros(1 + len(self.sizes))
        above: tuple[Runs, Floats] | None = None
        level = 0
        while len(rows):
            spacing = self.spacing * 0.5**level
            rows, runs = self._runs(rows, level, low, high)
            # One row for q(z) and one for each value of each factor.
            density = np.zeros((1 + sum(self.sizes), runs.length)) if above is None else _finer(*above, runs)
            self._add(density, rows[self.level[rows] == level], runs, spacing)
            weights = np.ones(runs.length) if above is None else runs.window(scale=2.0)
            rows = rows[self.level[rows] > level]
            if len(rows):
                # Leave to the next grid, whose nodes lie twice as dense, what it takes over.
                weights -= self._runs(rows, level + 1, low, high)[1].coarser().window_on(runs)
            place = runs.nodes() * spacing
            weights *= np.where((place >= low) & (place < high), spacing, 0.0)
            sums += _integrals(density, weights, self.sizes)
            above, level = (runs, density), level + 1
        return sums

    def _runs(self, rows: Array, level: int, low: float, high: float) -> tuple[Array, Runs]:
        """The nodes of a grid that these normals need, and those of the normals that need any.

        They need nodes where they have mass and, around that, room to blend with the coarser grid.
        Of these only what can tell on [low, high) is kept.
        """
        xp = namespace(rows)
        spacing = self.spacing * 0.5**level
        room = 4 * BLEND * xp.asarray((self.level[rows] > level) | (level > 0), dtype=xp.int64)
        reach = REACH * self.deviation[rows]
        start = xp.asarray(xp.floor((self.mean[rows] - reach) / spacing), dtype=xp.int64) - room
        stop = xp.asarray(xp.ceil((self.mean[rows] + reach) / spacing), dtype=xp.int64) + room
        if not math.isinf(low):
            start = xp.clip(start, math.floor(low / spacing) - 6 * BLEND, None)
        if not math.isinf(high):
            stop = xp.clip(stop, None, math.ceil(high / spacing) + 6 * BLEND)
        kept = start <= stop
        return rows[kept], Runs.covering(start[kept], stop[kept])

    def _add(self, density: Floats, rows: Array, runs: Runs, spacing: float) -> None:
        """Add the densities of normals, together and by value of each factor, to a grid (rows, nodes)."""
        if not len(rows):
            return
        xp = namespace(rows)
        elements = ELEMENTS if xp is np else DEVICE_ELEMENTS
        reach = math.ceil(REACH * float(self.deviation[rows].max()) / spacing)
        # Steps are the outer dimension, so that the inner loops run over many rows.
        steps = xp.arange(-reach, reach + 1, device=rows.device)[:, None]
        # Factors share one table of joint values while it is no larger than what is put into it.
        joint = groups_of_factors(self.sizes, min(len(rows) * len(steps), elements) // runs.length)
        cells = [math.prod(self.sizes[k] for k in group) * runs.length for group in joint]
        sums = [xp.zeros(cell, dtype=xp.float64, device=rows.device) for cell in cells]
        logarithm = math.log(math.sqrt(2 * math.pi) * len(self.mean))
        size = max(1, elements // len(steps), sum(cells) // len(steps))
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            deviation = self.deviation[part]
            centre = self.mean[part] / spacing
            node = xp.asarray(xp.round(centre), dtype=xp.int64)
            values = steps + (node - centre)
            values *= (math.sqrt(0.5) * spacing) / deviation
            values *= values
            xp.subtract(-logarithm - xp.log(deviation), values, out=values)
            xp.exp(values, out=values)
            place, step = runs.places(node, steps)
            if step is not steps:
                values[step != steps] = 0.0
            index = step + place
            for group, table in zip(joint, sums, strict=True):
                cell = 0
                for k in group:
                    cell = cell * self.sizes[k] + xp.asarray(self.codes[k][part], dtype=xp.int64)
                cell *= runs.length
                index += cell
                table += xp.bincount(index.reshape(-1), values.reshape(-1), len(table))
                index -= cell
        tables = [on_host(table) for table in sums]
        density[0] += tables[0].reshape(-1, runs.length).sum(axis=0)
        ends = 1 + np.cumsum(self.sizes)
        for group, table in zip(joint, tables, strict=True):
            shaped = table.reshape(*(self.sizes[k] for k in group), runs.length)
            for axis, k in enumerate(group):
                others = tuple(other for other in range(len(group)) if other != axis)
                density[ends[k] - self.sizes[k] : ends[k]] += shaped.sum(axis=others)


@dataclass(frozen=True)
class Runs:
    """Stretches of grid nodes ``start[i] .. stop[i]``, disjoint and ascending, stored end to end."""

    start: Integers
    stop: Integers

    @classmethod
    def covering(cls, start: Array, stop: Array) -> Runs:
        """The union of intervals of nodes, with even ends, so that they are nodes of the coarser grid."""
        xp = namespace(start)
        start, stop = ascending(start & ~1), ascending((stop + 1) & ~1)
        # Of sorted starts and sorted stops, a start beyond the stop before it begins a new run.
        breaks = start[1:] > stop[:-1]
        first, last = xp.concat((start[:1], start[1:][breaks])), xp.concat((stop[:-1][breaks], stop[-1:]))
        return cls(on_host(first), on_host(last))

    @property
    def length(self) -> int:
        """Number of nodes."""
        return int(np.sum(self.stop - self.start + 1))

    def nodes(self) -> Integers:
        """The nodes, in the order they are stored in."""
        count = self.stop - self.start + 1
        return np.arange(self.length) + np.repeat(self.start - self._offsets(), count)

    def _offsets(self) -> Integers:
        length: Integers = self.stop - self.start + 1
        return np.cumsum(length) - length

    def places(self, node: Array, steps: Array) -> tuple[Array, Array]:
        """Where nodes are stored, and which `steps` (S, 1) from there stay in the node's run.

        The steps are those given if all of them stay, else (S, nodes) with the nearest ones that do.
        """
        xp = namespace(node)
        start, stop, offset = (
            xp.asarray(ends, device=node.device) for ends in (self.start, self.stop, self._offsets())
        )
        run = xp.clip(xp.searchsorted(start, node, side="right") - 1, 0, None)
        first, last = start[run] - node, stop[run] - node
        place = offset[run] - first
        if (first > steps[0]).any() or (last < steps[-1]).any():
            steps = xp.clip(steps, first, last)
        return place, steps

    def coarser(self) -> Runs:
        """The same stretches in nodes of the grid with twice the spacing."""
        return Runs(self.start // 2, self.stop // 2)

    def window(self, scale: float) -> Floats:
        """1 inside, 0 at the ends, and smooth between; `scale` is the coarser grid's spacing in nodes."""
        from scipy.special import ndtr

        count = self.stop - self.start + 1
        blend = BLEND * scale / 2
        after = self.nodes() - np.repeat(self.start + blend, count)
        before = np.repeat(self.stop - blend, count) - self.nodes()
        return np.asarray(ndtr(np.minimum(after, before) / scale))

    def window_on(self, runs: Runs) -> Floats:
        """:meth:`window` on the nodes of runs that contain these, on the coarser of the two grids."""
        window = np.zeros(runs.length)
        window[runs.places(self.nodes(), np.zeros((1, 1), dtype=np.int64))[0]] = self.window(scale=1.0)
        return window


def _finer(runs: Runs, density: Floats, finer: Runs) -> Floats:
    """Densities (values, nodes) of runs of one grid on runs of the grid with half the spacing."""
    from scipy.sparse import csr_array

    nodes = finer.nodes()
    place, step = runs.places(nodes // 2, np.arange(1 - HALO, HALO + 1)[:, None])
    place = place + step
    odd = nodes % 2 == 1
    values = np.empty((len(density), len(nodes)))
    values[:, ~odd] = density[:, place[HALO - 1, ~odd]]
    neighbours, count = place[:, odd].T.ravel(), int(odd.sum())
    between = csr_array(
        (np.tile(_midpoint_weights(), count), neighbours, 2 * HALO * np.arange(count + 1)),
        shape=(count, runs.length),
    )
    values[:, odd] = np.maximum(between @ density.T, 0.0).T
    return values


@functools.cache
def _midpoint_weights() -> Floats:
    """Weights of the polynomial through 2 HALO neighbouring nodes, half way between the middle two."""
    node = np.arange(2 * HALO) - HALO + 0.5
    return np.array([np.prod(np.delete(node, i) / (np.delete(node, i) - node[i])) for i in range(2 * HALO)])


def _integrals(density: Floats, weights: Floats, sizes: Sequence[int]) -> Floats:
    """Weighted sums of q log q: of the whole density, and for each factor over its values' parts."""
    by_row = _weighted(density, weights)
    ends = 1 + np.cumsum(sizes)
    by_factor = [by_row[end - size : end].sum() for size, end in zip(sizes, ends, strict=True)]
    return np.array([by_row[0], *by_factor])


def _weighted(density: Floats, weights: Floats) -> Floats:
    logarithm = np.log(density, out=np.zeros_like(density), where=density > 0)
    return np.asarray((density * logarithm) @ weights)
