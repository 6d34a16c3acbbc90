"""How fast the boosted trees of `dci` are: against scikit-learn's GradientBoostingClassifier, on one thread.

The latents are those of the bundled model of sprites: 10,000 rows to train and 5,000 to test, factors
of 3, 6, 40, 32 and 32 values. The factors take turns; scikit-learn takes minutes, hence one round.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import disentangle_metrics as dm
from disentangle_metrics.estimators.probes import Fitted, Target, fit
from tests.agreement.boosted_trees_table import concentration, largest_reversal

TRAIN, TEST = 10_000, 5_000
TARGET = 40


@pytest.fixture(scope="module")
def scene() -> tuple[Any, Any]:
    """Latents (15,000, D) and factors (15,000, 5)."""
    dataset = dm.load_dataset("sprites")
    encoder = dm.load_encoder("pro-vlae-sprites", device="cpu")
    rows = np.random.default_rng(0).choice(len(dataset), TRAIN + TEST, replace=False)
    batches = [dataset.images(part).transpose(0, 3, 1, 2) for part in np.array_split(rows, 100)]
    latents = [encoder(batch.astype(np.float32) / 255)[0] for batch in batches]
    return np.concatenate(latents).astype(np.float64), dataset.factors(rows)


def test_dci(benchmark: BenchmarkFixture, scene: tuple[Any, Any]) -> None:
    latents, factors = scene
    targets = [Target(codes[:TRAIN], codes[TRAIN:], categories=True) for codes in factors.T]
    seconds = {"boosted_trees": 0.0, "gradient_boosting": 0.0}
    found: dict[str, list[Fitted]] = {probe: [] for probe in seconds}

    def timed(probe: str, target: Target) -> None:
        start = time.perf_counter()
        found[probe].append(fit(probe, latents[:TRAIN], latents[TRAIN:], target))
        seconds[probe] += time.perf_counter() - start

    def take_turns() -> None:
        for target in targets:
            for probe in seconds:
                timed(probe, target)

    benchmark.pedantic(take_turns, rounds=1)
    ours, theirs = (np.stack([one.importances for one in found[probe]], axis=1) for probe in seconds)
    benchmark.extra_info |= {
        "boosted_trees, s": round(seconds["boosted_trees"], 2),
        "GradientBoostingClassifier, s": round(seconds["gradient_boosting"], 1),
        "times as fast": round(seconds["gradient_boosting"] / seconds["boosted_trees"], 1),
        "target": TARGET,
        "largest difference that is ranked otherwise": round(largest_reversal(ours, theirs), 4),
        "difference in D": round(concentration(ours) - concentration(theirs), 4),
        "difference in C": round(concentration(ours.T) - concentration(theirs.T), 4),
        "difference in accuracy": round(
            float(np.mean([one.quality for one in found["boosted_trees"]]))
            - float(np.mean([one.quality for one in found["gradient_boosting"]])),
            4,
        ),
    }
    print(f"\ndci: {benchmark.extra_info}")
    assert np.isfinite(ours).all()
