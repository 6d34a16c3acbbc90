"""Two groups of runs within strata: differences, permutation tests, effect sizes, intervals."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

PERMUTATIONS = 20_000

Floats = NDArray[np.float64]


def stratified_difference(values: Floats, proposed: NDArray[np.bool_], strata: NDArray[Any]) -> float:
    """Mean over strata of the difference of means."""
    return float(
        np.mean(
            [
                values[(strata == s) & proposed].mean() - values[(strata == s) & ~proposed].mean()
                for s in np.unique(strata)
            ]
        )
    )


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
    proposed: NDArray[np.bool_], strata: NDArray[Any], rng: np.random.Generator
) -> NDArray[np.intp]:
    """Rows drawn with replacement within each model and stratum."""
    cells = strata * 2 + proposed
    return np.concatenate(
        [
            rng.choice(members, len(members))
            for members in (np.flatnonzero(cells == cell) for cell in np.unique(cells))
        ]
    )


def adjusted_difference(values: Floats, errors: Floats, proposed: NDArray[np.bool_]) -> float:
    """Coefficient of the model when values are regressed on it and on the reconstruction error."""
    design = np.column_stack([np.ones_like(values), proposed, errors - errors.mean()])
    return float(np.linalg.lstsq(design, values, rcond=None)[0][1])


def hedges_g(values: Floats, proposed: NDArray[np.bool_], strata: NDArray[Any], difference: float) -> float:
    """`difference` in standard deviations within model and stratum, corrected for few runs."""
    cells = strata * 2 + proposed
    groups = [values[cells == cell] for cell in np.unique(cells)]
    freedom = sum(len(group) - 1 for group in groups)
    variance = sum(((group - group.mean()) ** 2).sum() for group in groups) / freedom
    return float(difference / np.sqrt(variance) * (1 - 3 / (4 * freedom - 1))) if variance else np.nan


def basic_interval(estimate: float, replicates: list[float]) -> tuple[float, float]:
    """The reverse-percentile bootstrap interval at 95 percent."""
    low, high = np.quantile(replicates, [0.025, 0.975])
    return float(2 * estimate - high), float(2 * estimate - low)


def holm(p: Floats) -> Floats:
    """Holm's step-down correction for several tests."""
    order = np.argsort(p)
    scaled = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(scaled, 1)
    return corrected
