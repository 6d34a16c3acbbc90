"""Scores of the encoder while it is being trained."""

from __future__ import annotations

import time
from typing import Any

import disentangle_metrics as dm
from disentangle_metrics import InputError
from reference_models.models.parts.model import ImageDataset, Model
from reference_models.training.log import TrainingLog

ROWS = 5_000

# Those of the default protocol's suite that need neither a predictor nor votes: about a second
# together, where the rest takes a minute.
METRICS = (
    "mig",
    "mig_sup",
    "jemmig",
    "dcimig",
    "modularity",
    "irs",
    "mcc",
    "total_correlation",
    "wasserstein_correlation",
    "mean_pairwise_mi",
    "active_units",
)


def check_factors(dataset: ImageDataset) -> None:
    """Raise InputError unless a data set has factors to score against."""
    if not all(getattr(dataset, name, ()) for name in ("factors", "factor_names", "factor_types")):
        raise InputError(f"score_every needs a data set with known factors; {dataset.name} has none")


def write_scores(log: TrainingLog, step: int, model: Model, dataset: Any) -> None:
    """Score `model` after `step` and append the scores, and the seconds they took, to `log`.

    The rows are always the same, and no random number is drawn that training would miss.
    """
    began = time.monotonic()
    options: dict[str, Any] = {"samples": ROWS, "metrics": METRICS, "anchors": False, "missing": "drop"}
    report = dm.evaluate(model, dataset, outputs=model.outputs, **options)
    scores = {name: score.value for name, score in report.items()}
    log.write({"step": step, **scores, "seconds": round(time.monotonic() - began, 2)})
