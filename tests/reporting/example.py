"""A small report with everything that a rendering may meet: intervals, chance, NaN, remarks, unkind names."""

from __future__ import annotations

import math

import pandas as pd

from disentangle_metrics.scoring.report import Report, Score

UNKIND = "<script>alert(1)</script>"
DOLLARS = "a_b|c $x$ & 5%"
LATENTS = ("z_0", "z_1")
FACTORS = (UNKIND, DOLLARS)
TABLE = pd.DataFrame([[1.5, 0.25], [0.125, math.nan]], index=LATENTS, columns=FACTORS)


def score(key: str, value: float, property_: str, **rest: object) -> Score:
    """A score with a signature like a real one."""
    signature = f"{key}|bins:20|n:100|D:2|K:2|confidence:0.9|interval:bootstrap|def:1|dm:0.1.0"
    return Score(key, value, signature, property=property_, **rest)  # type: ignore[arg-type]


REPORT = Report(
    scores={
        "mig": score(
            "mig",
            0.688,
            "compactness",
            per_factor=pd.Series([0.7, 0.676], index=FACTORS),
            interval=(0.689, 0.704),
            corrected=0.697,
            chance=0.01,
            ceiling=0.98,
            details={"mutual_information": TABLE, "factor_entropy": pd.Series([1.6, 0.5], index=FACTORS)},
        ),
        "mig_sup": score(
            "mig_sup", 0.05, "modularity", chance=0.02, ceiling=0.9, details={"mutual_information": TABLE}
        ),
        "modularity": score("modularity", 0.9, "modularity", chance=0.6, ceiling=1.0),
        "dci_disentanglement": score(
            "dci_disentanglement", 0.5, "modularity", warnings=(f"beware of {UNKIND}",)
        ),
        "dci_completeness": score("dci_completeness", -0.0002, "compactness"),
        "factor_vae": score("factor_vae", math.nan, "modularity", reason="needs two factors"),
        "total_correlation": score(
            "total_correlation", 12.3456, "independence", range=(0.0, math.inf), direction="down"
        ),
        "of_a_plugin": score("of_a_plugin", 0.3, ""),
    },
    shape=(1234, 2, 2),
    factor_names=FACTORS,
    latent_names=LATENTS,
    warnings=("factor 'one' is constant (1) and is left out",),
    confidence=0.9,
)
