"""The histogram metrics straight from their definitions, in plain Python: it shares no line with the package.

Numbers are cut in the long precision of the machine, in which nothing here overflows or vanishes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import log
from typing import Any

import numpy as np

BINS, EDGE = 20, 1e-11


def entropy(*columns: Sequence[Any]) -> float:
    """Plug-in entropy of the columns together, in nats."""
    counts = Counter(zip(*columns, strict=True)).values()
    total = sum(counts)
    return log(total) - sum(count * log(count) for count in counts) / total


def cut(numbers: Sequence[Any], unit: float) -> tuple[list[int] | None, bool]:
    """The bin of each number, None if they are constant; and whether one is within rounding of an edge."""
    if all(isinstance(number, int) for number in numbers):  # exact, whatever their size
        numbers = [number - min(numbers) for number in numbers]
    values = np.array([np.longdouble(number) for number in numbers])
    low, width, largest = values.min(), values.max() - values.min(), np.abs(values).max()
    if width <= 64 * unit * largest:
        return None, False
    tolerance = max(1e-9, min(float(16 * unit * largest * BINS / width), 0.1))
    place = (values - low) / width * BINS + tolerance
    on_edge = bool((np.abs(place - np.rint(place)) < EDGE).any())
    return np.minimum(np.floor(place), BINS - 1).astype(int).tolist(), on_edge


def reference(
    numbers: np.ndarray, labels: list[list[Any]], kinds: str, *, single: bool = False
) -> tuple[dict[str, float | None], bool]:
    """Scores by key, None where there is none; and whether rounding may have moved a row to the next bin."""
    kept = np.flatnonzero(np.isfinite(numbers).all(axis=1))
    unit = float(np.finfo(np.float32 if single else np.float64).eps)
    whole = [cut(numbers[kept, j], unit) for j in range(numbers.shape[1])]
    active = [j for j, (bins, _) in enumerate(whole) if bins is not None]
    edges = [on_edge for _, on_edge in whole]
    factors = []  # of each that varies: H(v), and of each latent I and H(z, v)
    for kind, column in zip(kinds, labels, strict=True):
        rows = [n for n in kept if column[n] is not None]
        values = [column[n] for n in rows]
        if kind == "r":
            values, on_edge = cut(values, float(np.finfo(np.float64).eps))
            edges.append(on_edge)
        if values is None or len(set(values)) < 2:
            continue
        told = []
        for j in range(numbers.shape[1]):
            bins, on_edge = cut(numbers[rows, j], unit)
            edges.append(on_edge)
            bins = bins or [0] * len(rows)
            joint, information = entropy(bins, values), entropy(bins) + entropy(values)
            told.append((information - joint if information - joint > 1e-12 else 0.0, joint))
        factors.append((entropy(values), told))

    def lead(shares: list[float]) -> float:
        first, second = sorted([*shares, 0.0], reverse=True)[:2]
        return first - second

    scores: dict[str, float | None] = dict.fromkeys(
        ("mig", "mig_sup", "jemmig", "dcimig", "modularity", "mean_pairwise_mi")
    )
    pairs = [(a, b) for a in range(len(whole)) for b in range(a)]
    if pairs:
        bins = [place or [0] * len(kept) for place, _ in whole]
        shared = [entropy(bins[a]) + entropy(bins[b]) - entropy(bins[a], bins[b]) for a, b in pairs]
        scores["mean_pairwise_mi"] = sum(shared) / len(pairs)
    if factors:
        leads = [lead([i for i, _ in told]) for _, told in factors]
        scores["mig"] = sum(d / h for d, (h, _) in zip(leads, factors, strict=True)) / len(factors)
        best = [min(e for i, e in told if i >= max(told)[0] * (1 - 1e-9)) for _, told in factors]
        parts = [1 - (e - d) / (h + log(BINS)) for e, d, (h, _) in zip(best, leads, factors, strict=True)]
        scores["jemmig"] = sum(parts) / len(factors)
    if len(factors) > 1:
        table = [[told[j][0] for _, told in factors] for j in range(len(whole))]
        credit = [max([lead(row) for row in table if row.index(max(row)) == k], default=0.0)
                  for k in range(len(factors))]  # fmt: skip
        scores["dcimig"] = sum(credit) / sum(h for h, _ in factors)
        if active:
            shares = [[i / h for i, (h, _) in zip(table[j], factors, strict=True)] for j in active]
            scores["mig_sup"] = sum(map(lead, shares)) / len(active)
            rest = [(sum(i * i for i in table[j]) / max(table[j]) ** 2 - 1) if max(table[j]) else None
                    for j in active]  # fmt: skip
            told_of = [0.0 if r is None else 1 - r / (len(factors) - 1) for r in rest]
            scores["modularity"] = sum(told_of) / len(active)
    return scores, any(edges)
