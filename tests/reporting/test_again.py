"""The call that a page prints runs, and gives the same scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import disentangle_metrics as dm
from disentangle_metrics.reporting.again import command_or_call

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

RNG = np.random.default_rng(0)
N = 120
V = RNG.integers(0, 4, size=(N, 2))
Z = V + 0.3 * RNG.normal(size=V.shape)
ANGLES = RNG.uniform(0, 360, N)
TURNING = np.column_stack([ANGLES, V[:, 0]])
RADIANS = np.column_stack([np.deg2rad(ANGLES), Z[:, 0]])
PHASE = np.where(V[:, 0] == 1, V[:, 1].astype(float), np.nan)
TREE = {"phase": ("shape", 1)}
NAMES = ["shape", "phase"]
IMAGES = np.zeros((N, 8, 8), dtype=np.float32)
IMAGES[:, 0, 0], IMAGES[:, 1, 1] = V.T / 4
LOADER = [(IMAGES[:70], V[:70]), (IMAGES[70:], V[70:])]
NAMED_ROWS = pd.DataFrame({"row": [f"r{i}" for i in range(N)], "shape": V[:, 0], "size": V[:, 1]})
POSTERIOR = dm.GaussianPosterior(Z, np.full_like(Z, -2.0))


def encode(images: Any) -> np.ndarray:
    return np.asarray(images).reshape(len(images), -1)[:, [0, 9]]


def bright(images: Any) -> np.ndarray:
    return np.asarray(images).reshape(len(images), 4, -1).sum(axis=2)


def same(report: dm.Report, **names: Any) -> None:
    exec(command_or_call(report), names)
    again = names["report"]
    assert {key: (s.value, s.signature, s.interval, s.p) for key, s in again.items()} == {
        key: (s.value, s.signature, s.interval, s.p) for key, s in report.items()
    }
    assert again.factor_names == report.factor_names


@pytest.mark.parametrize(
    ("latents", "factors", "options"),
    [
        (Z, TURNING, {"metrics": ["mcc", "mig"], "factor_types": {"factor_0": "circular:360"}}),
        (Z, np.deg2rad(TURNING), {"metrics": ["mcc"], "factor_types": ["circular", "ordinal"]}),
        (Z, TURNING, {"metrics": ["mcc"], "factor_types": ["circular:360", "circular:24"]}),
        (V, V, {"metrics": ["mig", "mcc"], "latent_types": ["categorical"] * 2}),
        (V, None, {"metrics": ["active_units"], "latent_types": {"z_1": "categorical"}}),
        (RADIANS, V, {"metrics": ["mcc", "mig"], "latent_types": {"z_0": "circular"}}),
        (RADIANS, TURNING, {"metrics": ["mig"], "latent_types": {"z_0": "circular:3"}, "groups": {"u": [0, 1]},
                            "factor_types": ["circular:360", "categorical"]}),
        (Z, np.column_stack([V[:, 0], PHASE]), {"metrics": ["mig", "r4"], "hierarchy": TREE, "factor_names": NAMES}),
        (Z, pd.DataFrame({"shape": V[:, 0], "phase": PHASE}), {"metrics": ["mig"], "missing": "drop"}),
        (Z, NAMED_ROWS, {"metrics": ["mig"]}),
        (Z, V, {"metrics": ["mig"], "variant": "colour(seed=1)"}),
        (Z, V, {"metrics": ["sap", dm.Metric("dcimig", weights="equal")], "permutations": 9, "seed": 4}),
        (Z, V, {"metrics": ["mig", "sap"], "confidence": 0.9, "replicates": 5, "protocol": "carbonneau2022"}),
        (Z, V, {"metrics": ["mcc", dm.Metric("mcc", correlation="spearman")]}),
        (POSTERIOR, V, {"metrics": ["jemmig", "wsepin"]}),
    ],
)  # fmt: skip
def test_a_call_of_arrays(latents: Any, factors: Any, options: dict[str, Any]) -> None:
    anchors = {} if "permutations" in options else {"anchors": False}
    report = dm.score(latents, factors, **options, **anchors)
    same(report, latents=latents, factors=factors, hierarchy=options.get("hierarchy"))


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ((encode, IMAGES, TURNING), {"factor_types": ["circular:360", "ordinal"], "factor_names": ["hue", "size"]}),
        ((encode, IMAGES, V), {"latent_types": ["circular:1", "continuous"], "scale": "-1..1"}),
        ((encode, IMAGES, np.column_stack([V[:, 0], PHASE])), {"factor_names": NAMES, "hierarchy": TREE}),
        ((encode, IMAGES, NAMED_ROWS), {}),
        ((encode, LOADER), {"samples": 50, "seed": 3}),
        ((encode, LOADER), {"factor_names": NAMES, "factor_types": {"phase": "ordinal"}, "variant": "mine"}),
        ((bright, "switches", NAMES), {"samples": N}),
        ((bright, "switches|restricted:shape=1"), {"samples": N}),
    ],
)  # fmt: skip
def test_a_call_of_a_model(arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
    encoder, data, *factors = arguments
    data = dm.load_dataset(data) if isinstance(data, str) else data
    report = dm.evaluate(encoder, data, *factors, metrics=["mig", "mcc"], anchors=False, **options)
    given = {"images": data, "loader": data, "factors": factors[0] if factors else None}
    same(report, encoder=encoder, hierarchy=options.get("hierarchy"), **given)


def test_a_call_of_a_part_of_a_network() -> None:
    torch = pytest.importorskip("torch")

    class Network(torch.nn.Module):  # type: ignore[misc, name-defined]
        def parts(self, images: Any) -> Any:
            return images.flatten(1)[:, [2, 2]], images.flatten(1)[:, [0, 9]]

    options = {"encode_with": "parts", "outputs": {"mean": 1}}
    report = dm.evaluate(Network(), IMAGES, V, metrics=["mig"], anchors=False, **options)
    same(report, encoder=Network(), images=IMAGES, factors=V)
    loaded = report.with_provenance(encoder={"path": "model.pt"})
    assert "dm.load_encoder('model.pt', encode_with='parts', outputs={'mean': 1})," in command_or_call(loaded)


def test_a_call_of_counts() -> None:
    ranges, batches = [[-3, 8], [-3, 8]], [(Z[:70], V[:70]), (Z[70:], V[70:])]
    accumulator = dm.Accumulator(ranges=ranges, metrics=["mig"], factor_names=NAMES)
    for latents, factors in batches:
        accumulator.update(latents, factors)
    same(accumulator.compute(), ranges=ranges, batches=batches)
