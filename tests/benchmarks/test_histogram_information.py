"""How fast all metrics of histogram mutual information are together: mig, mig_sup, modularity, dcimig, jemmig.

Against the arithmetic of other packages: ``np.histogram`` and ``np.digitize`` for each latent, then
scikit-learn's ``mutual_info_score`` for each pair of latent and factor. They do so anew for each
metric, which is counted as five times one pass; what they spend on entropies is not counted. The
ratio to a single pass, as if they shared it, is given beside it. And against the least that counting
costs: one bare ``np.bincount`` for each pair, on codes that are there already.
"""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture
from sklearn.metrics import mutual_info_score

import disentangle_metrics as dm
from tests.benchmarks.arrays import BINS, SIZES, latents_and_factors, rounded

ROWS, FEW_ROWS = 737_280, 20_000
METRICS = ("mig", "mig_sup", "modularity", "dcimig", "jemmig")


@pytest.fixture(scope="module")
def arrays(quick: bool) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    latents, factors = latents_and_factors(FEW_ROWS if quick else ROWS)
    dm.score(latents[:2_000], factors[:2_000], metrics=METRICS, anchors=False)  # imports, once
    return latents, factors


def cut(column: NDArray[np.float32]) -> NDArray[np.int64]:
    """Codes 0 .. BINS - 1."""
    return np.digitize(column, np.histogram(column, BINS)[1][1:-1])


def pair_by_pair(latents: NDArray[np.float32], factors: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mutual information (D, K), as other packages compute it."""
    codes = [cut(column) for column in latents.T]
    return np.array([[mutual_info_score(v, z) for v in factors.T] for z in codes])


def timed(function: Any, *arguments: Any) -> tuple[float, Any]:
    start = time.perf_counter()
    result = function(*arguments)
    return time.perf_counter() - start, result


def take_turns(
    benchmark: BenchmarkFixture, rounds: int, arrays: tuple[Any, Any], other: Any
) -> tuple[list[float], list[float], Any, Any]:
    """Seconds of scoring and of `other` in each round, the last report, and what `other` gave last."""
    ours: list[float] = []
    theirs: list[float] = []
    results: list[Any] = [None, None]

    def first_the_other() -> None:
        seconds, results[1] = timed(other)
        theirs.append(seconds)

    def score() -> None:
        seconds, results[0] = timed(lambda: dm.score(*arrays, metrics=METRICS, anchors=False))
        ours.append(seconds)

    benchmark.pedantic(score, setup=first_the_other, rounds=rounds)
    return ours, theirs, *results


def test_against_pair_by_pair(benchmark: BenchmarkFixture, arrays: tuple[Any, Any]) -> None:
    ours, theirs, report, expected = take_turns(benchmark, 3, arrays, lambda: pair_by_pair(*arrays))
    once = median(b / a for a, b in zip(ours, theirs, strict=True))
    benchmark.extra_info |= rounded(
        {
            "rows": len(arrays[0]),
            "score, s": median(ours),
            "one pass pair by pair, s": median(theirs),
            "times as fast as a pass for each metric": len(METRICS) * once,
            "target": 25,
            "times as fast as one pass for all": once,
        }
    )
    print(f"\n{benchmark.extra_info}")
    found = report["mig"].details["mutual_information"].to_numpy()
    assert np.allclose(found, expected, atol=1e-3)  # edges within rounding belong to the bin above here


def test_against_bare_counts(benchmark: BenchmarkFixture, arrays: tuple[Any, Any]) -> None:
    latents, factors = arrays
    codes = [
        (factors[:, k] * BINS + cut(column), size * BINS)
        for column in latents.T
        for k, size in enumerate(SIZES)
    ]

    def bare() -> None:
        for joint, cells in codes:
            np.bincount(joint, minlength=cells)

    ours, theirs, *_ = take_turns(benchmark, 11, arrays, bare)
    benchmark.extra_info |= rounded(
        {
            "rows": len(latents),
            "score, s": median(ours),
            f"{len(codes)} bare counts, s": median(theirs),
            "score / bare counts": median(a / b for a, b in zip(ours, theirs, strict=True)),
            "target": 2.5,
        }
    )
    print(f"\n{benchmark.extra_info}")
