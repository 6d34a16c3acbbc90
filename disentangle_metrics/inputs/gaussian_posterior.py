"""The posterior of every row, as an encoder gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class GaussianPosterior:
    """The posterior q(z | x) of every row: independent normals.

    Parameters
    ----------
    mean
        Shape (N, D): the means.
    logvar
        Shape (N, D): the natural logarithms of the variances.

    Notes
    -----
    Tensors on a GPU are also copied to the host, where all metrics read them but those whose
    estimator is "posterior": their quadrature is computed on the GPU.
    """

    mean: Any
    logvar: Any

    def rows(self, index: Any) -> GaussianPosterior:
        """The posteriors of these rows, in this order."""
        return GaussianPosterior(self.mean[index], self.logvar[index])
