"""Whether the joint cells of groups of latents can be counted."""

from __future__ import annotations

from disentangle_metrics.estimators.group_information import countable
from disentangle_metrics.inputs.inputs import Inputs


def can_be_counted(inputs: Inputs, bins: int, factor_bins: int | None) -> bool:
    """Whether groups of latents, in so many bins each, have rows enough for joint histograms."""
    values = [bins if factor.codes is None else len(factor.levels) for factor in inputs.factors]
    most = max(values, default=1) if factor_bins is None else factor_bins
    return countable(len(inputs.latents), inputs.groups, bins, [min(most, value) for value in values])
