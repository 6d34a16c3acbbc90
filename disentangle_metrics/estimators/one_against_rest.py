"""How well one latent singles out one class from all other rows, for every latent and class of a factor.

Each function takes one factor as codes (N,), 0 .. classes - 1. A class of fewer than two rows, or of all, has
no meaningful entry. Rows are sorted once for each latent. Values that differ by rounding alone are tied. Tied
rows are in no order: neighbours count as in a random order of them, on average, and no threshold parts them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.counts.binning import Bins
from disentangle_metrics.estimators.counts.counts import count
from disentangle_metrics.estimators.counts.entropy import entropy

TIE = 16 * np.finfo(np.float64).eps  # of a latent's largest size; rounding separates equal values by less

Floats = NDArray[np.float64]
Codes = NDArray[np.integer]


def scaled_information(latents: NDArray[np.floating], bins: Bins, codes: Codes, classes: int) -> Floats:
    """Information of each binned latent (N, D) about each class, over its entropy. Shape (D, classes)."""
    (joint,) = count(latents, bins, [codes], [classes]).joint
    inside = np.swapaxes(joint, 1, 2)  # (D, classes, bins)
    both = np.stack([inside, joint.sum(axis=2)[:, None, :] - inside], axis=-1)
    of_class = entropy(both.sum(axis=2))
    information = entropy(both.sum(axis=3)) + of_class - entropy(both, axis=(2, 3))
    return _shares(information, of_class)


def neighbour_shares(latents: NDArray[np.floating], codes: Codes, classes: int) -> Floats:
    """How often the next row by each latent (N, D) is of the same class, chance taken off.

    Shape (D, classes). With S the share of a class's rows, but one, whose next row is of the class too, and p
    the class's share of all rows: max(0, S - p) / (1 - p).
    """
    rows = np.bincount(codes, minlength=classes)
    share = rows / len(codes)
    table = np.empty((latents.shape[1], classes))
    for latent, runs in enumerate(_runs_of(latents, codes)):
        size = runs.sizes[runs.run]
        within = runs.members * (runs.members - 1) / size
        # Of neighbouring runs: the last row of one and the first of the next are both of the class.
        density = runs.members / size
        follows = (runs.code[1:] == runs.code[:-1]) & (runs.run[1:] == runs.run[:-1] + 1)
        pairs = np.bincount(runs.code, within, classes)
        pairs += np.bincount(runs.code[1:], density[1:] * density[:-1] * follows, classes)
        table[latent] = np.maximum(0.0, pairs / np.maximum(rows - 1, 1) - share)
    return np.asarray(table / np.where(share < 1, 1 - share, 1.0))


def threshold_information(latents: NDArray[np.floating], codes: Codes, classes: int) -> Floats:
    """Information of the best single threshold of each latent (N, D) about each class, over its entropy.

    Shape (D, classes). Only thresholds beside a row of the class are tried: the best is one of them.
    """
    total = len(codes)
    rows = np.bincount(codes, minlength=classes)
    of_class = entropy(np.stack([rows, total - rows], axis=-1))
    table = np.empty((latents.shape[1], classes))
    for latent, runs in enumerate(_runs_of(latents, codes)):
        ends = np.cumsum(runs.sizes)[runs.run]
        own = rows[runs.code]
        starts = np.cumsum(rows) - rows
        up_to = np.cumsum(runs.members) - starts[runs.code]  # the class's rows up to this run's end
        best = np.zeros(classes)
        for below, of_own in ((ends, up_to), (ends - runs.sizes[runs.run], up_to - runs.members)):
            cells = np.stack([of_own, below - of_own, own - of_own, total - below - own + of_own], axis=-1)
            sides = np.stack([below, total - below], axis=-1)
            np.maximum.at(best, runs.code, entropy(sides) + of_class[runs.code] - entropy(cells))
        table[latent] = best
    return _shares(table, of_class)


def rank_correlations(latents: NDArray[np.floating], codes: Codes, classes: int) -> Floats:
    """Absolute Spearman correlation of each latent (N, D) with each class's indicator. Shape (D, classes)."""
    total = len(codes)
    rows = np.bincount(codes, minlength=classes)
    scale = rows / total * (1 - rows / total)
    table = np.zeros((latents.shape[1], classes))
    for latent, runs in enumerate(_runs_of(latents, codes)):
        ranks = np.cumsum(runs.sizes) - (runs.sizes - 1) / 2 - (total + 1) / 2  # from their mean
        variance = float((runs.sizes * ranks**2).sum()) / total
        if variance > 0:
            covariance = np.bincount(runs.code, runs.members * ranks[runs.run], classes) / total
            table[latent] = np.abs(covariance) / np.sqrt(variance * np.where(scale > 0, scale, np.inf))
    return np.minimum(table, 1.0)


@dataclass(frozen=True)
class _Runs:
    """A latent's rows in order: runs of tied rows, and which classes each run holds.

    `sizes` (runs,) are rows. For each class and run that holds rows of it, sorted by class and then by run:
    `code`, `run`, and `members`, how many.
    """

    sizes: NDArray[np.int64]
    code: NDArray[np.int64]
    run: NDArray[np.int64]
    members: NDArray[np.int64]


def _runs_of(latents: NDArray[np.floating], codes: Codes) -> Iterator[_Runs]:
    """The runs of one latent after the other."""
    by_class = np.argsort(codes, kind="stable")
    sorted_codes = codes[by_class].astype(np.int64)
    for column in latents.T:
        values = column.astype(np.float64, copy=False)
        order = np.argsort(values)
        ascending = values[order]
        largest = max(abs(ascending[0]), abs(ascending[-1]))
        starts = np.concatenate([[True], np.diff(ascending) > TIE * largest])
        run = np.empty(len(values), dtype=np.int64)
        run[order] = np.cumsum(starts) - 1
        count_of_runs = int(starts.sum())
        pairs, members = np.unique(sorted_codes * count_of_runs + run[by_class], return_counts=True)
        sizes = np.diff(np.append(np.flatnonzero(starts), len(values)))
        yield _Runs(sizes, pairs // count_of_runs, pairs % count_of_runs, members)


def _shares(information: Floats, of_class: Floats) -> Floats:
    """Information over the class's entropy, within [0, 1]; what rounding leaves of nothing is 0."""
    shares = np.clip(information / np.where(of_class > 0, of_class, np.inf), 0.0, 1.0)
    shares[information < 1e-13] = 0.0
    return np.asarray(shares)
