"""How far the importances of a table are concentrated: the entropy of its rows' shares, turned round."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def columns_to_one(importances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each column divided by its sum; a column of zeros stays."""
    mass = importances.sum(axis=0)
    shares = np.zeros_like(importances)
    np.divide(importances, mass, out=shares, where=mass > 0)
    return shares


def concentration(importances: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """For each row 1 - entropy, base the number of columns, of its shares; and the mean weighted by mass.

    A row without mass counts 0 with weight 0; with one column nothing can be spread, so 1.
    """
    mass = importances.sum(axis=1)
    shares = np.divide(importances, mass[:, None], out=np.zeros_like(importances), where=mass[:, None] > 0)
    safe = np.where(shares > 0, shares, 1.0)
    spread = -np.sum(shares * np.log(safe), axis=1)
    if importances.shape[1] > 1:
        spread /= np.log(importances.shape[1])
    per_row = np.where(mass > 0, np.clip(1 - spread, 0.0, 1.0), 0.0)
    total = mass.sum()
    return per_row, float(per_row @ mass / total) if total > 0 else 0.0
