"""Loss against capacity: ridge regressions on ever more random Fourier features of the latents."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.linear import FOLDS, standardised

Floats = NDArray[np.float64]
FEWEST = 4  # random features of the smallest probe that is not linear
PENALTY = 1e-4  # of the ridge, for each row
CHUNK = 8_192


def capacities(most: int) -> list[int]:
    """Numbers of random features of the probes: 0, which is a linear one, then 4, 8, 16, ... to `most`."""
    doubled = [FEWEST << step for step in range(most.bit_length()) if FEWEST << step < most]
    return [0, *doubled, most]


def losses(
    latents: Floats,
    targets: Floats,
    widths: list[int],
    folds: NDArray[np.integer],
    rng: np.random.Generator,
) -> Floats:
    """What each probe leaves of the variance of each target, on rows it has not seen.

    A probe sees the latents and the first M random Fourier features of them: cosines of random directions,
    those of the radial kernel of width sqrt(D / 2) on latents of deviation 1. One pass over chunks of rows
    adds up the products of all features; every probe is solved from these.

    Parameters
    ----------
    latents
        Shape (N, D).
    targets
        Shape (N, T).
    widths
        Numbers M of random features of the S probes, rising.
    folds
        Shape (N,): the fold of each row.

    Returns
    -------
    Shape (S, T): mean squared error over variance. Above 1 a probe is worse than the mean.
    """
    columns, targets = standardised(latents), standardised(targets)
    columns = columns[:, columns.any(axis=0)]
    dimensions, most = columns.shape[1], max(widths)
    directions = rng.normal(size=(dimensions, most)) * np.sqrt(2 / max(dimensions, 1))
    phases = rng.uniform(0, 2 * np.pi, size=most)
    size = 1 + dimensions + most
    products = np.zeros((FOLDS, size, size))
    crossed = np.zeros((FOLDS, size, targets.shape[1]))
    squares, sums = np.zeros((2, FOLDS, targets.shape[1]))
    for fold in range(FOLDS):
        rows = np.flatnonzero(folds == fold)
        for start in range(0, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            inputs, wanted = columns[chunk], targets[chunk]
            waves = np.sqrt(2) * np.cos(inputs @ directions + phases)
            features = np.column_stack([np.ones(len(chunk)), inputs, waves])
            products[fold] += features.T @ features
            crossed[fold] += features.T @ wanted
            squares[fold] += np.square(wanted).sum(axis=0)
            sums[fold] += wanted.sum(axis=0)
    spread = squares.sum(axis=0) - np.square(sums.sum(axis=0)) / len(targets)
    squared_errors = np.zeros((len(widths), targets.shape[1]))
    for fold in range(FOLDS):
        seen, answers = products.sum(axis=0) - products[fold], crossed.sum(axis=0) - crossed[fold]
        for step, width in enumerate(widths):
            used = 1 + dimensions + width
            penalty = np.full(used, PENALTY * seen[0, 0])
            penalty[0] = 0.0  # of the intercept
            weights = np.linalg.solve(seen[:used, :used] + np.diag(penalty), answers[:used])
            squared_errors[step] += squares[fold] - 2 * np.einsum("ft,ft->t", weights, crossed[fold, :used])
            squared_errors[step] += np.einsum("ft,fg,gt->t", weights, products[fold, :used, :used], weights)
    return np.asarray(np.maximum(squared_errors, 0.0) / np.where(spread > 0, spread, np.nan))
