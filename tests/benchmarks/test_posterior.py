"""How fast the information of posteriors is: against the published sampling, and on a full data set.

The posteriors are made up: 10 latents of four kinds (narrow, wide, mixed and uninformative) and four
factors. The sampling is the published one, 10,000 samples for each entropy. It is timed as the package
offers it, and once more with all that can be saved saved: no guard against underflow, no array made twice.
"""

from __future__ import annotations

import math
import multiprocessing
import resource
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
from pytest_benchmark.fixture import BenchmarkFixture

from disentangle_metrics.estimators.posteriors.quadrature import posterior_information
from disentangle_metrics.estimators.posteriors.sampling import sampled_information
from tests.benchmarks.arrays import rounded

SIZES = [3, 6, 40, 32]
LATENTS = 10
SAMPLES = 10_000
Case = tuple[Any, Any, list[Any], list[int]]


def posteriors(rows: int) -> Case:
    """Means and log-variances (rows, 10), and the codes of four factors."""
    rng = np.random.default_rng(0)
    codes = [rng.integers(size, size=rows) for size in SIZES]
    values = np.column_stack([column / (size - 1) for column, size in zip(codes, SIZES, strict=True)])
    mean = 0.05 * rng.normal(size=(rows, LATENTS))
    mean[:, :4] = 3 * (values - 0.5) + 0.1 * rng.normal(size=(rows, 4))
    mean[:, 4] = 2 * values[:, 2] * values[:, 3]
    deviation = np.exp(rng.normal(0, 0.01, size=(rows, LATENTS)))
    deviation[:, :6] = rng.uniform(0.02, 0.2, size=(rows, 6))
    return mean.astype(np.float32), (2 * np.log(deviation)).astype(np.float32), codes, SIZES


def dense_information(case: Case) -> Any:
    """The same by a dense grid with six nodes to the narrowest deviation, nine deviations wide. (D, K)."""
    mean, logvar, codes, sizes = case
    rows = len(mean)
    found = np.empty((mean.shape[1], len(sizes)))
    for j in range(mean.shape[1]):
        m, s = mean[:, j].astype(float), np.exp(0.5 * logvar[:, j].astype(float))
        spacing = s.min() / 6
        nodes = np.arange((m - 9 * s).min(), (m + 9 * s).max() + spacing, spacing)
        parts = [np.zeros((size, len(nodes))) for size in sizes]
        for start in range(0, len(nodes), 50):
            z = nodes[start : start + 50]
            density = np.exp(-0.5 * ((z[:, None] - m) / s) ** 2) / (s * (rows * math.sqrt(2 * math.pi)))
            for part, column, size in zip(parts, codes, sizes, strict=True):
                for c in range(size):
                    part[c, start : start + 50] = density[:, column == c].sum(axis=1)
        whole = minus_q_log_q(parts[0].sum(axis=0)) * spacing
        for k, part in enumerate(parts):
            share = np.bincount(codes[k]) / rows
            found[j, k] = whole - np.sum(share * np.log(share)) - minus_q_log_q(part) * spacing
    return found


def minus_q_log_q(q: Any) -> float:
    return -float(np.sum(q * np.log(np.where(q > 0, q, 1))))


def lean_sampling(case: Case) -> None:
    """As many densities as the published sampling evaluates, in place and in the cache."""
    mean, logvar, codes, sizes = case
    rng = np.random.default_rng(0)

    def mean_log(m: Any, s: Any) -> float:
        chosen = rng.integers(len(m), size=SAMPLES)
        points = m[chosen] + s[chosen] * rng.standard_normal(SAMPLES)
        scale, constant = math.sqrt(0.5) / s, np.log(s)
        size, total = max(1, (1 << 15) // len(m)), 0.0
        for start in range(0, SAMPLES, size):
            logs = points[start : start + size, None] - m
            logs *= scale
            logs *= logs
            logs += constant
            np.negative(logs, out=logs)
            np.exp(logs, out=logs)
            total += float(np.log(logs.sum(axis=1)).sum())
        return total

    for j in range(mean.shape[1]):
        m, s = mean[:, j].astype(float), np.exp(0.5 * logvar[:, j].astype(float))
        mean_log(m, s)
        for column, size in zip(codes, sizes, strict=True):
            for c in range(size):
                mean_log(m[column == c], s[column == c])


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def test_posterior_information(benchmark: BenchmarkFixture, quick: bool) -> None:
    case = posteriors(500 if quick else 10_000)
    quadrature: list[float] = []
    published: list[float] = []
    lean: list[float] = []

    def sample_one_latent() -> None:
        j = len(quadrature)
        one = (case[0][:, j : j + 1], case[1][:, j : j + 1], *case[2:])
        published.append(seconds(lambda: sampled_information(*one, SAMPLES, np.random.default_rng(j))))
        lean.append(seconds(lambda: lean_sampling(one)))

    def integrate() -> Any:
        start = time.perf_counter()
        found = posterior_information(*case)
        quadrature.append(time.perf_counter() - start)
        return found

    integrate()
    quadrature.clear()
    found = benchmark.pedantic(integrate, setup=sample_one_latent, rounds=LATENTS)
    error = float(np.abs(found.mutual_information - dense_information(case)).max())
    ours = median(quadrature)
    benchmark.extra_info |= rounded(
        {
            "quadrature, s": ours,
            "sampling as published, s": sum(published),
            "lean sampling, s": sum(lean),
            "times as fast": sum(published) / ours,
            "times as fast as lean sampling": sum(lean) / ours,
            "target": 300,
            "largest error, nats": error,
        }
    )
    print(f"\n{benchmark.extra_info}")
    assert error < 1e-4


def full_data_set(rows: int) -> tuple[float, float]:
    """Seconds, and the largest resident memory of this process so far in GB."""
    case = posteriors(rows)
    passed = seconds(lambda: posterior_information(*case))
    return passed, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def test_full_data_set(benchmark: BenchmarkFixture, quick: bool) -> None:
    rows = 10_000 if quick else 737_280
    # A process of its own, since the peak of a process never falls.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        passed, peak = benchmark.pedantic(pool.apply, args=(full_data_set, (rows,)), rounds=1)
    benchmark.extra_info |= rounded(
        {"rows": rows, "s": passed, "target, s": 60, "peak of the process, GB": peak, "target, GB": 2}
    )
    print(f"\n{benchmark.extra_info}")
    assert passed > 0
