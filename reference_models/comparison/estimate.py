"""How long a comparison would take: the first steps of each model, timed here, and their arithmetic."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from disentangle_metrics import FactorDataset
from reference_models.comparison.runs import Comparison
from reference_models.datasets import open_dataset
from reference_models.models.parts.model import Model
from reference_models.training import recipe
from reference_models.training.batches import batch_at
from reference_models.training.freed_memory import keep_freed_memory
from reference_models.training.settings import Settings
from reference_models.training.train import as_images, train


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
    operations : int
        Floating-point operations of one step; see :func:`operations_of_step`.
    """

    model: str
    seconds_per_step: float
    timed: int
    runs: int
    steps: int
    operations: int


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
        whole = recipe.fitted(of_model[0].plan, dataset.image_shape)
        changes = {"steps": 2 * half, "log_every": half, "save_every": 2 * half, "device": device}
        plan = recipe.changed(whole, {}, changes)
        with tempfile.TemporaryDirectory() as folder:
            train(
                recipe.build(plan),
                dataset,
                plan.settings,
                Path(folder),
                description={"arguments": plan.arguments, "preset": plan.preset},
                progress=progress,
            )
            lines = (Path(folder) / "log.jsonl").read_text().splitlines()
        first, last = (json.loads(line)["seconds"] for line in lines)
        yield TimedModel(
            model,
            seconds_per_step=(last - first) / half,
            timed=half,
            runs=len(of_model),
            steps=whole.settings.steps,
            operations=operations_of_step(recipe.build(whole), dataset, whole.settings),
        )


def operations_of_step(model: Model, dataset: FactorDataset, settings: Settings) -> int:
    """Floating-point operations of a step's convolutions and matrix products, forward and backward.

    Counted at the last step, in which all latents take part. They do not depend on the machine: with
    the operations a second that a device sustains they say how long a plan takes at the least.
    """
    step = settings.steps - 1
    model.enter(step)
    operations = 0
    for pixels, draws in batch_at(step, model, dataset, settings).parts:
        images = as_images(pixels, torch.device("cpu"), torch.contiguous_format)
        with FlopCounterMode(display=False) as counter:
            terms = model.objective(
                images, **{name: torch.from_numpy(value) for name, value in draws.items()}
            )
            terms["loss"].backward()  # type: ignore[no-untyped-call]
        operations += counter.get_total_flops()
    return operations
