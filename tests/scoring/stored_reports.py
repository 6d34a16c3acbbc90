"""Reports that released versions wrote, kept to be read by every later version.

``python -m tests.scoring.stored_reports`` writes the report of today's version, once for each release.
``0.1.0-definition-1.json`` is an early state of 0.1.0: its scores have no `corrected`, and it has no checks.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import disentangle_metrics as dm

FOLDER = Path(__file__).parents[1] / "data" / "reports"
ARRAYS = FOLDER / "arrays.json"
METRICS = [
    *("mig", "mig_sup", "jemmig", "dcimig", "modularity", "explicitness", "factor_vae", "irs", "dci", "mcc"),
    *("total_correlation", "wasserstein_correlation", "mean_pairwise_mi", "informativeness", "dmig", "omes"),
]


def arrays() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The latents (120, 3) and factors (120, 2) that the reports are of; text, so that nothing draws them anew."""
    stored = json.loads(ARRAYS.read_text(encoding="utf-8"))
    return pd.DataFrame(stored["latents"]), pd.DataFrame(stored["factors"])


def report() -> dm.Report:
    """The report of today's version, with an interval, a metric without a value, and infinite ranges."""
    latents, factors = arrays()
    found: Any = dm.score(latents, factors, metrics=METRICS, confidence=0.9, replicates=20)
    assert isinstance(found, dm.Report)
    return found


def make_arrays() -> None:
    """Write the arrays; done once."""
    rng = np.random.default_rng(0)
    shape, size = rng.integers(3, size=120), rng.integers(4, size=120)
    latents = np.column_stack([shape, size, shape + size]) + 0.3 * rng.normal(size=(120, 3))
    stored = {
        "latents": {f"z_{j}": latents[:, j].round(3).tolist() for j in range(3)},
        "factors": {"shape": [("oval", "square", "heart")[s] for s in shape], "size": size.tolist()},
    }
    ARRAYS.write_text(json.dumps(stored) + "\n", encoding="utf-8")


if __name__ == "__main__":
    path = FOLDER / f"{dm.__version__}.json"
    if path.exists():
        sys.exit(f"{path} exists: what a version wrote does not change")
    report().to_json(path)
    print(path)
