"""Relations read from counts of rows that are gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.counts.binning import numerically_constant
from disentangle_metrics.estimators.counts.counts import ContingencyTables
from disentangle_metrics.estimators.counts.entropy import Information, counted_information
from disentangle_metrics.inputs.inputs import Inputs
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.settings import Correction, InformationEstimator, Strategy


class CountedRelations(Relations):
    """The relations that can be read from counts and moments alone; the rows are gone.

    Parameters
    ----------
    inputs
        Names, shapes and levels of the factors; its arrays are stand-ins without content.
    tables
        For each number of bins and each factor the counts (D, values, bins).
    low, high, variance
        Smallest and largest value, and unbiased variance, of each latent. Shape (D,).
    """

    def __init__(
        self,
        inputs: Inputs,
        tables: Mapping[int, Sequence[NDArray[np.int64]]],
        low: NDArray[np.float64],
        high: NDArray[np.float64],
        variance: NDArray[np.float64],
    ) -> None:
        super().__init__(inputs)
        self.tables, self.low, self.high, self.variance = tables, low, high, variance

    @property
    def latents(self) -> NDArray[np.floating]:
        """Refused: no row is kept."""
        raise ValueError("rows are not kept, only counts")

    def exponents(self) -> NDArray[np.int64]:
        """None is scaled: moments are of the latents as given. Shape (D,)."""
        return np.zeros(len(self.low), dtype=np.int64)

    def constant(self) -> NDArray[np.bool_]:
        """Which latents are numerically constant. Shape (D,)."""
        return numerically_constant(self.low, self.high, self.inputs.latents.dtype)

    def variances(self) -> NDArray[np.float64]:
        """Unbiased variance of each latent, 0 where it is numerically constant. Shape (D,)."""
        return np.where(self.constant(), 0.0, self.variance)

    def ranges(self) -> NDArray[np.float64]:
        """Largest minus smallest value of each latent. Shape (D,)."""
        return self.high - self.low

    def factor_codes(
        self, bins: int, strategy: Strategy, factor_bins: int | None = None
    ) -> tuple[list[NDArray[np.integer]], list[int]]:
        """Refused: no row is kept."""
        raise ValueError("rows are not kept, only counts")

    def mutual_information(
        self,
        *,
        bins: int = 20,
        strategy: Strategy = "uniform",
        estimator: InformationEstimator = "histogram",
        factor_bins: int | None = None,
        k: int = 3,
        bounded: bool = True,
        correction: Correction = "none",
        samples: int = 10_000,
    ) -> Information:
        """From the counts, which are those of equal-width bins."""
        if (estimator, strategy) != ("histogram", "uniform"):
            raise ValueError("only counts of equal-width bins are kept")
        joint = []
        for factor, table in zip(self.inputs.factors, self.tables[bins], strict=True):
            codes, size = factor.merged_levels(factor_bins)
            merged = np.zeros((len(table), size, bins), dtype=np.int64)
            for value, code in enumerate(codes):
                merged[:, code] += table[:, value]
            # The axes lie in memory as where rows are counted, since sums round by their order.
            joint.append(np.swapaxes(merged, 1, 2))
        return counted_information(ContingencyTables(tuple(joint)), correction)
