"""How fast the boosted trees of `dci` are: against scikit-learn's GradientBoostingClassifier, on one thread.

The latents are those of the bundled model of sprites: 10,000 rows to train and 5,000 to test, factors
of 3, 6, 40, 32 and 32 values. scikit-learn takes minutes, hence one round.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from pytest_benchmark.fixture import BenchmarkFixture

import disentangle_metrics as dm
from disentangle_metrics.estimators.probes.probes import Fitted, Target, fit
from disentangle_metrics.kit import network_input
from tests.agreement.boosted_trees_table import concentration, largest_reversal
from tests.benchmarks.arrays import rounded

TRAIN, TEST = 10_000, 5_000
FEW_TRAIN, FEW_TEST = 200, 100


def scene(rows: int) -> tuple[Any, Any]:
    """Latents (rows, D) and factors (rows, 5)."""
    dataset = dm.load_dataset("sprites")
    encoder = dm.load_encoder("pro-vlae-sprites", device="cpu")
    chosen = np.random.default_rng(0).choice(len(dataset), rows, replace=False)
    batches = [network_input(dataset.images(part)) for part in np.array_split(chosen, 1 + rows // 200)]
    latents = np.concatenate([encoder(batch)[0] for batch in batches])
    return latents.astype(np.float64), dataset.factors(chosen)


def test_dci(benchmark: BenchmarkFixture, quick: bool) -> None:
    train, test = (FEW_TRAIN, FEW_TEST) if quick else (TRAIN, TEST)
    latents, factors = scene(train + test)
    targets = [Target(codes[:train], codes[train:], categories=True) for codes in factors.T]

    def fit_all(probe: str) -> tuple[list[Fitted], float]:
        start = time.perf_counter()
        found = [fit(probe, latents[:train], latents[train:], target) for target in targets]
        return found, time.perf_counter() - start

    theirs: list[tuple[list[Fitted], float]] = []

    def published() -> None:
        theirs.append(fit_all("gradient_boosting"))

    ours, our_seconds = benchmark.pedantic(fit_all, args=("boosted_trees",), setup=published, rounds=1)
    here, there = (np.stack([one.importances for one in all_], axis=1) for all_ in (ours, theirs[0][0]))
    accuracy = [float(np.mean([one.quality for one in all_])) for all_ in (ours, theirs[0][0])]
    benchmark.extra_info |= rounded(
        {
            "boosted_trees, s": our_seconds,
            "GradientBoostingClassifier, s": theirs[0][1],
            "times as fast": theirs[0][1] / our_seconds,
            "target": 40,
            "largest difference ranked the other way round": largest_reversal(here, there),
            "difference in D": concentration(here) - concentration(there),
            "difference in C": concentration(here.T) - concentration(there.T),
            "difference in accuracy": accuracy[0] - accuracy[1],
        }
    )
    print(f"\n{benchmark.extra_info}")
    print(np.round(np.stack([here, there]), 4))
    assert np.isfinite(here).all()
