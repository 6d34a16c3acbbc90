"""Where a score stands: the same metrics with the link to the factors broken, and with a perfect code."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from disentangle_metrics.inputs.inputs import Inputs

PERMUTATIONS = 5

Run = Callable[[Inputs], Mapping[str, float]]


def chance(run: Run, inputs: Inputs, rng: np.random.Generator) -> dict[str, float]:
    """Mean of the scores over 5 permutations of the rows of the factors against the latents.

    The factors are permuted together, so that whatever they have to do with each other stays.
    """
    runs = [run(inputs.shuffled(rng.permutation(inputs.shape[0]))) for _ in range(PERMUTATIONS)]
    return {key: _mean([scores[key] for scores in runs]) for key in runs[0]}


def ceiling(run: Run, inputs: Inputs) -> dict[str, float]:
    """The scores of the factors themselves used as the code: ordinal codes for categories."""
    return dict(run(inputs.ideal()))


def _mean(values: list[float]) -> float:
    present = [value for value in values if not math.isnan(value)]
    return math.fsum(present) / len(present) if present else math.nan
