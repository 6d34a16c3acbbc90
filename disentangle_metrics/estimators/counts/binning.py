"""Cut continuous columns into bins: equal-width, quantile, or one bin per distinct value.

Equal-width bins are closed on the left, the last one on both sides, as in ``numpy.histogram``.
A value within rounding error of an edge counts as lying on it. So rescaling a latent, or storing
it in another precision, does not move values that lie exactly on edges.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import InputError
from disentangle_metrics.settings import Strategy

MOST_CODES = 1 << 12  # of a latent whose values are categories
CHUNK = 1 << 17  # rows per pass: a few float64 columns of it stay in the second-level cache
TINY = 2.0**-900  # width below which a number of bins over it may overflow
FOLD = 64  # rows side by side: reducing a few columns alone would leave the vector units idle


def chunks(rows: int, size: int = CHUNK) -> list[slice]:
    """Slices that cover `rows` rows, `size` at a time."""
    return [slice(start, min(start + size, rows)) for start in range(0, rows, size)]


@dataclass(frozen=True)
class Bins:
    """The bins of D columns: `count` bins each, and a rule from values to codes 0 .. count - 1.

    ``edges`` has shape (D, count + 1); ``encode(column, values)`` maps values of one column.
    """

    count: int
    edges: NDArray[np.float64]
    encode: Callable[[int, NDArray[np.floating]], NDArray[np.int64]]


def column_ranges(columns: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Smallest and largest value of each column of an (N, D) array, in float64, chunk by chunk."""
    width = columns.shape[1]
    low, high = np.full(width, np.inf), np.full(width, -np.inf)
    for rows in chunks(len(columns)) if width else ():
        part = columns[rows]
        whole = len(part) // FOLD * FOLD
        for piece in (part[:whole].reshape(-1, FOLD * width), part[whole:]):
            smallest, largest = piece.min(axis=0, initial=np.inf), piece.max(axis=0, initial=-np.inf)
            np.minimum(low, smallest.reshape(-1, width).min(axis=0), out=low)
            np.maximum(high, largest.reshape(-1, width).max(axis=0), out=high)
    return low, high


def numerically_constant(
    low: NDArray[np.float64], high: NDArray[np.float64], dtype: np.dtype[np.floating]
) -> NDArray[np.bool_]:
    """Columns whose range is rounding error: at most 64 units in the last place of the largest value."""
    largest = np.maximum(np.abs(low), np.abs(high))
    return np.asarray(high - low <= 64 * np.finfo(dtype).eps * largest)


def make_bins(columns: NDArray[np.floating], bins: int, strategy: Strategy = "uniform") -> Bins:
    """Bins for each column of an (N, D) array.

    Parameters
    ----------
    columns
        Shape (N, D), floating.
    bins
        Number of bins, from 2 to 2**20.
    strategy
        ``"uniform"``: equal width between the column's smallest and largest value;
        ``"quantile"``: equal shares of the rows (bins that would hold the same value merge).
    """
    if strategy == "uniform":
        return _uniform(columns, int(bins))
    if strategy == "quantile":
        return _quantile(columns, int(bins))
    assert_never(strategy)


def _uniform(columns: NDArray[np.floating], bins: int) -> Bins:
    return uniform_bins(*column_ranges(columns), bins, columns.dtype)


def uniform_bins(
    low: NDArray[np.float64], high: NDArray[np.float64], bins: int, dtype: np.dtype[np.floating]
) -> Bins:
    """Equal-width bins between given ends, one pair for each column."""
    constant = numerically_constant(low, high, dtype)
    width = np.where(constant, 1.0, high - low)
    # A tiny width is first brought near 1, by a power of two: bins / width would overflow.
    exponents = np.where(width < TINY, -np.frexp(width)[1], 0)
    scale = np.where(constant, 0.0, bins / np.ldexp(width, exponents))
    # Rounding of a value of size m is worth up to m * eps; 16 of those still count as "on the edge".
    largest = np.ldexp(np.maximum(np.abs(low), np.abs(high)), exponents)
    rounding = 16 * np.finfo(dtype).eps * largest * scale
    tolerance = np.maximum(1e-9, np.minimum(rounding, 0.1))

    def encode(column: int, values: NDArray[np.floating]) -> NDArray[np.int64]:
        position = np.subtract(values, low[column], dtype=np.float64)
        if exponents[column]:
            position = np.ldexp(position, exponents[column])
        position *= scale[column]
        position += tolerance[column]
        codes: NDArray[np.int64] = position.astype(np.int64)  # floors, as positions are not negative
        np.clip(codes, 0, bins - 1, out=codes)
        return codes

    return Bins(bins, np.linspace(low, high, bins + 1, axis=1), encode)


def _quantile(columns: NDArray[np.floating], bins: int) -> Bins:
    edges = np.stack([_quantile_edges(column, bins) for column in columns.T])

    def encode(column: int, values: NDArray[np.floating]) -> NDArray[np.int64]:
        inner = edges[column, 1:-1]
        return np.searchsorted(inner, np.asarray(values, dtype=np.float64), side="right").astype(np.int64)

    return Bins(bins, edges, encode)


def _quantile_edges(column: NDArray[np.floating], bins: int) -> NDArray[np.float64]:
    values = np.asarray(column, dtype=np.float64)
    edges = np.quantile(values, np.linspace(0, 1, bins + 1))
    # Bins are closed on the left: an inner edge at the smallest value would leave nothing below it.
    above = values[values > edges[0]]
    if len(above):
        edges[1:-1] = np.maximum(edges[1:-1], above.min())
    return edges


def own_values(bins: Bins, columns: NDArray[np.floating], categorical: Sequence[int]) -> Bins:
    """The bins with one for each distinct value of the columns that are `categorical`.

    Raises
    ------
    InputError
        If one of them has more values than a code has.
    """
    if not categorical:
        return bins
    levels = {j: np.unique(columns[:, j]) for j in categorical}
    most = max(len(values) for values in levels.values())
    if most > MOST_CODES:
        j = next(j for j, values in levels.items() if len(values) == most)
        raise InputError(
            f"latent {j} is declared categorical and has {most:,} values; at most {MOST_CODES:,} are counted"
        )
    edges = np.full((columns.shape[1], max(bins.count, most) + 1), np.nan)
    edges[:, : bins.count + 1] = bins.edges

    def encode(column: int, values: NDArray[np.floating]) -> NDArray[np.int64]:
        if column not in levels:
            return bins.encode(column, values)
        places = np.searchsorted(levels[column], values).astype(np.int64)
        return np.minimum(places, len(levels[column]) - 1)

    return Bins(max(bins.count, most), edges, encode)


def distinct(values: NDArray[np.generic]) -> tuple[NDArray[np.generic], NDArray[np.int64]]:
    """One bin per distinct value: the sorted distinct values, and each row's position among them.

    Whole numbers with a moderate range take two linear passes, not a sort.
    """
    if values.dtype == bool:
        values = values.view(np.uint8)
        levels, codes = distinct(values)
        return levels.astype(bool), codes
    if values.dtype.kind in "iu" and len(values):
        values = np.ascontiguousarray(values)  # a column of a table is read once, not in each step
        low, high = int(values.min()), int(values.max())
        if high - low < max(65_536, 4 * len(values)) and high < 2**62 and low > -(2**62):
            shifted = np.subtract(values, low, dtype=np.int64, casting="unsafe")
            present = np.zeros(high - low + 1, dtype=bool)
            present[shifted] = True
            levels = (np.flatnonzero(present) + low).astype(values.dtype)
            if len(levels) < len(present):  # with no gaps a value's place is its rank
                shifted = (np.cumsum(present, dtype=np.int64) - 1)[shifted]
            return levels, shifted
    levels, codes = np.unique(values, return_inverse=True)
    return levels, codes.astype(np.int64).reshape(-1)
