"""How long a comparison would take: some steps of each model, timed here, and their arithmetic."""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

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
from reference_models.training.train import UnreachedStageWarning, as_images, train


@dataclass(frozen=True)
class TimedModel:
    """The speed of one model, and how much of a plan is of it.

    Attributes
    ----------
    model : str
    seconds_per_step : float
        Mean over the plan's steps. The first stage is timed, and the last, which stands for all later
        ones. Each counts over the second half of the steps that were trained; the first half is warm-up.
    timed : int
        How many steps of each that is.
    runs, steps : int
        Of the plan: runs of this model, pilots and ablations included, and steps of each.
    operations : int
        Floating-point operations of a step, mean over the plan's; see :func:`operations_of_step`.
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
    """Train each model for `steps` steps of its plan, and, if it has stages, for as many of the last one.

    A student computes its supervision from the second stage on, and takes more than twice as long then.
    """
    keep_freed_memory()
    rates = comparison.table["learning_rates"]
    runs = comparison.pilots() + comparison.runs(dict.fromkeys(comparison.models, rates[0]))
    dataset = open_dataset(comparison.dataset, root, runs[0].side)
    half = steps // 2
    for model in comparison.models:
        of_model = [run for run in runs if run.model == model]
        whole = recipe.fitted(of_model[0].plan, dataset.image_shape)
        seconds = seconds_per_step(recipe.changed(whole, {}, {"device": device}), dataset, half, progress)
        yield TimedModel(
            model,
            seconds_per_step=seconds,
            timed=half,
            runs=len(of_model),
            steps=whole.settings.steps,
            operations=operations_of_step(recipe.build(whole), dataset, whole.settings),
        )


def seconds_per_step(plan: recipe.Plan, dataset: FactorDataset, steps: int, progress: bool) -> float:
    """Mean over a plan's steps, from so many of its first stage and so many of its last."""
    stages = recipe.build(plan).milestones()
    first = seconds_of_last(steps, plan, dataset, 2 * steps, progress)
    if not stages:
        return first
    share = stages[0] / plan.settings.steps  # of the first stage
    before = -(-len(stages) // steps) * steps  # steps until the last stage has begun
    later = seconds_of_last(steps, in_last_stage(plan), dataset, before + 2 * steps, progress)
    return share * first + (1 - share) * later


def in_last_stage(plan: recipe.Plan) -> recipe.Plan:
    """`plan` with a stage for each of the first steps, so that the last stage begins at once."""

    def at_once(value: Any) -> Any:
        return [sorted({0, *value}).index(step) for step in value] if isinstance(value, list) else value

    arguments = {k: at_once(v) if k.endswith("_steps") else v for k, v in plan.arguments.items()}
    return replace(plan, arguments=arguments)


def seconds_of_last(
    steps: int, plan: recipe.Plan, dataset: FactorDataset, in_all: int, progress: bool
) -> float:
    """Seconds of a step over the last `steps` of `in_all`, a multiple of them, that are trained here."""
    plan = recipe.changed(plan, {}, {"steps": in_all, "log_every": steps, "save_every": in_all})
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", UnreachedStageWarning)
        train(
            recipe.build(plan),
            dataset,
            plan.settings,
            Path(folder),
            description={"arguments": plan.arguments, "preset": plan.preset},
            progress=progress,
        )
        lines = (Path(folder) / "log.jsonl").read_text().splitlines()
    before, end = (json.loads(line)["seconds"] for line in lines[-2:])
    return float(end - before) / steps


def operations_of_step(model: Model, dataset: FactorDataset, settings: Settings) -> int:
    """Floating-point operations of a step's convolutions and matrix products, forward and backward.

    Mean over the steps of the plan: a student has no teacher in the first stage. They do not depend on
    the machine: with the operations a second that a device sustains they say how long a plan takes at
    the least.
    """
    starts = [0, *(step for step in model.milestones() if step < settings.steps)]
    of_variant: dict[Hashable, int] = {}
    total = 0
    for start, end in pairwise([*starts, settings.steps]):
        variant = model.variant(start)
        if variant not in of_variant:
            model.enter(start)
            of_variant[variant] = operations_at(start, model, dataset, settings)
        total += (end - start) * of_variant[variant]
    return round(total / settings.steps)


def operations_at(step: int, model: Model, dataset: FactorDataset, settings: Settings) -> int:
    """Floating-point operations of the step of this number, which `model` has entered."""
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
