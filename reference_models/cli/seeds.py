"""What the options of ``dm-train`` come to: the plan of a run, and the runs of several seeds."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from disentangle_metrics import InputError
from reference_models.datasets import open_dataset, short_name
from reference_models.trained.checkpoints import read_description
from reference_models.trained.load import check_fit
from reference_models.training import recipe
from reference_models.training.precision import pick_device
from reference_models.training.train import Job, TrainingInterruptedError, train_each


@dataclass(frozen=True)
class Given:
    """What the command line says of a run; None and missing entries leave the preset's values."""

    model: str
    dataset: str | None
    preset: str | None
    steps: int | None
    arguments: Mapping[str, Any]
    settings: Mapping[str, Any]

    def plan(self, resumed: Path | None, command: str) -> tuple[recipe.Plan, str]:
        """The plan of the run, and the command that it was begun with; `resumed` is the folder it is in.

        Raises InputError if a resumed run is of another model, data set or preset.
        """
        if resumed is None:
            plan = recipe.read_preset(self.model, self.dataset or "sprites", self.preset or "demo")
            if self.steps is not None:
                plan = recipe.stretched(plan, self.steps)
        else:
            saved = read_description(resumed / "last.safetensors")
            command = saved.get("command", command)
            plan = recipe.saved_plan(saved)
            for name, given, before in (
                ("model", self.model, plan.model),
                ("--dataset", self.dataset, plan.dataset),
                ("--preset", self.preset, plan.preset),
            ):
                if given not in (None, before):
                    raise InputError(f"{name} is {given!r}, but the run in {resumed} has {before!r}")
        return recipe.changed(plan, self.arguments, self.settings), command


def seeds_in(text: str) -> list[int]:
    """``"0-2,7"`` -> 0, 1, 2, 7. Raises InputError if it is no such list, or names a seed twice."""
    seeds: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise InputError(f"--seeds is {text!r}; accepted: seeds and ranges, such as 0-4 or 0,3,7-9")
        seeds += range(int(first), int(last if dash else first) + 1)
    if not seeds or len(set(seeds)) < len(seeds):
        raise InputError(f"--seeds is {text!r}; it must name at least one seed, and none twice")
    return seeds


def train_seeds(
    given: Given,
    seeds: list[int],
    out: Path | None,
    root: Path | None,
    command: str,
    resume: bool,
    progress: bool,
    until: float | None,
) -> None:
    """Train a run for each seed, and print where their weights are.

    With `resume`, runs that have a checkpoint go on from it, and the others begin. A run that fails
    does not stop the others.

    Raises
    ------
    InputError
        If one of the runs cannot begin as it is given.
    TrainingInterruptedError
        After Ctrl-C or SIGTERM, or when the time is up; all runs can be resumed.
    Exception
        What the first run raised that failed, after the last run has ended.
    """
    plan, _ = given.plan(None, command)
    folder = out or Path("runs") / f"{given.model}-{short_name(plan.dataset)}-{plan.preset}"
    data = open_dataset(plan.dataset, root)
    jobs: dict[int, Job] = {}
    for seed in seeds:
        own = folder / f"seed-{seed}"
        begun = (own / "last.safetensors").exists()
        if begun and not resume:
            raise InputError(f"{own} already holds a run; add --resume, or choose another folder")
        of_seed = replace(given, settings={**given.settings, "seed": seed})
        plan, begun_with = of_seed.plan(own if begun else None, command)
        plan = recipe.fitted(plan, data.image_shape)
        if begun:
            check_fit(own / "last.safetensors", plan.model, plan.arguments)
        jobs[seed] = Job(
            build=partial(recipe.build, plan),
            dataset=data,
            settings=plan.settings,
            folder=own,
            description={"arguments": plan.arguments, "preset": plan.preset, "command": begun_with},
            resume=begun,
            title=f"{given.model} {seed}",
        )
    on_gpu = pick_device(jobs[seeds[0]].settings.device).type == "cuda"
    failures: list[Exception] = []
    for ended in train_each(jobs, len(jobs) if on_gpu else 1, progress=progress, until=until):
        if ended is None:
            continue
        seed, result = ended
        if isinstance(result, Path):
            print(result, flush=True)
        elif not isinstance(result, TrainingInterruptedError):
            print(f"seed {seed} failed: {result}", file=sys.stderr, flush=True)
            failures.append(result)
    if failures:
        raise failures[0]
