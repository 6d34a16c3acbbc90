"""Whether the joint cells of groups of latents can be counted."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.group_information import countable
from disentangle_metrics.inputs.factor import Factor
from disentangle_metrics.inputs.inputs import Inputs


class JointCells:
    """The joint cells of groups of latents and factors."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs

    @cached_property
    def values(self) -> dict[int, int]:
        """How many values each column of codes has: it is not cut into bins."""
        return {
            column: len(np.unique(self.inputs.latents[:, column]))
            for column in self.inputs.latents_of("categorical")
        }

    @cached_property
    def complete_rows(self) -> NDArray[np.integer]:
        """Which rows have a value of every factor, by their places."""
        return np.flatnonzero(self.inputs.present(range(len(self.inputs.factors))))

    @cached_property
    def varying(self) -> list[Factor]:
        """The factors that vary: others are left out of every score."""
        return [factor for factor in self.inputs.factors if factor.varies]

    @cached_property
    def varying_in_complete_rows(self) -> list[Factor]:
        """Those that vary in the rows that have a value of every factor."""
        if not self.inputs.incomplete:
            return self.varying
        return [factor for factor in self.varying if factor.kept(self.complete_rows).varies]

    def rows(self, complete: bool) -> list[int]:
        """For each factor that varies how many rows have a value of it, or of all."""
        if complete and self.inputs.incomplete:
            return [len(self.complete_rows)] * len(self.varying_in_complete_rows)
        return [factor.rows_present for factor in self.varying]

    def can_be_counted(self, bins: int, factor_bins: int | None, complete: bool) -> bool:
        """Whether there are rows enough for joint histograms, where latents have so many bins.

        `complete` says whether only rows are read that have a value of every factor.
        """
        units = [[self.values.get(column, bins) for column in unit] for unit in self.inputs.groups]
        sizes = []
        for factor in self.varying_in_complete_rows if complete else self.varying:
            held = len(factor.levels)
            sizes.append(
                bins if factor.codes is None else min(held, held if factor_bins is None else factor_bins)
            )
        return countable(units, sizes, self.rows(complete))
