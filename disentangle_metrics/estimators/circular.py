"""Correlation of angles: with numbers, and with other angles. Angles are in radians."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def as_plane(angles: Floats) -> Floats:
    """Angles (N,) as their cosine and sine, shape (N, 2)."""
    return np.column_stack([np.cos(angles), np.sin(angles)])


def circular_linear(columns: NDArray[np.floating], angles: Floats) -> Floats:
    """R2 of a linear regression of each column (N, D) on cosine and sine of `angles` (N,). Shape (D,).

    K. Mardia, P. Jupp, "Directional Statistics", 2000, section 11.2. Range [0, 1]; 0 for a column that
    is constant. It does not depend on where the circle is cut.
    """
    circle = as_plane(angles)
    # Not the bases of `equivariance` or `randomised_dependence`: those differ in the last bits.
    basis, root = np.linalg.qr(circle - circle.mean(axis=0))
    basis = basis[:, np.abs(np.diag(root)) > 1e-12 * np.sqrt(len(angles))]
    centred = np.asarray(columns, dtype=np.float64) - np.mean(columns, axis=0, dtype=np.float64)
    total = np.einsum("nd,nd->d", centred, centred)
    explained = ((basis.T @ centred) ** 2).sum(axis=0)
    shares = np.divide(explained, total, out=np.zeros(len(total)), where=total > 0)
    return np.asarray(np.clip(shares, 0.0, 1.0))


def circular_circular(one: Floats, other: Floats) -> float:
    """Squared correlation of two columns of angles (N,), range [0, 1].

    S. R. Jammalamadaka, A. SenGupta, "Topics in Circular Statistics", 2001, section 8.2, in the form
    that holds for uniform angles too: the directions that angles are measured from are those of the
    mean difference and the mean sum. Equal angles score 1, wherever either circle is cut.
    """
    difference = np.angle(np.mean(np.exp(1j * (one - other))))
    total = np.angle(np.mean(np.exp(1j * (one + other))))
    first, second = np.sin(one - (total + difference) / 2), np.sin(other - (total - difference) / 2)
    scale = np.sum(first**2) * np.sum(second**2)
    return float(np.clip(np.sum(first * second) ** 2 / scale, 0.0, 1.0)) if scale > 0 else 0.0
