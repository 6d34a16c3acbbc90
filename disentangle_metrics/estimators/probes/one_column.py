"""Prediction of columns from one column by step functions, measured on rows that the fit has not seen.

A column is cut into bins of equally many rows, and the prediction is the mean of a bin, or its most frequent
value. The number of bins is chosen on the fitted rows by their leave-one-out error, which has a closed form:
each residual is multiplied by n / (n - 1), n the rows of its bin. Sorting once serves all numbers of bins and
all targets, where boosted trees would be grown for each, and are no better for one column.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.linear import FOLDS

Floats = NDArray[np.float64]
LEAST_ROWS_OF_A_BIN = 2


@dataclass(frozen=True)
class Column:
    """One column, as what predicts and as what is predicted.

    Attributes
    ----------
    values : ndarray (N,)
        What is cut into bins.
    targets : ndarray (N, T)
        Numbers to predict; of a category an indicator of each value.
    categories : bool
        Whether `values` have no order: then each is a bin, and the share of right predictions counts.
    """

    values: NDArray[np.float64] | NDArray[np.integer]
    targets: Floats
    categories: bool


def category(codes: NDArray[np.integer]) -> Column:
    """A column of codes without an order."""
    held, places = np.unique(codes, return_inverse=True)
    return Column(places.reshape(-1), np.eye(len(held))[places.reshape(-1)], categories=True)


def measurement(values: NDArray[np.floating], targets: Floats | None = None) -> Column:
    """A column of numbers; `targets` (N, T) are those of a circle, its cosine and sine."""
    numbers = np.asarray(values, dtype=np.float64)
    return Column(numbers, numbers[:, None] if targets is None else targets, categories=False)


def held_out_quality(predictors: list[Column], targets: list[Column], folds: NDArray[np.integer]) -> Floats:
    """How well each predictor predicts each target (predictors, targets), on rows that the fit has not seen.

    Of a measurement it is 1 - squared error / squared deviation, the mean over its numbers. Of a category it
    is (right - guess) / (1 - guess): the shares of rows predicted rightly, and of the most frequent value. It
    is not below 0, and 0 for a target or a predictor with one value.

    Parameters
    ----------
    predictors, targets : list of Column
        Of the same N rows.
    folds : ndarray (N,)
        The fold of each row.
    """
    whole = np.column_stack([target.targets for target in targets])
    ends = np.cumsum([target.targets.shape[1] for target in targets])
    columns = [slice(end - target.targets.shape[1], end) for end, target in zip(ends, targets, strict=True)]
    quality = np.zeros((len(predictors), len(targets)))
    for j, predictor in enumerate(predictors):
        if np.ptp(predictor.values) == 0:
            continue
        predicted = np.empty_like(whole)
        for fold in range(FOLDS):
            test = folds == fold
            predicted[test] = _predicted(predictor, whole, columns, ~test, test)
        for k, (target, own) in enumerate(zip(targets, columns, strict=True)):
            measure = _beyond_guessing if target.categories else _explained
            quality[j, k] = max(0.0, measure(predicted[:, own], target.targets))
    return quality


def _predicted(
    predictor: Column,
    targets: Floats,
    columns: list[slice],
    train: NDArray[np.bool_],
    test: NDArray[np.bool_],
) -> Floats:
    """The step functions of the train rows at the test rows (rows, all columns of all targets)."""
    order = np.argsort(predictor.values[train], kind="stable")
    values, sorted_targets = predictor.values[train][order], targets[train][order]
    middle = sorted_targets.mean(axis=0)
    centred = sorted_targets - middle
    sums = np.concatenate([np.zeros((1, targets.shape[1])), np.cumsum(centred, axis=0)])
    squares = np.concatenate([np.zeros((1, targets.shape[1])), np.cumsum(centred**2, axis=0)])
    first = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))  # of each distinct value
    asked = predictor.values[test]
    best = np.full(len(columns), np.inf)
    answer = np.empty((len(asked), targets.shape[1]))
    for starts in [first] if predictor.categories else _cuts(first, len(values)):
        ends = np.append(starts[1:], len(values))
        rows = (ends - starts)[:, None]
        total, square = sums[ends] - sums[starts], squares[ends] - squares[starts]
        spread = np.maximum(square - total**2 / rows, 0.0)
        left_out = np.where(rows > 1, spread * (rows / np.maximum(rows - 1, 1)) ** 2, square)
        error = left_out.sum(axis=0)
        better = [k for k, own in enumerate(columns) if error[own].sum() < best[k]]
        if not better:
            continue
        places = _places(asked, values, starts, ends)
        for k in better:
            best[k] = error[columns[k]].sum()
            answer[:, columns[k]] = (total[:, columns[k]] / rows + middle[columns[k]])[places]
        if predictor.categories:  # one without rows tells nothing; its neighbours are so by name alone
            answer[~np.isin(asked, values)] = middle
    return answer


def _cuts(first: NDArray[np.int64], rows: int) -> list[NDArray[np.int64]]:
    """Where bins begin, for 1, 2, 4, ... bins of equally many rows; a value is never cut."""
    middles = (first + np.append(first[1:], rows)) / 2
    cuts: list[NDArray[np.int64]] = []
    bins = 1
    while bins * LEAST_ROWS_OF_A_BIN <= rows:
        number = (middles * bins // rows).astype(np.int64)
        starts = first[np.concatenate([[True], number[1:] != number[:-1]])]
        if not cuts or len(starts) > len(cuts[-1]):
            cuts.append(starts)
        bins *= 2
    if len(first) * LEAST_ROWS_OF_A_BIN <= rows and len(first) > len(cuts[-1]):
        cuts.append(first)  # each value by itself, where there are few
    return cuts


def _places(
    asked: NDArray[np.floating] | NDArray[np.integer],
    values: NDArray[np.floating] | NDArray[np.integer],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> NDArray[np.int64]:
    """The bin of each value asked for; halfway between two bins the edge."""
    edges = values[ends[:-1] - 1] / 2 + values[starts[1:]] / 2
    places: NDArray[np.int64] = np.searchsorted(edges, asked, side="left")
    return places


def _explained(predicted: Floats, actual: Floats) -> float:
    error = np.square(actual - predicted).sum(axis=0)
    deviation = np.square(actual - actual.mean(axis=0)).sum(axis=0)
    return float(np.mean(1 - np.divide(error, deviation, out=np.ones_like(error), where=deviation > 0)))


def _beyond_guessing(predicted: Floats, actual: Floats) -> float:
    right = float(np.mean(predicted.argmax(axis=1) == actual.argmax(axis=1)))
    guess = float(actual.mean(axis=0).max())
    return (right - guess) / (1 - guess) if guess < 1 else 0.0
