"""Training on one NVIDIA GPU: a captured step is the step, and the data lie where they fit."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from disentangle_metrics import FactorDataset
from reference_models.models import MODELS
from reference_models.models.vlae import VLAE
from reference_models.trained import checkpoints
from reference_models.training import recipe
from reference_models.training.settings import Settings
from reference_models.training.train import (
    Job,
    NonFiniteLossError,
    TimeIsUpError,
    train,
    train_each,
)
from tests.reference_models.conftest import Squares
from tests.reference_models.training.test_side_by_side import Slow
from tests.reference_models.training.test_train import rows

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]

SQUARES = FactorDataset("squares", Squares.grid, (32, 32, 1), Squares().images)
SETTINGS = Settings(
    steps=24,
    batch_size=8,
    learning_rate=1e-3,
    warmup_steps=6,
    device="cuda",
    log_every=4,
    save_every=10,
    deterministic=True,
)


def plan_of(name: str, **changes: Any) -> recipe.Plan:
    """A short schedule in which every stage of the model comes: layers wake, students grow."""
    plan = recipe.stretched(recipe.read_preset(name, "squares", "smoke"), SETTINGS.steps)
    arguments = recipe.fitted(plan, SQUARES.image_shape).arguments
    return replace(plan, arguments=arguments, settings=replace(SETTINGS, **changes))


def trained(
    folder: Path, name: str = "pro-vlae", dataset: Any = None, resume: bool = False, **changes: Any
) -> Path:
    plan = plan_of(name, **changes)
    train(
        recipe.build(plan),
        dataset or SQUARES,
        plan.settings,
        folder,
        description={"arguments": plan.arguments, "preset": "test"},
        resume=resume,
        progress=False,
    )
    return folder


def same(a: Path, b: Path) -> bool:
    one, two = (checkpoints.read_tensors(folder / "model.safetensors", "") for folder in (a, b))
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def notes(folder: Path) -> str:
    return (folder / "log.txt").read_text()


@pytest.mark.parametrize("name", list(MODELS))
def test_replayed_steps_are_the_steps_to_the_last_bit(name: str, tmp_path: Path) -> None:
    replayed = trained(tmp_path / "replayed", name)
    eager = trained(tmp_path / "eager", name, capture=False)
    assert "each as a replay of one CUDA graph; the data set lies in the GPU's memory" in notes(replayed)
    assert "no graph could be made" not in notes(replayed)
    assert "eagerly: capture is switched off" in notes(eager)
    assert rows(replayed) == rows(eager)
    assert same(replayed, eager)
    assert len({row["loss"] for row in rows(replayed)}) == len(rows(replayed))


@pytest.mark.parametrize("name", ["pro-vlae", "teacher-student", "factor-vae"])
@pytest.mark.parametrize("at", [7, 10, 17])
def test_resumed_is_the_same_to_the_last_bit(name: str, at: int, tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole", name)
    parts = trained(tmp_path / "parts", name, steps=at)
    torch.rand(3, device="cuda")
    trained(parts, name, resume=True)
    assert same(parts, whole)
    assert "random.batches" in checkpoints.read_tensors(parts / "last.safetensors", "")


def test_images_that_do_not_fit_are_streamed_to_the_same_bits(tmp_path: Path) -> None:
    resident = trained(tmp_path / "resident")
    streamed = trained(tmp_path / "streamed", data_share=0.0)
    assert "read on the host and copied batch by batch" in notes(streamed)
    assert same(streamed, resident)
    without_packing = trained(tmp_path / "plain", dataset=Squares())
    assert same(without_packing, resident)
    accumulated = trained(tmp_path / "accumulated", batch_size=4, accumulate=2, data_share=0.0)
    assert rows(accumulated)[0]["loss"] == pytest.approx(rows(resident)[0]["loss"], rel=1e-3)


@pytest.mark.parametrize("at_once", [4, 16])
def test_a_run_among_many_is_the_run_alone(at_once: int, tmp_path: Path) -> None:
    jobs = {}
    for seed in range(at_once):
        plan = plan_of("pro-vlae" if seed % 2 else "beta-vae", seed=seed)
        jobs[seed] = Job(
            lambda plan=plan: recipe.build(plan),  # type: ignore[misc]
            SQUARES,
            plan.settings,
            tmp_path / f"{seed}",
            {"arguments": plan.arguments, "preset": "test"},
        )
    found = dict(filter(None, train_each(jobs, at_once, progress=False)))
    assert found == {seed: tmp_path / f"{seed}" / "model.safetensors" for seed in range(at_once)}
    for seed in (0, at_once - 1):
        name = "pro-vlae" if seed % 2 else "beta-vae"
        assert same(tmp_path / f"{seed}", trained(tmp_path / f"alone-{seed}", name, seed=seed))


def test_a_run_that_diverges_does_not_stop_the_others(tmp_path: Path) -> None:
    plans = {"good": plan_of("vlae"), "bad": plan_of("vlae", learning_rate=1e30, warmup_steps=0)}
    jobs = {
        name: Job(
            lambda plan=plan: recipe.build(plan),  # type: ignore[misc]
            SQUARES,
            plan.settings,
            tmp_path / name,
            {"arguments": plan.arguments, "preset": "test"},
        )
        for name, plan in plans.items()
    }
    found = dict(filter(None, train_each(jobs, 2, progress=False)))
    assert isinstance(found["bad"], NonFiniteLossError)
    assert found["good"] == tmp_path / "good" / "model.safetensors"


def test_bfloat16_is_captured_and_differs_a_little(tmp_path: Path) -> None:
    full = trained(tmp_path / "full", "vlae")
    half = trained(tmp_path / "half", "vlae", precision="bfloat16")
    eager = trained(tmp_path / "eager", "vlae", precision="bfloat16", capture=False)
    assert "replay of one CUDA graph" in notes(half)
    assert same(half, eager)
    assert rows(half)[0]["loss"] != rows(full)[0]["loss"]
    assert rows(half)[0]["loss"] == pytest.approx(rows(full)[0]["loss"], rel=0.02)


def test_float16_trains_eagerly_and_says_why(tmp_path: Path) -> None:
    half = trained(tmp_path / "half", "vlae", precision="float16")
    assert "eagerly: float16 scales its losses" in notes(half)


def test_the_compiled_objective_is_captured(tmp_path: Path) -> None:
    compiled = trained(tmp_path / "compiled", "vlae", compile=True, deterministic=False)
    assert "no graph could be made" not in notes(compiled)
    plain = trained(tmp_path / "plain", "vlae")
    assert rows(compiled)[-1]["loss"] == pytest.approx(rows(plain)[-1]["loss"], rel=0.02)


class Asking(VLAE):
    """Waits for the device in its objective, which no graph can hold."""

    def objective(self, images: Any, noise: Any) -> Any:  # type: ignore[override]
        terms = super().objective(images, noise)
        return {**terms, "loss": terms["loss"] + 0 * terms["kl_1"].item()}


class OnHost(VLAE):
    """Draws its rows on the host alone."""

    def rows(self, dataset: Any, batch_size: int, rng: Any) -> Any:
        return rng.integers(len(dataset), size=batch_size)


@pytest.mark.parametrize(
    ("model", "reason"), [(Asking, "no graph could be made"), (OnHost, "vlae draws on the host")]
)
def test_a_model_that_cannot_be_captured_trains_eagerly_and_says_why(
    model: type[VLAE], reason: str, tmp_path: Path
) -> None:
    for folder, resume in (("run", False), ("again", False)):
        torch.manual_seed(0)
        train(
            model((1, 32, 32)),
            SQUARES,
            SETTINGS,
            tmp_path / folder,
            description={"arguments": {}},
            resume=resume,
            progress=False,
        )
    assert reason in notes(tmp_path / "run")
    assert same(tmp_path / "run", tmp_path / "again")
    assert rows(tmp_path / "run")[-1]["loss"] < rows(tmp_path / "run")[0]["loss"]


def test_scores_on_the_way_leave_training_alone(tmp_path: Path) -> None:
    plain = trained(tmp_path / "plain")
    assert same(trained(tmp_path / "scored", score_every=10), plain)


def test_time_that_is_up_can_be_resumed(tmp_path: Path) -> None:
    plan = plan_of("pro-vlae", data_share=0.0, steps=2_000)
    given = {"description": {"arguments": plan.arguments, "preset": "test"}, "progress": False}
    with pytest.raises(TimeIsUpError):
        train(recipe.build(plan), Slow(), plan.settings, tmp_path / "run", until=time.time() + 3, **given)
    step = checkpoints.read_description(tmp_path / "run" / "last.safetensors")["step"]
    trained(tmp_path / "run", resume=True, steps=step + 3)
    assert same(tmp_path / "run", trained(tmp_path / "whole", steps=step + 3))
