"""What a training run is: a model with its arguments, a data set, and settings, from a preset."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from disentangle_metrics import InputError
from reference_models.datasets import family
from reference_models.models import defaults_of, model_class
from reference_models.models.parts.model import Model
from reference_models.presets import PRESETS
from reference_models.training.settings import Settings, check_settings

GENERAL = "sprites"  # the data set that a preset without another's name is made for


@dataclass(frozen=True)
class Plan:
    """A training run, before the data set is opened."""

    model: str
    dataset: str
    preset: str
    arguments: dict[str, Any]
    settings: Settings


def read_preset(model: str, dataset: str, preset: str) -> Plan:
    """The plan of a preset: that of the data set or of its twin, whatever the variant, else the general one.

    Raises InputError if there is no such model or preset.
    """
    model_class(model)
    presets = tomllib.loads((PRESETS / f"{model}.toml").read_text(encoding="utf-8"))
    if preset not in presets:
        name, _, own = preset.partition(".")
        if own in set(presets.get(name, ())) - {"model", "training"}:  # a data set's table in the file
            raise InputError(
                f"unknown preset {preset!r} of {model}; it is --preset {name} with --dataset {own}"
            )
        raise InputError(f"unknown preset {preset!r} of {model}; known: {', '.join(presets)}")
    general = presets[preset]
    special: Mapping[str, Any] = next((general[name] for name in family(dataset) if name in general), {})
    return Plan(
        model=model,
        dataset=dataset,
        preset=preset,
        arguments={**general["model"], **special.get("model", {})},
        settings=Settings(**{**general["training"], **special.get("training", {})}),
    )


def has_preset(plan: Plan) -> bool:
    """Whether the preset of a plan was made for its data set; the general tables were, for sprites."""
    presets = tomllib.loads((PRESETS / f"{plan.model}.toml").read_text(encoding="utf-8"))
    names = family(plan.dataset)
    return GENERAL in names or any(name in presets[plan.preset] for name in names)


def saved_plan(description: Mapping[str, Any]) -> Plan:
    """The plan of the run that wrote a checkpoint. Raises InputError if it does not say all of it."""
    try:
        plan = Plan(
            model=description["architecture"],
            dataset=description["dataset"],
            preset=description["preset"],
            arguments=dict(description["arguments"]),
            settings=Settings(**description["settings"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"the checkpoint does not say how its run was trained ({type(error).__name__}: {error})"
        ) from error
    check_settings(plan.settings)
    defaults = defaults_of(plan.model)
    for name, value in plan.arguments.items():
        check_kind(name, value, defaults.get(name, value))
    return plan


def check_kind(name: str, value: Any, default: Any) -> None:
    """Raise InputError unless the value is of the kind of the default."""
    kind = type(default)
    if not (type(value) is kind or (kind is float and type(value) is int)):
        raise InputError(f"{name} is {value!r}; it must be of the kind of {default!r}")


def changed(plan: Plan, arguments: Mapping[str, Any], settings: Mapping[str, Any]) -> Plan:
    """`plan` with these model arguments and settings; entries that are None change nothing.

    Raises InputError if the model has no argument of a name, or one of another kind.
    """
    defaults = defaults_of(plan.model)
    given = {name: value for name, value in arguments.items() if value is not None}
    for name, value in given.items():
        if name not in defaults:
            raise InputError(f"{plan.model} has no setting {name!r}; it has: {', '.join(defaults)}")
        check_kind(name, value, defaults[name])
    new = {name: value for name, value in settings.items() if value is not None}
    return dataclasses.replace(
        plan,
        arguments={**plan.arguments, **given},
        settings=dataclasses.replace(plan.settings, **new),
    )


def stretched(plan: Plan, steps: int, given: Collection[str] = ()) -> Plan:
    """`plan` with `steps` steps in all; whatever is counted in steps keeps its share of them.

    Raises InputError if there are fewer steps than stages, whose starts are not about to be `given`.
    """
    if steps < 1:
        raise InputError(f"steps is {steps}; it must be at least 1")
    ratio = steps / plan.settings.steps

    def scale(value: Any) -> Any:
        return [scale(v) for v in value] if isinstance(value, list) else round(value * ratio)

    arguments = {k: scale(v) if k.endswith("_steps") else v for k, v in plan.arguments.items()}
    stages = {k: v for k, v in arguments.items() if k.endswith("_steps") and isinstance(v, list)}
    for name, starts in stages.items():
        if name not in given and len(set(starts)) < len(starts):
            raise InputError(
                f"steps is {steps}, too few for {plan.model}, whose {name} would be "
                f"{', '.join(map(str, starts))}; give more steps, or {name} of your own"
            )
    settings = dataclasses.replace(plan.settings, steps=steps, warmup_steps=scale(plan.settings.warmup_steps))
    return dataclasses.replace(plan, arguments=arguments, settings=settings)


def fitted(plan: Plan, image_shape: tuple[int, int, int]) -> Plan:
    """`plan` with the model made for images (height, width, channels)."""
    height, width, channels = image_shape
    # Defaults are written out too, so that a checkpoint outlives a change of them.
    arguments = {"image_shape": [channels, height, width], **defaults_of(plan.model), **plan.arguments}
    return dataclasses.replace(plan, arguments=arguments)


def build(plan: Plan) -> Model:
    """The freshly initialised model of `plan`.

    Its first weights are a pure function of the seed. Raises InputError if an argument is unusable.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.settings.seed)
        return model_class(plan.model)(**plan.arguments)
