"""Does a plane of the latents turn with an angle? Circular factors against sets of columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.circular import as_plane
from disentangle_metrics.estimators.linear import standardised

RANK = 1e-9  # of the largest singular value: below it a direction of the columns is rounding

Floats = NDArray[np.float64]


def turning_error(latents: NDArray[np.floating], angles: Floats, turns: Sequence[int]) -> Floats:
    """How far the columns are from holding a plane that turns so many times as the angle turns once.

    For each number of turns w it is 1 - r^2, r the mean of the two canonical correlations between the
    columns and (cos w a, sin w a). That is the dispersion of the best plane, its two axes uncorrelated and
    of equal deviation, once every row is turned back by its angle, as a share of the plane's variance. The
    plane may turn either way, may have any origin and any two radii.

    Parameters
    ----------
    latents
        Shape (N, D).
    angles
        Shape (N,), in radians.
    turns
        Which w to try.

    Returns
    -------
    Shape (turns,): 0 if a plane turns with the angle exactly, 1 if nothing does. NaN for turns at which
    the rows have fewer than three different angles, which any plane fits.
    """
    basis = _basis(standardised(latents))
    error = np.full(len(turns), np.nan)
    for place, w in enumerate(turns):
        circle = _basis(as_plane(w * angles))
        if circle.shape[1] == 2:
            pair = np.linalg.svd(basis.T @ circle, compute_uv=False)  # of one column one, else two
            error[place] = np.clip(1.0 - (pair.sum() / 2) ** 2, 0.0, 1.0)
    return error


def turning_plane(latents: NDArray[np.floating], angles: Floats, turns: int) -> Floats:
    """The plane that :func:`turning_error` measures: each row's place in it, shape (N, 2), turned to fit.

    Its axes are uncorrelated, of mean 0 and of squared length 1 on average, and a perfect code lies at its
    angle, `turns` times. A code of one column, or of none that varies, leaves axes at 0.
    """
    basis = _basis(standardised(latents))
    circle = _basis(as_plane(turns * angles))
    left, _, right = np.linalg.svd(basis.T @ circle, full_matrices=False)
    plane = basis @ left @ right * np.sqrt(len(angles) / 2)
    return np.asarray(np.pad(plane, ((0, 0), (0, 2 - plane.shape[1]))))


def _basis(columns: Floats) -> Floats:
    """Orthonormal columns that span the centred ones, symmetric in them: of full rank the nearest to them."""
    centred = columns - columns.mean(axis=0)
    left, values, right = np.linalg.svd(centred, full_matrices=False)
    kept = values > RANK * max(values.max(initial=0.0), np.sqrt(len(columns)) * RANK)
    if kept.all():
        return np.asarray(left @ right)
    return np.asarray(left[:, kept])
