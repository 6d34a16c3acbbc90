"""Where a score stands: the same metrics with the link to the factors broken, and with a perfect code.

Chance is the mean of the scores over 5 permutations of the rows of the factors against the latents.
The factors are permuted together, so that whatever they have to do with each other stays. The ceiling is
the score of the factors themselves used as the code: ordinal codes for categories.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from disentangle_metrics.inputs.inputs import Inputs

PERMUTATIONS = 5


def permuted(inputs: Inputs, seed: int) -> Iterator[Inputs]:
    """The input with the rows of its factors permuted against the latents, once for each permutation."""
    rng = np.random.default_rng([seed, *b"chance"])
    for _ in range(PERMUTATIONS):
        yield inputs.shuffled(rng.permutation(inputs.shape[0]))


def mean_scores(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each score over the runs in which it has a value."""
    return {key: _mean([scores[key] for scores in runs]) for key in (runs[0] if runs else ())}


def _mean(values: list[float]) -> float:
    present = [value for value in values if not math.isnan(value)]
    return math.fsum(present) / len(present) if present else math.nan
