"""Two groups of runs within strata: differences, permutation tests, effect sizes, intervals."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

PERMUTATIONS = 20_000

Floats = NDArray[np.float64]


def stratified_difference(values: Floats, proposed: NDArray[np.bool_], strata: NDArray[Any]) -> Floats:
    """Mean over strata of the difference of means.

    `values` may have the shape (..., n), as samples that :func:`resampled` drew have: groups and
    strata (n,) are the same in each.
    """
    differences = [
        values[..., (strata == s) & proposed].mean(-1) - values[..., (strata == s) & ~proposed].mean(-1)
        for s in np.unique(strata)
    ]
    mean: Floats = np.mean(differences, axis=0)
    return mean


def permutation_p(
    values: Floats, proposed: NDArray[np.bool_], strata: NDArray[Any], rng: np.random.Generator
) -> float:
    """Two-sided p of :func:`stratified_difference` when labels are exchanged within strata.

    Exact where there is one stratum of at most 12 runs; else by 20,000 random relabellings, the
    observed one counted among them, so that p is never 0.
    """
    groups = [np.flatnonzero(strata == s) for s in np.unique(strata)]
    if len(groups) == 1 and len(values) <= 12:
        chosen = list(combinations(range(len(values)), int(proposed.sum())))
        labels = np.zeros((len(chosen), len(values)), bool)
        np.put_along_axis(labels, np.array(chosen), True, axis=1)
        differences = _differences(values, labels)
        extreme = np.abs(differences) >= abs(_differences(values, proposed[None])[0]) - 1e-12
        return float(extreme.mean())
    total = np.zeros(PERMUTATIONS)
    observed = 0.0
    for group in groups:
        labels = rng.permuted(np.tile(proposed[group], (PERMUTATIONS, 1)), axis=1)
        total += _differences(values[group], labels)
        observed += _differences(values[group], proposed[group][None])[0]
    return float((1 + (np.abs(total) >= abs(observed) - 1e-12).sum()) / (1 + PERMUTATIONS))


def _differences(values: Floats, labels: NDArray[np.bool_]) -> Floats:
    """Difference of means under each labelling (n_labellings, n)."""
    count = labels.sum(axis=1)
    inside = labels @ values
    result: Floats = inside / count - (values.sum() - inside) / (len(values) - count)
    return result


def resampled(
    proposed: NDArray[np.bool_], strata: NDArray[Any], count: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """`count` samples (count, n) of rows, each row replaced by one of its own model and stratum."""
    cells = strata * 2 + proposed
    drawn = np.empty((count, len(cells)), np.intp)
    for cell in np.unique(cells):
        members = np.flatnonzero(cells == cell)
        drawn[:, members] = rng.choice(members, (count, len(members)))
    return drawn


def adjusted_difference(values: Floats, errors: Floats, proposed: NDArray[np.bool_]) -> Floats:
    """Coefficient of the model when values (..., n) are regressed on it and on the reconstruction errors.

    NaN where the errors tell nothing but the model, as in a sample that drew one run again and again.
    """
    model = proposed - proposed.mean()
    error, value = (part - part.mean(-1, keepdims=True) for part in (errors, values))
    model_error, error_error = (model * error).sum(-1), (error * error).sum(-1)
    determinant = (model * model).sum() * error_error - model_error**2
    numerator = error_error * (model * value).sum(-1) - model_error * (error * value).sum(-1)
    known = determinant > 1e-9 * (model * model).sum() * error_error
    coefficient: Floats = np.divide(numerator, determinant, out=np.full_like(numerator, np.nan), where=known)
    return coefficient


def runs_in_shared_range(errors: Floats, proposed: NDArray[np.bool_]) -> int:
    """How many runs of either group lie where both groups have runs."""
    sides = errors[proposed], errors[~proposed]
    low, high = max(side.min() for side in sides), min(side.max() for side in sides)
    return int(((errors >= low) & (errors <= high)).sum())


def hedges_g(values: Floats, proposed: NDArray[np.bool_], strata: NDArray[Any], difference: float) -> float:
    """`difference` in standard deviations within model and stratum, corrected for few runs."""
    cells = strata * 2 + proposed
    groups = [values[cells == cell] for cell in np.unique(cells)]
    freedom = sum(len(group) - 1 for group in groups)
    variance = sum(((group - group.mean()) ** 2).sum() for group in groups) / freedom
    return float(difference / np.sqrt(variance) * (1 - 3 / (4 * freedom - 1))) if variance else np.nan


def basic_interval(estimate: float, replicates: Floats) -> tuple[float, float]:
    """The reverse-percentile bootstrap interval at 95 percent."""
    low, high = np.nanquantile(replicates, [0.025, 0.975])
    return float(2 * estimate - high), float(2 * estimate - low)


def holm(p: Floats) -> Floats:
    """Holm's step-down correction for several tests."""
    order = np.argsort(p)
    scaled = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(scaled, 1)
    return corrected
