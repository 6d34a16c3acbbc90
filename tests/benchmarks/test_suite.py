"""How long the whole default suite takes, in two processes, and which metric takes longest of it.

The workers start in the first round; later rounds find them there.
"""

from __future__ import annotations

import time
from statistics import median

from pytest_benchmark.fixture import BenchmarkFixture

import disentangle_metrics as dm
from tests.benchmarks.arrays import latents_and_factors, rounded

ROWS, FEW_ROWS = 10_000, 1_000
SECONDS = 10


def test_suite(benchmark: BenchmarkFixture, quick: bool) -> None:
    arrays = latents_and_factors(FEW_ROWS if quick else ROWS)
    taken: list[float] = []

    def score() -> dm.Report:
        start = time.perf_counter()
        report = dm.score(*arrays, anchors=False, n_jobs=2)
        taken.append(time.perf_counter() - start)
        return report

    report = benchmark.pedantic(score, rounds=3)
    timing = report.timing()
    benchmark.extra_info |= rounded(
        {
            "rows": len(arrays[0]),
            "first, s": taken[0],
            "median, s": median(taken),
            "slowest metric": timing.index[0],
            "its time, s": float(timing.iloc[0]),
            "target, s": SECONDS,
            "first / target": taken[0] / SECONDS,
        }
    )
    print(f"\n{benchmark.extra_info}")
    assert not any(score.reason.startswith("failed") for score in report.values())
