"""A function of latents and one factor, run for each factor in processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.probes.probes import Target, mean_result
from disentangle_metrics.inputs.factor import Factor
from disentangle_metrics.kit import end_with

MAPPED = 100_000  # bytes from which joblib hands an array to workers as a mapped file, not a copy

T = TypeVar("T")


def fit_each(
    function: Callable[[NDArray[np.floating], NDArray[np.floating], Target], T],
    latents: NDArray[np.floating],
    factors: Sequence[Factor],
    rows: tuple[NDArray[np.int64], NDArray[np.int64]],
    wanted: NDArray[np.bool_],
    as_categories: Sequence[bool] | NDArray[np.bool_],
    n_jobs: int | None,
) -> dict[int, T]:
    """``function(train, test, target)`` by factor, for each `wanted` (K,) factor; `rows` to train, to test.

    A circular factor that is no category is predicted twice, as cosine and as sine; the fields of the
    two results are averaged.
    """
    import joblib

    train, test = rows
    of_train, of_test = (latents[part].astype(np.float64, copy=False) for part in rows)
    targets = [
        (k, Target(column[train], column[test], bool(as_categories[k])))
        for k in map(int, np.flatnonzero(wanted))
        for column in factors[k].targets(bool(as_categories[k]))
    ]
    # Processes, since most probes hold the interpreter; all of them map one file of the rows.
    results = joblib.Parallel(n_jobs=n_jobs, max_nbytes=MAPPED)(
        joblib.delayed(_in_worker)(os.getpid(), function, of_train, of_test, target) for _, target in targets
    )
    parts: dict[int, list[T]] = {}
    for (k, _), result in zip(targets, results, strict=True):
        parts.setdefault(k, []).append(result)
    return {k: mean_result(of_factor) for k, of_factor in parts.items()}


def _in_worker(parent: int, function: Callable[..., T], *arguments: Any) -> T:
    """What the function gives, in a process that does not outlive `parent`."""
    end_with(parent)
    return function(*arguments)
