"""Which runs a plan has."""

from __future__ import annotations

import copy
import tomllib

import pytest

from disentangle_metrics import InputError
from reference_models.cli.reproduce import betas_in
from reference_models.comparison.plans import PLANS
from reference_models.comparison.runs import Comparison, read_comparison
from reference_models.datasets import SAME_GRID
from reference_models.training import recipe

TABLE = {
    "steps": 10,
    "batch_size": 4,
    "warmup_steps": 2,
    "learning_rates": [1e-4, 1e-3],
    "pilot_beta": 4.0,
    "pilot_seed": 100,
    "betas": [1.0, 4.0],
    "seeds": [0, 1],
    "ablation_beta": 4.0,
    "samples": 50,
    "information_images": 60,
    "factors": ["scale", "posX"],
    "models": {"vlae": {}, "pro-vlae": {"wake_steps": [0, 3, 6], "fade_in_steps": 2}},
    "ablation": {"no fade-in": {"fade_in_steps": 0}},
}


def test_every_model_meets_every_beta_and_seed_and_the_ablation_every_seed():
    runs = Comparison("test", "sprites", TABLE).runs({"vlae": 1e-4, "pro-vlae": 1e-3})
    found = [(run.purpose, run.model, run.beta, run.seed) for run in runs]
    expected = [
        ("comparison", model, beta, seed)
        for seed in (0, 1)
        for beta in (1.0, 4.0)
        for model in ("vlae", "pro-vlae")
    ]
    assert [run for run in found if run[0] == "comparison"] == expected
    assert [run for run in found if run[0] == "ablation"] == [
        ("ablation", "pro-vlae", 4.0, s) for s in (0, 1)
    ]
    assert {run.settings["learning_rate"] for run in runs if run.model == "pro-vlae"} == {1e-3}
    assert [run.arguments["fade_in_steps"] for run in runs if run.variant] == [0, 0]


def test_keys_differ_where_results_would_and_only_there():
    changed = copy.deepcopy(TABLE)
    changed["models"]["pro-vlae"]["fade_in_steps"] = 1
    rates = {"vlae": 1e-4, "pro-vlae": 1e-3}
    before = [run.key for run in Comparison("test", "sprites", TABLE).runs(rates)]
    after = [run.key for run in Comparison("other", "sprites", changed).runs(rates)]
    assert len(set(before)) == len(before)
    same = [a == b for a, b in zip(before, after, strict=True)]
    affected = [
        run.model == "pro-vlae" and not run.variant
        for run in Comparison("test", "sprites", TABLE).runs(rates)
    ]
    assert same == [not one for one in affected]


def test_the_size_of_the_images_is_in_the_key_where_it_is_not_the_data_sets_own():
    rates = {"vlae": 1e-4, "pro-vlae": 1e-3}
    own, small = (
        Comparison("test", "sprites", {**TABLE, **size}).runs(rates)[0] for size in ({}, {"side": 32})
    )
    assert own.key != small.key
    assert "side" not in own.facts()
    assert small.facts()["side"] == 32


def test_the_pilot_with_the_smallest_objective_chooses_the_learning_rate():
    comparison = Comparison("test", "sprites", TABLE)
    objectives = {("vlae", 1e-4): 90.0, ("vlae", 1e-3): 80.0, ("pro-vlae", 1e-4): 70.0}
    rows = []
    for run in comparison.pilots():
        objective = objectives.get((run.model, run.settings["learning_rate"]))
        rows.append(
            {"key": run.key, **({"error": "diverged"} if objective is None else {"objective": objective})}
        )
    assert comparison.learning_rates(rows) == {"vlae": 1e-3, "pro-vlae": 1e-4}
    with pytest.raises(InputError, match="no pilot run of vlae on sprites has finished"):
        comparison.learning_rates([row for row in rows if "-vlae-" not in row["key"].replace("pro-vlae", "")])


def test_one_learning_rate_needs_no_pilot():
    comparison = Comparison("test", "sprites", {**TABLE, "learning_rates": [5e-4]})
    assert comparison.pilots() == []
    assert comparison.learning_rates([]) == {"vlae": 5e-4, "pro-vlae": 5e-4}


def planned() -> list[tuple[str, str]]:
    """Every plan with each data set it has runs on, by name or as a twin."""
    tables = {
        path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(PLANS.glob("*.toml"))
    }
    datasets = ["sprites", "rooms", "dsprites", "shapes3d"]
    return [(plan, name) for plan in tables for name in datasets if SAME_GRID.get(name, name) in tables[plan]]


@pytest.mark.parametrize(("plan", "dataset"), planned())
def test_the_models_of_every_plan_can_be_built_and_are_of_one_size(plan, dataset):
    comparison = read_comparison(plan, dataset)
    side = comparison.table.get("side", 64)
    shape = (side, side, 3 if dataset in ("rooms", "shapes3d") else 1)
    sizes = set()
    runs = comparison.pilots() + comparison.runs(dict.fromkeys(comparison.models, 1e-3))
    for run in {(run.model, run.variant): run for run in runs}.values():
        fitted = recipe.fitted(run.plan, shape)
        recipe.build(fitted)
        arguments = fitted.arguments
        sizes.add(
            arguments.get("latents", arguments.get("latents_per_layer", 0) * arguments.get("layers", 0))
        )
        starts = arguments.get("wake_steps", [0]) + arguments.get("grow_steps", [])
        assert max(starts) < run.settings["steps"], "a stage never begins"
    assert len(sizes) == 1


def test_an_unknown_plan_or_data_set_is_named_with_the_known_ones():
    with pytest.raises(InputError, match=r"unknown plan 'huge'; known: gpu, long, mini, paper, small"):
        read_comparison("huge", "sprites")
    with pytest.raises(InputError, match=r"unknown plan 'Smal'; did you mean 'small'\? known: gpu"):
        read_comparison("Smal", "sprites")
    there = "sprites, rooms, switches, dsprites, shapes3d"
    with pytest.raises(InputError, match=f"no runs on 'mnist5k'; it has: {there}"):
        read_comparison("mini", "mnist5k")


RATES = {"vlae": 1e-4, "pro-vlae": 1e-3}


def test_a_part_of_a_plan_has_the_runs_of_the_whole_by_the_same_keys():
    whole = Comparison("test", "sprites", TABLE)
    keys = {run.key for run in whole.runs(RATES)}
    part = whole.part(betas=[4.0], seeds=[1])
    runs = part.runs(RATES)
    assert {(run.beta, run.seed) for run in runs} == {(4.0, 1)}
    assert {run.purpose for run in runs} == {"comparison", "ablation"}
    assert {run.key for run in runs} < keys
    assert {run.purpose for run in whole.part(betas=[1.0]).runs(RATES)} == {"comparison"}
    assert {run.purpose for run in whole.part(ablation=False).runs(RATES)} == {"comparison"}
    assert {run.key for run in whole.part().runs(RATES)} == keys


@pytest.mark.parametrize(
    ("asked", "message"),
    [({"betas": [2.0, 1.0]}, "no betas 2; it has 1, 4"), ({"seeds": [7]}, "no seeds 7; it has 0, 1")],
)
def test_a_part_that_the_plan_does_not_have(asked, message):
    with pytest.raises(InputError, match=message):
        Comparison("test", "sprites", TABLE).part(**asked)


def test_a_plan_may_set_the_precision_and_names_it_in_its_runs():
    plain = Comparison("test", "sprites", TABLE).runs(RATES)[0]
    half = Comparison("test", "sprites", {**TABLE, "precision": "bfloat16"}).runs(RATES)[0]
    assert "precision" not in plain.settings  # so that keys of earlier runs stay
    assert half.plan.settings.precision == "bfloat16"
    assert half.key != plain.key


def test_plan_gpu_is_in_bfloat16_as_the_documentation_says():
    for dataset in ("sprites", "rooms"):
        comparison = read_comparison("gpu", dataset)
        runs = comparison.runs(dict.fromkeys(comparison.models, 1e-3))
        assert {run.plan.settings.precision for run in runs} == {"bfloat16"}


def test_betas_on_the_command_line():
    assert betas_in("1,4.5") == [1.0, 4.5]
    with pytest.raises(InputError, match="--betas is 'a'"):
        betas_in("a")
