"""Prediction of columns from one column by step functions, measured on rows that the fit has not seen.

A column is cut into bins of equally many rows, and the prediction is the mean of a bin, or its most frequent
value. The number of bins is chosen on the fitted rows by their leave-one-out error, which has a closed form:
each residual is multiplied by n / (n - 1), n the rows of its bin. Sorting once serves all numbers of bins and
all targets, where boosted trees would be grown for each, and are no better for one column.

A category of V values is V columns of 0 and 1. They are made and read a few at a time, so that memory does
not grow with V.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.linear import FOLDS

Floats = NDArray[np.float64]
LEAST_ROWS_OF_A_BIN = 2
CELLS = 1 << 20  # of the columns that are predicted at a time, rows by columns


@dataclass(frozen=True)
class Column:
    """One column, as what predicts and as what is predicted.

    Attributes
    ----------
    values : ndarray (N,)
        What is cut into bins.
    numbers : ndarray (N, T), optional
        Numbers to predict. None for a category: `values` are then codes, of which each is predicted as a
        column that is 1 where a row has it.
    """

    values: NDArray[np.float64] | NDArray[np.integer]
    numbers: Floats | None = None

    @property
    def categories(self) -> bool:
        """Whether `values` have no order: then each is a bin, and the share of right predictions counts."""
        return self.numbers is None

    @property
    def width(self) -> int:
        """How many numbers are predicted for each row."""
        return int(self.values.max()) + 1 if self.numbers is None else self.numbers.shape[1]

    def columns(self, rows: NDArray[np.int64], own: range) -> Floats:
        """These of the numbers to predict, in these rows."""
        if self.numbers is not None:
            return self.numbers[rows, own.start : own.stop]
        return np.equal.outer(self.values[rows], np.arange(own.start, own.stop)).astype(np.float64)


def category(codes: NDArray[np.integer]) -> Column:
    """A column of codes without an order."""
    return Column(np.unique(codes, return_inverse=True)[1].reshape(-1))


def measurement(values: NDArray[np.floating], targets: Floats | None = None) -> Column:
    """A column of numbers; `targets` (N, T) are those of a circle, its cosine and sine."""
    numbers = np.asarray(values, dtype=np.float64)
    return Column(numbers, numbers[:, None] if targets is None else targets)


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
    quality = np.zeros((len(predictors), len(targets)))
    for j, predictor in enumerate(predictors):
        if np.ptp(predictor.values) == 0:
            continue
        predicted = [np.empty_like(t.values if t.numbers is None else t.numbers) for t in targets]
        for fold in range(FOLDS):
            test = folds == fold
            for whole, part in zip(predicted, _predicted(predictor, targets, ~test, test), strict=True):
                whole[test] = part
        for k, (target, own) in enumerate(zip(targets, predicted, strict=True)):
            if target.numbers is None:
                quality[j, k] = max(0.0, _beyond_guessing(own, target.values))
            else:
                quality[j, k] = max(0.0, _explained(own, target.numbers))
    return quality


def _predicted(
    predictor: Column, targets: Sequence[Column], train: NDArray[np.bool_], test: NDArray[np.bool_]
) -> list[Floats]:
    """The step functions of the train rows at the test rows: numbers (rows, T) of each target, or codes."""
    order = np.argsort(predictor.values[train], kind="stable")
    values, rows = predictor.values[train][order], np.flatnonzero(train)[order]
    first = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))  # of each distinct value
    asked = predictor.values[test]
    cuts = [first] if predictor.categories else _cuts(first, len(values))
    places = [_places(asked, values, starts, np.append(starts[1:], len(values))) for starts in cuts]
    # One without rows tells nothing; its neighbours are so by name alone.
    unknown = ~np.isin(asked, values) if predictor.categories else np.zeros(len(asked), dtype=bool)
    ends = np.cumsum([target.width for target in targets])
    owns = [range(end - target.width, end) for end, target in zip(ends, targets, strict=True)]
    pieces = _pieces(int(ends[-1]), len(rows))
    error = np.empty((len(cuts), int(ends[-1])))
    for piece in pieces:
        steps = _Steps(_joined(targets, owns, piece, rows))
        for place, starts in enumerate(cuts):
            error[place, piece.start : piece.stop] = steps.left_out(starts)
    best = [int(np.argmin([row[own.start : own.stop].sum() for row in error])) for own in owns]
    answers = [
        np.empty((len(asked), target.width)) if target.numbers is not None else np.zeros(len(asked))
        for target in targets
    ]
    likeliest = np.empty(len(asked))
    for piece in pieces:
        if len(pieces) > 1:
            steps = _Steps(_joined(targets, owns, piece, rows))
        for k, own in enumerate(owns):
            shared = range(max(piece.start, own.start), min(piece.stop, own.stop))
            if not len(shared):
                continue
            within = slice(shared.start - piece.start, shared.stop - piece.start)
            found = steps.means(cuts[best[k]], within)[places[best[k]]]
            found[unknown] = steps.middle[within]
            if targets[k].numbers is not None:
                answers[k][:, shared.start - own.start : shared.stop - own.start] = found
                continue
            code = found.argmax(axis=1)
            chance = found[np.arange(len(found)), code]
            better = chance > likeliest if shared.start > own.start else np.ones(len(found), dtype=bool)
            answers[k][better] = code[better] + (shared.start - own.start)
            likeliest[better] = chance[better]
    return answers


class _Steps:
    """Sums of targets (N, T) in the order of the predictor, from which the steps of any bins are read."""

    def __init__(self, columns: Floats) -> None:
        self.middle = columns.mean(axis=0)
        centred = columns - self.middle
        none = np.zeros((1, columns.shape[1]))
        self.sums = np.concatenate([none, np.cumsum(centred, axis=0)])
        self.squares = np.concatenate([none, np.cumsum(centred**2, axis=0)])

    def left_out(self, starts: NDArray[np.int64]) -> Floats:
        """The leave-one-out error of each target with bins that start there. Shape (T,)."""
        ends = np.append(starts[1:], len(self.sums) - 1)
        rows = (ends - starts)[:, None]
        total, square = self.sums[ends] - self.sums[starts], self.squares[ends] - self.squares[starts]
        spread = np.maximum(square - total**2 / rows, 0.0)
        error: Floats = np.where(rows > 1, spread * (rows / np.maximum(rows - 1, 1)) ** 2, square).sum(axis=0)
        return error

    def means(self, starts: NDArray[np.int64], own: slice) -> Floats:
        """The mean of these targets in each bin. Shape (bins, targets)."""
        ends = np.append(starts[1:], len(self.sums) - 1)
        total = self.sums[ends, own] - self.sums[starts, own]
        means: Floats = total / (ends - starts)[:, None] + self.middle[own]
        return means


def _pieces(columns: int, rows: int) -> list[range]:
    """The columns in stretches of about CELLS cells; of two at least, since sums of one round otherwise."""
    width = max(2, CELLS // max(rows, 1))
    starts = [start for start in range(0, columns, width) if start == 0 or start < columns - 1]
    return [range(start, end) for start, end in zip(starts, [*starts[1:], columns], strict=True)]


def _joined(
    targets: Sequence[Column], owns: Sequence[range], piece: range, rows: NDArray[np.int64]
) -> Floats:
    """The columns of this stretch, of all targets side by side, in these rows."""
    columns = []
    for target, own in zip(targets, owns, strict=True):
        shared = range(max(piece.start, own.start), min(piece.stop, own.stop))
        if len(shared):
            columns.append(target.columns(rows, range(shared.start - own.start, shared.stop - own.start)))
    return np.column_stack(columns)


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


def _beyond_guessing(predicted: Floats, actual: NDArray[np.float64] | NDArray[np.integer]) -> float:
    right = float(np.mean(predicted == actual))
    guess = float(np.bincount(actual.astype(np.int64)).max() / len(actual))
    return (right - guess) / (1 - guess) if guess < 1 else 0.0
