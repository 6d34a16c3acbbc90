"""The correction of p for the number of tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Holm's step-down correction of p (n,) for several tests; one that has no p (NaN) does not count.

    References
    ----------
    Holm. A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 1979.
    """
    known = np.isfinite(p)
    if not known.all():
        result = np.full_like(p, np.nan)
        result[known] = holm(p[known])
        return result
    order = np.argsort(p)
    scaled = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(scaled, 1)
    return corrected
