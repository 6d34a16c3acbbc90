"""What the options of ``dm-train`` come to: the plan of a run, and the runs of several seeds."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from disentangle_metrics import InputError
from reference_models.datasets import open_dataset, short_name
from reference_models.models import model_class
from reference_models.models.parts.model import ImageDataset
from reference_models.trained.checkpoints import read_description
from reference_models.trained.load import check_fit
from reference_models.training import recipe
from reference_models.training.precision import pick_device
from reference_models.training.resuming import check_no_run, check_same_run
from reference_models.training.settings import DECISIVE
from reference_models.training.train import Job, TrainingInterruptedError, check, train_each

LAST = "last.safetensors"


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
                plan = recipe.stretched(plan, self.steps, self.arguments)
        else:
            saved = read_description(resumed / LAST)
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

    def check_batch(self, data: ImageDataset) -> None:
        """Raise InputError if a batch is asked for that has more images than there are.

        That of a preset may, where there are few: images are drawn with replacement.
        """
        asked = self.settings["batch_size"]
        if asked is not None and asked > len(data):
            raise InputError(
                f"batch_size is {asked}; it must be at most {len(data)}, the number of images of {data.name}"
            )


def seeds_in(text: str) -> list[int]:
    """``"0-2,7"`` -> 0, 1, 2, 7. Raises InputError if it is no such list, or names a seed twice."""
    seeds: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise InputError(f"--seeds is {text!r}; accepted: seeds and ranges, such as 0-4 or 0,3,7-9")
        if dash and int(last) < int(first):
            raise InputError(f"--seeds is {text!r}; the range {part.strip()} ends before it begins")
        seeds += range(int(first), int(last if dash else first) + 1)
    if len(set(seeds)) < len(seeds):
        raise InputError(f"--seeds is {text!r}; it must name no seed twice")
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

    With `resume`, runs that have a checkpoint go on from it, and the others begin as those were begun. A
    run that fails does not stop the others.

    Raises
    ------
    InputError
        If one of the runs cannot begin as it is given, or they would differ in more than their seed.
    TrainingInterruptedError
        After Ctrl-C or SIGTERM, or when the time is up; all runs can be resumed.
    Exception
        What the first run raised that failed, after the last run has ended.
    """
    plan, _ = given.plan(None, command)
    folder = out or Path("runs") / f"{given.model}-{short_name(plan.dataset)}-{plan.preset}"
    begun = []
    if resume:
        begun = [own for seed in seeds if ((own := folder / f"seed-{seed}") / LAST).exists()]
        begun += sorted(last.parent for last in folder.glob(f"seed-*/{LAST}"))
    first, begun_with = given.plan(begun[0] if begun else None, command)
    data = open_dataset(first.dataset, root)
    if not begun:
        given.check_batch(data)
    first = recipe.fitted(first, data.image_shape)
    jobs: dict[int, Job] = {}
    for seed in seeds:
        own = folder / f"seed-{seed}"
        plan, own_command = replace(first, settings=replace(first.settings, seed=seed)), begun_with
        if own in begun:
            of_seed = replace(given, settings={**given.settings, "seed": seed})
            plan, own_command = of_seed.plan(own, command)
            plan = recipe.fitted(plan, data.image_shape)
            check_same_run(own / LAST, facts(plan, data.name))
            check_fit(own / LAST, plan.model, plan.arguments)
        else:
            check_no_run(own, facts(plan, data.name))
        check_alike(plan, first, f"{own} and {begun[0] if begun else own}")
        check_beginning(plan, data, resumed=own in begun)
        jobs[seed] = Job(
            build=partial(recipe.build, plan),
            dataset=data,
            settings=plan.settings,
            folder=own,
            description={"arguments": plan.arguments, "preset": plan.preset, "command": own_command},
            resume=own in begun,
            title=f"{given.model} {seed}",
        )
    say(notes_of(first, data, begun=bool(begun)), shown=progress)
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


def facts(plan: recipe.Plan, dataset: str) -> dict[str, Any]:
    """What a checkpoint says of the run of a plan, as far as it decides what comes out."""
    return {
        "architecture": plan.model,
        "dataset": dataset,
        "arguments": plan.arguments,
        "settings": asdict(plan.settings),
    }


def check_alike(plan: recipe.Plan, other: recipe.Plan, which: str) -> None:
    """Raise InputError if two plans would give other weights with the same seed."""
    one, two = (
        {**of.arguments, **{name: getattr(of.settings, name) for name in DECISIVE if name != "seed"}}
        for of in (plan, other)
    )
    if changed := [f"{k} {v!r} and {two.get(k)!r}" for k, v in one.items() if v != two.get(k)]:
        raise InputError(
            f"{which} are runs of several settings ({'; '.join(changed)}); go on with each alone, or choose "
            "another folder"
        )


def check_beginning(plan: recipe.Plan, data: ImageDataset, *, resumed: bool) -> None:
    """Raise InputError if the run of a plan cannot begin here, or if a new one ends before its schedule.

    Of a run that is resumed the latter is only said: it can be resumed with more steps again.
    """
    model = recipe.build(plan)
    check(model, data, plan.settings)
    late = model.unreached(plan.settings.steps)
    if late and not resumed:
        raise InputError(late)
    if late:
        print(f"dm-train: {late.partition(', or ')[0]}", file=sys.stderr)  # it goes on as it was begun


def notes_of(plan: recipe.Plan, data: Any, *, begun: bool) -> list[str]:
    """What to know of a run before it begins: of its data set, and what its preset and batches are not."""
    notes = list(getattr(data, "notes", ()))
    whole = plan.settings.accumulate * plan.settings.batch_size
    parts = plan.settings.accumulate * plan.settings.devices
    if parts > 1 and model_class(plan.model).compares_images:
        notes.append(
            f"{plan.model} compares the images of a batch, here within each of {parts} parts of "
            f"{whole // parts}: that is another objective than one batch of {whole} has"
        )
    if not begun and not recipe.has_preset(plan):
        name = short_name(plan.dataset)
        notes.append(
            f"{plan.model} has no preset {plan.preset} for {name}: it takes that of {recipe.GENERAL}"
        )
    return notes


def say(notes: list[str], *, shown: bool) -> None:
    """Print lines on stderr."""
    for note in notes if shown else ():
        print(f"dm-train: {note}", file=sys.stderr)
