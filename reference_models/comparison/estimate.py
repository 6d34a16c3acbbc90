"""How long a comparison would take on this machine: the first steps of each model, timed."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reference_models import plans
from reference_models.comparison.runs import Comparison
from reference_models.datasets import open_dataset
from reference_models.freed_memory import keep_freed_memory
from reference_models.training import train


@dataclass(frozen=True)
class TimedModel:
    """The speed of one model, and how much of a plan is of it.

    Attributes
    ----------
    model : str
    seconds_per_step : float
        Over the second half of the steps that were trained; the first half is warm-up.
    timed : int
        How many steps that is.
    runs, steps : int
        Of the plan: runs of this model, pilots and ablations included, and steps of each.
    """

    model: str
    seconds_per_step: float
    timed: int
    runs: int
    steps: int


def time_models(
    comparison: Comparison,
    *,
    steps: int = 200,
    device: str = "auto",
    root: Path | None = None,
    progress: bool = False,
) -> Iterator[TimedModel]:
    """Train each model for `steps` steps of its plan, unchanged but for their number.

    The models are timed in their first stage. Those that wake layers later get a little slower or
    faster then, so that the hours are an estimate.
    """
    keep_freed_memory()
    rates = comparison.table["learning_rates"]
    runs = comparison.pilots() + comparison.runs(dict.fromkeys(comparison.models, rates[0]))
    dataset = open_dataset(comparison.dataset, root, runs[0].side)
    half = steps // 2
    for model in comparison.models:
        of_model = [run for run in runs if run.model == model]
        changes = {"steps": 2 * half, "log_every": half, "save_every": 2 * half, "device": device}
        plan = plans.fitted(plans.changed(of_model[0].plan, {}, changes), dataset.image_shape)
        with tempfile.TemporaryDirectory() as folder:
            train(
                plans.build(plan),
                dataset,
                plan.settings,
                Path(folder),
                description={"arguments": plan.arguments, "preset": plan.preset},
                progress=progress,
            )
            lines = (Path(folder) / "log.jsonl").read_text().splitlines()
        first, last = (json.loads(line)["seconds"] for line in lines)
        yield TimedModel(model, (last - first) / half, half, len(of_model), of_model[0].settings["steps"])
