"""Rows of runs that never were, with known differences between the models."""

from __future__ import annotations

from typing import Any

import numpy as np

OFFSETS = {"beta-vae": 0.0, "vlae": 0.0, "teacher-student": 0.05, "pro-vlae": 0.2}
VARIANTS = ("no fade-in", "no pre-training KL", "no fade-in, no pre-training KL")


def measured(
    rng: np.random.Generator, others: np.random.Generator, level: float, beta: float, layers: int
) -> dict[str, Any]:
    def score(middle: float, rng: np.random.Generator = rng) -> dict[str, Any]:
        return {"value": float(middle + 0.03 * rng.standard_normal()), "signature": "made up"}

    return {
        "reconstruction": float(70 + 5 * beta + rng.standard_normal()),
        "kl": [1.0 + layer for layer in range(layers)],
        "information": [
            {
                "layer": layer,
                "nats": 9.19 if layer == "all" else float(2 + 0.1 * rng.standard_normal()),
                "standard_error": 0.01,
                "images": 10_000,
            }
            for layer in [*map(str, range(1, layers + 1)), "all"]
        ],
        "active_latents": 6,
        "published": {"mig": score(level), "mig_sup": score(level - 0.05), "factor_vae": score(level + 0.5)},
        "metrics": {
            "mig": score(level, others),
            "total_correlation": score(1 - level, others),
            "sap": {"value": None, "signature": "made up"},
            "active_units": {"value": 6.0, "signature": "made up"},
        },
    }


def made_up_rows(seed: int = 0, betas: tuple[float, ...] = (1.0, 4.0, 8.0)) -> list[dict[str, Any]]:
    rng, others = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    cases = [("comparison", model, "", beta) for model in OFFSETS for beta in betas]
    cases += [("ablation", "pro-vlae", variant, 4.0) for variant in VARIANTS]
    rows = []
    for purpose, model, variant, beta in cases:
        for run in range(5):
            layers = 3 if model.endswith("vlae") else 1
            level = 0.2 + OFFSETS[model] - 0.1 * VARIANTS.index(variant) if variant else 0.2 + OFFSETS[model]
            row = {
                "key": f"{model}-{variant}-{beta}-{run}",
                "purpose": purpose,
                "dataset": "sprites",
                "model": model,
                "variant": variant,
                "beta": beta,
                "seed": run,
                "arguments": {"image_shape": [1, 64, 64]},
                "learning_rate": 1e-3,
                "iterations": 9000,
                "batch_size": 32,
                "seconds": 900.0,
                "measuring_seconds": 30.0,
                "cpu_seconds": 720.0,
                **measured(rng, others, level, beta, layers),
            }
            if layers == 3:
                earlier = [measured(rng, others, level * share, beta, 3) for share in (0.5, 0.8)]
                row["stages"] = (
                    [{"step": 3000 * i, **one} for i, one in enumerate(earlier, 1)]
                    if model == "pro-vlae"
                    else []
                )
            rows.append(row)
    return rows
