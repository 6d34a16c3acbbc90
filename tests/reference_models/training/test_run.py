"""A run as it is on a GPU, with the CPU in its place: all but the capture itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from disentangle_metrics import FactorDataset
from reference_models.models import model_class
from reference_models.trained import checkpoints
from reference_models.training import recipe
from reference_models.training import run as module
from reference_models.training.devices import Team
from reference_models.training.feeds import DeviceFeed
from reference_models.training.images_on_device import ResidentImages
from reference_models.training.replay import WARM_UP, Replayed
from reference_models.training.run import Run
from reference_models.training.settings import Settings
from reference_models.training.train import described
from tests.reference_models.conftest import Squares
from tests.reference_models.training.test_train import rows

CPU = torch.device("cpu")
SQUARES = FactorDataset("squares", Squares.grid, (32, 32, 1), Squares().images)
SETTINGS = Settings(
    steps=14, batch_size=4, learning_rate=1e-3, warmup_steps=5, device="cpu", log_every=2, save_every=5
)


class AsOnAGPU(Run):
    """Draws by a generator of the device, keeps Adam's rates in tensors, and replays its steps."""

    captures = 0

    def _why_on_host(self) -> str:
        return ""

    def __enter__(self) -> AsOnAGPU:
        super().__enter__()
        self.replayed = Replayed(self.step.take, self.count)
        return self

    def count(self, take: Any) -> Any:
        self.captures += 1
        return take


def ended(folder: Path, name: str, steps: int = 14, *, resume: bool = False, eager: bool = False) -> AsOnAGPU:
    plan = recipe.stretched(recipe.read_preset(name, "squares", "smoke"), SETTINGS.steps)
    settings = replace(SETTINGS, steps=steps)
    plan = replace(recipe.fitted(plan, SQUARES.image_shape), settings=settings)
    model = recipe.build(plan)
    folder.mkdir(exist_ok=True)
    description = described(model, SQUARES, settings, {"arguments": plan.arguments})
    images = ResidentImages(SQUARES, CPU)
    given = (Team(CPU), model, SQUARES, settings, folder, description)
    with AsOnAGPU(*given, resume=resume, images=images) as run:
        assert isinstance(run.step.feed, DeviceFeed)
        if eager:
            run.replayed = None
        while not run.finished:
            run.advance()
        run.finish()
    return run


def same(a: Path, b: Path) -> bool:
    names = {path.name for path in a.glob("*.safetensors")} - {"last.safetensors"}
    assert names == {path.name for path in b.glob("*.safetensors")} - {"last.safetensors"}
    pairs = [(checkpoints.read_tensors(a / n, ""), checkpoints.read_tensors(b / n, "")) for n in names]
    return all(torch.equal(one[key], two[key]) for one, two in pairs for key in one)


@pytest.mark.parametrize(
    "name", ["pro-vlae", "teacher-student", pytest.param("factor-vae", marks=pytest.mark.slow), "beta-vae"]
)
def test_replayed_eager_and_resumed_runs_are_the_same(name: str, tmp_path: Path) -> None:
    whole = ended(tmp_path / "whole", name)
    assert whole.captures == (2 if name == "teacher-student" else 1)  # anew, once there is a teacher
    ended(tmp_path / "eager", name, eager=True)
    assert same(tmp_path / "eager", tmp_path / "whole")
    assert rows(tmp_path / "eager") == rows(tmp_path / "whole")
    milestone = (model_class(name)(**whole.description["arguments"]).milestones() or [6])[0]
    ended(tmp_path / "parts", name, steps=milestone)
    ended(tmp_path / "parts", name, resume=True)
    assert same(tmp_path / "parts", tmp_path / "whole")


def test_the_learning_rate_is_that_of_a_cpu(tmp_path: Path) -> None:
    run = ended(tmp_path, "factor-vae", steps=3)
    rates = [group["lr"] for group in run.step.optimizer.param_groups]
    assert all(isinstance(rate, torch.Tensor) for rate in rates)
    assert [rate.item() for rate in rates] == pytest.approx([1e-3 * 3 / 5] * 2)


def test_the_generators_state_is_in_the_checkpoint(tmp_path: Path) -> None:
    run = ended(tmp_path, "vlae", steps=3)
    saved = checkpoints.read_tensors(tmp_path / "last.safetensors", "random.")["batches"]
    generator = torch.Generator()
    checkpoints.restore_generator(tmp_path / "last.safetensors", generator)
    assert torch.equal(generator.get_state(), saved)
    assert torch.equal(run.step.feed.generator.get_state(), saved)  # type: ignore[union-attr]


def test_a_graph_that_cannot_be_made_is_noted_and_the_step_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any) -> Any:
        raise RuntimeError("operation not permitted when stream is capturing\nand more")

    monkeypatch.setattr(module, "captured", refuse)
    monkeypatch.setattr(AsOnAGPU, "count", lambda self, take: self._captured(None, take))
    ended(tmp_path / "run", "vlae")
    note = "from step 3 on, steps are taken eagerly: no graph could be made (operation not permitted when"
    assert (tmp_path / "run" / "log.txt").read_text().startswith(note)
    monkeypatch.undo()
    ended(tmp_path / "whole", "vlae")
    assert same(tmp_path / "run", tmp_path / "whole")


def test_a_step_in_which_the_host_waits_is_found_before_the_capture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def no_waiting() -> Iterator[None]:
        yield
        raise RuntimeError("called a synchronizing CUDA operation")

    class Waiting(AsOnAGPU):
        def __enter__(self) -> Waiting:
            super().__enter__()
            self.replayed = Replayed(self.count, pytest.fail, self._rehearsed)  # type: ignore[arg-type]
            return self

        def count(self, take: Any = None) -> Any:
            self.captures += 1  # of calls
            if self.captures != WARM_UP:  # the rehearsal fails before it has done anything
                self.step.take()

    monkeypatch.setattr(module, "no_waiting", no_waiting)
    monkeypatch.setitem(globals(), "AsOnAGPU", Waiting)
    ended(tmp_path / "run", "vlae")
    note = "from step 2 on, steps are taken eagerly: no graph could be made (called a synchronizing"
    assert (tmp_path / "run" / "log.txt").read_text().startswith(note)
    monkeypatch.undo()
    ended(tmp_path / "whole", "vlae")
    assert same(tmp_path / "run", tmp_path / "whole")


def test_why_a_step_is_taken_eagerly() -> None:
    assert module.why_eager(SETTINGS) == ""
    assert "float16 scales its losses" in module.why_eager(replace(SETTINGS, precision="float16"))
    assert module.why_eager(replace(SETTINGS, capture=False)) == "capture is switched off"
