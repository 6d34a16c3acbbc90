from __future__ import annotations

import inspect
import re
import tomllib
from dataclasses import fields

import pytest
import torch

from disentangle_metrics import InputError
from reference_models.models import MODELS
from reference_models.presets import PRESETS
from reference_models.training import recipe
from reference_models.training.settings import Settings, check_settings


@pytest.mark.parametrize("preset", ["smoke", "demo", "paper"])
@pytest.mark.parametrize("model", list(MODELS))
@pytest.mark.parametrize("dataset", ["sprites", "shapes3d"])
def test_every_preset_can_be_built(model: str, preset: str, dataset: str) -> None:
    plan = recipe.fitted(recipe.read_preset(model, dataset, preset), (64, 64, 3))
    check_settings(plan.settings)
    with torch.device("meta"):
        built = recipe.build(plan)
    assert built.name == model
    assert all(step < plan.settings.steps for step in built.milestones())
    assert plan.settings.save_every % plan.settings.log_every == 0
    assert plan.arguments.keys() == inspect.signature(type(built)).parameters.keys()  # with defaults


@pytest.mark.parametrize("model", list(MODELS))
def test_presets_give_a_reason_beside_the_numbers(model: str) -> None:
    text = (PRESETS / f"{model}.toml").read_text()
    assert set(tomllib.loads(text)) == {"smoke", "demo", "paper"}
    for line in text.splitlines():
        assert "  # " in line or not re.match(r"\w+ = .*\d", line), line


def test_the_papers_schedule() -> None:
    plan = recipe.read_preset("pro-vlae", "sprites", "paper")
    epoch = 737_280 // 128
    assert plan.arguments["wake_steps"] == [0, 30 * epoch, 60 * epoch]
    assert plan.settings.steps == 90 * epoch
    assert plan.settings.learning_rate == 5e-4
    shapes = recipe.read_preset("pro-vlae", "shapes3d", "paper")
    assert (shapes.arguments["beta"], shapes.settings.batch_size) == (8.0, 100)
    assert shapes.arguments["gamma"] == 0.5  # what a data set does not change stays


def test_variants_and_twins_have_the_preset_of_their_family() -> None:
    """At 1e-3, the rate for sprites, rooms diverged."""
    for name in ("rooms", "rooms|colour:seed=1", "shapes3d", "shapes3d|noisy:level=1|colour"):
        plan = recipe.read_preset("pro-vlae", name, "demo")
        found = plan.settings.learning_rate, plan.settings.steps, plan.arguments["beta"], plan.dataset
        assert found == (5e-4, 12_000, 8.0, name)
        assert recipe.has_preset(plan)
        paper = recipe.read_preset("vlae", name, "paper")
        assert (paper.settings.batch_size, paper.arguments["latents_per_layer"]) == (100, 3)
    for name in ("sprites", "dsprites", "sprites|colour"):
        plan = recipe.read_preset("pro-vlae", name, "demo")
        assert (plan.settings.learning_rate, recipe.has_preset(plan)) == (1e-3, True)
    for name in ("switches", "mine/rooms.npz"):
        plan = recipe.read_preset("pro-vlae", name, "demo")
        assert (plan.settings.learning_rate, recipe.has_preset(plan)) == (1e-3, False)


def test_stretching_keeps_proportions() -> None:
    plan = recipe.stretched(recipe.read_preset("pro-vlae", "sprites", "demo"), 33_000)
    assert plan.settings.steps == 33_000
    assert plan.settings.warmup_steps == 600
    assert plan.arguments["wake_steps"] == [0, 11_000, 22_000]
    assert plan.arguments["fade_in_steps"] == 3_300
    assert plan.arguments["beta"] == 4.0
    with pytest.raises(InputError, match="steps is 0"):
        recipe.stretched(plan, 0)
    with pytest.raises(
        InputError, match="steps is 2, too few for pro-vlae, whose wake_steps would be 0, 1, 1;"
    ):
        recipe.stretched(plan, 2)
    assert recipe.stretched(plan, 2, ["wake_steps"]).settings.steps == 2


def test_changes() -> None:
    plan = recipe.read_preset("vlae", "sprites", "demo")
    new = recipe.changed(plan, {"beta": 2.0, "layers": None}, {"seed": 3, "device": None})
    assert (new.arguments["beta"], new.settings.seed, new.settings.device) == (2.0, 3, "auto")
    with pytest.raises(InputError, match=r"vlae has no setting 'gamma'; it has: .*beta"):
        recipe.changed(plan, {"gamma": 1}, {})


def test_unknown_names() -> None:
    with pytest.raises(InputError, match="unknown model 'vae'; known: pro-vlae"):
        recipe.read_preset("vae", "sprites", "demo")
    with pytest.raises(InputError, match="unknown preset 'tiny' of vlae; known: smoke, demo, paper"):
        recipe.read_preset("vlae", "sprites", "tiny")
    with pytest.raises(
        InputError, match="'demo.rooms' of pro-vlae; it is --preset demo with --dataset rooms"
    ):
        recipe.read_preset("pro-vlae", "sprites", "demo.rooms")
    for odd in ("demo.circles", "demo.", "demo.model", "tiny.rooms", "."):
        with pytest.raises(InputError, match="known: smoke, demo, paper"):
            recipe.read_preset("pro-vlae", "sprites", odd)


def test_first_weights_are_a_function_of_the_seed() -> None:
    plan = recipe.fitted(recipe.read_preset("vlae", "sprites", "smoke"), (32, 32, 1))
    state = torch.get_rng_state()
    one, two = recipe.build(plan), recipe.build(plan)
    assert torch.equal(torch.get_rng_state(), state)  # the caller's randomness is left alone
    other = recipe.build(recipe.changed(plan, {}, {"seed": 1}))
    weights = [m.network.output.weight for m in (one, two, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_saved_plan_is_the_plan() -> None:
    from dataclasses import asdict

    plan = recipe.fitted(recipe.read_preset("vlae", "sprites", "smoke"), (32, 32, 1))
    description = {
        "architecture": plan.model,
        "dataset": plan.dataset,
        "preset": plan.preset,
        "arguments": plan.arguments,
        "settings": asdict(plan.settings),
    }
    assert recipe.saved_plan(description) == plan
    assert {f.name for f in fields(Settings)} == description["settings"].keys()
