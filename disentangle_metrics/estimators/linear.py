"""Linear maps between latents and factors, measured on rows they have not seen."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

PENALTY = 1e-6  # of the ridge, for each row: enough to keep collinear columns solvable
FOLDS = 5
LEAST_ROWS = 4 * FOLDS

Floats = NDArray[np.float64]


def standardised(columns: NDArray[np.floating]) -> Floats:
    """Columns (N, D) with mean 0 and deviation 1; a constant one is 0."""
    centred = np.asarray(columns, dtype=np.float64) - np.mean(columns, axis=0, dtype=np.float64)
    deviation = centred.std(axis=0)
    moving = deviation > 1e-12 * np.maximum(1.0, np.abs(columns).max(axis=0, initial=0.0))
    scaled: Floats = np.divide(centred, deviation, out=np.zeros_like(centred), where=moving)
    return scaled


def folds_of(rows: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """The fold of each row, 0 .. FOLDS - 1, of sizes that differ by one at most."""
    return np.asarray(rng.permutation(rows) % FOLDS, dtype=np.int64)


def ridge(columns: Floats, targets: Floats) -> tuple[Floats, Floats]:
    """Weights (D, K) and intercepts (K,) of the ridge regression of `targets` (N, K) on `columns` (N, D)."""
    centre, middle = columns.mean(axis=0), targets.mean(axis=0)
    x, y = columns - centre, targets - middle
    gram = x.T @ x
    gram[np.diag_indices_from(gram)] += PENALTY * len(x)
    weights = np.linalg.solve(gram, x.T @ y)
    return weights, middle - centre @ weights


def least_squares(columns: Floats, targets: Floats) -> tuple[Floats, Floats]:
    """The same without a penalty; of weights that do as well, those with the least squares."""
    centre, middle = columns.mean(axis=0), targets.mean(axis=0)
    weights = np.linalg.lstsq(columns - centre, targets - middle, rcond=None)[0]
    return weights, middle - centre @ weights


def parts(
    rows: int, folds: NDArray[np.integer] | None
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """The rows to fit on and those to measure on, once for each fold; without folds all rows for both."""
    if folds is None:
        yield np.ones(rows, dtype=bool), np.ones(rows, dtype=bool)
    else:
        yield from ((folds != fold, folds == fold) for fold in range(FOLDS))


def linear_r2(columns: Floats, targets: Floats, folds: NDArray[np.integer] | None) -> Floats:
    """Share of the variance of each target that the columns tell, linearly, of rows the fit has not seen.

    Parameters
    ----------
    columns
        Shape (N, D), of deviation 1; see :func:`standardised`.
    targets
        Shape (N, K).
    folds
        Shape (N,): the fold of each row. None: fit and measure on all rows, by least squares.

    Returns
    -------
    Shape (K,): 1 - squared error / squared deviation, not below 0; 0 for a constant target.
    """
    error = np.zeros(targets.shape[1])
    for train, test in parts(len(columns), folds):
        fit = least_squares if folds is None else ridge
        weights, intercepts = fit(columns[train], targets[train])
        error += np.square(targets[test] - columns[test] @ weights - intercepts).sum(axis=0)
    deviation = np.square(targets - targets.mean(axis=0)).sum(axis=0)
    share = np.divide(error, deviation, out=np.ones_like(error), where=deviation > 0)
    return np.asarray(np.maximum(0.0, 1.0 - share))


def canonical_correlations(one: Floats, other: Floats, folds: NDArray[np.integer] | None) -> Floats:
    """Canonical correlations of both sides, from the largest, on rows that the directions have not seen.

    Parameters
    ----------
    one, other
        Shapes (N, D) and (N, K), of deviation 1.
    folds
        Shape (N,): the fold of each row. None: fit and measure on all rows.

    Returns
    -------
    Shape (min(D, K),): the mean over folds of each pair's correlation there, not below 0.
    """
    pairs = min(one.shape[1], other.shape[1])
    total, times = np.zeros(pairs), 0
    for train, test in parts(len(one), folds):
        left, right = canonical_directions(one[train], other[train])
        times += 1
        for pair in range(pairs):
            a, b = one[test] @ left[:, pair], other[test] @ right[:, pair]
            spread = a.std() * b.std()
            total[pair] += np.mean((a - a.mean()) * (b - b.mean())) / spread if spread > 0 else 0.0
    return np.asarray(np.clip(total / times, 0.0, 1.0))


def canonical_directions(one: NDArray[np.floating], other: NDArray[np.floating]) -> tuple[Floats, Floats]:
    """The directions in which both sides (N, D) and (N, K) correlate most: (D, pairs) and (K, pairs).

    There are min(D, K) pairs, from the largest correlation to the smallest.
    """
    pairs = min(one.shape[1], other.shape[1])
    white_one, white_other = _whitening(one), _whitening(other)
    centred_one, centred_other = one - one.mean(axis=0), other - other.mean(axis=0)
    cross = white_one.T @ (centred_one.T @ centred_other / len(one)) @ white_other
    left, _, right = np.linalg.svd(cross)
    return white_one @ left[:, :pairs], white_other @ right[:pairs].T


def _whitening(columns: NDArray[np.floating]) -> Floats:
    """W with W'CW = I for the covariance C of the columns; 0 in directions without variance."""
    centred = columns - columns.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred / len(columns))
    scale = np.where(values > PENALTY, 1 / np.sqrt(np.maximum(values, PENALTY) + PENALTY), 0.0)
    return np.asarray(vectors * scale)


def distance_from_orthogonal(weights: Floats) -> float:
    """||A'A - I|| / sqrt(K), A' (K, D) the map from factors to latents."""
    gram = weights @ weights.T
    return float(np.linalg.norm(gram - np.eye(len(gram))) / np.sqrt(len(gram)))


def procrustes_distance(latents: Floats, factors: Floats) -> float:
    """1 - (sum of the singular values of Z'V)^2, both sides centred and of norm 1: what no rotation removes.

    The side with fewer columns is filled with zeros.
    """
    one, other = (side - side.mean(axis=0) for side in (latents, factors))
    norms = float(np.linalg.norm(one)), float(np.linalg.norm(other))
    if min(norms) <= 0:
        return 1.0
    overlap = np.linalg.svd((one / norms[0]).T @ (other / norms[1]), compute_uv=False).sum()
    return float(max(0.0, 1.0 - overlap**2))
