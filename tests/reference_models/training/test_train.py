from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from disentangle_metrics import InputError, load_encoder
from reference_models.models import MODELS
from reference_models.models.pro_vlae import ProVLAE
from reference_models.models.vlae import VLAE
from reference_models.trained import checkpoints
from reference_models.trained.load import load, stage_ends
from reference_models.training import recipe
from reference_models.training.batches import batch_at
from reference_models.training.locks import sole_writer
from reference_models.training.settings import Settings
from reference_models.training.train import (
    NonFiniteLossError,
    TrainingInterruptedError,
    UnreachedStageWarning,
    as_images,
    train,
)
from tests.reference_models.conftest import Squares

ARGUMENTS: dict[str, Any] = {
    "image_shape": [1, 32, 32],
    "latents_per_layer": 2,
    "beta": 1.0,
    "wake_steps": [0, 4, 8],
    "fade_in_steps": 2,
}
TIMES = ("seconds", "cpu_seconds")  # of the log
SETTINGS = Settings(steps=12, batch_size=4, learning_rate=1e-3, device="cpu", log_every=2, save_every=3)


def run(
    folder: Path, settings: Settings = SETTINGS, *, dataset: Any = None, resume: bool = False, **changes: Any
) -> Path:
    arguments = {**ARGUMENTS, **changes}
    torch.manual_seed(0)
    return train(
        ProVLAE(**arguments),
        dataset or Squares(),
        settings,
        folder,
        description={"arguments": arguments, "preset": "test"},
        resume=resume,
        progress=False,
    )


class Interrupting(Squares):
    """Sends this process a signal when the batch of a step is made."""

    def __init__(self, step: int, number: signal.Signals = signal.SIGINT) -> None:
        self.left, self.number = step, number

    def images(self, indices: Any) -> Any:
        if self.left == 0:
            os.kill(os.getpid(), self.number)
        self.left -= 1
        return super().images(indices)


def same_tensors(a: Path, b: Path) -> bool:
    one, two = checkpoints.read_tensors(a, ""), checkpoints.read_tensors(b, "")
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def rows(folder: Path) -> list[dict[str, float]]:
    """The log without its times."""
    with (folder / "log.csv").open() as file:
        table = [{k: float(v) for k, v in row.items() if k not in TIMES} for row in csv.DictReader(file)]
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert [{k: v for k, v in line.items() if k not in TIMES} for line in lines] == table
    return table


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an uninterrupted run."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    run(folder)
    return folder


def test_a_run_leaves_weights_log_and_checkpoints(whole: Path) -> None:
    checkpoint_names = ("last", "model", "step-4", "step-8")
    files = [f"{name}{suffix}" for name in checkpoint_names for suffix in (".json", ".safetensors")]
    assert sorted(p.name for p in whole.iterdir()) == sorted(
        [*files, "last.safetensors.lock", "log.csv", "log.jsonl"]
    )
    table = rows(whole)
    assert [row["step"] for row in table] == [2, 4, 6, 8, 10, 12]
    assert list(table[0]) == ["step", "loss", "reconstruction", "kl_1", "kl_2", "kl_3"]
    description = checkpoints.read_description(whole / "model.safetensors")
    assert description["architecture"] == "pro-vlae"
    assert description["arguments"] == ARGUMENTS
    assert (description["dataset"], description["preset"]) == ("squares", "test")
    assert (description["step"], description["seed"]) == (12, 0)
    assert description["settings"]["batch_size"] == 4
    assert description["versions"]["torch"] == torch.__version__


def test_the_same_seed_gives_the_same_bits_and_another_does_not(whole: Path, tmp_path: Path) -> None:
    again = run(tmp_path / "again")
    assert same_tensors(again, whole / "model.safetensors")
    other = run(tmp_path / "other", replace(SETTINGS, seed=1))
    assert not same_tensors(other, whole / "model.safetensors")


def test_the_loop_takes_the_steps_of_one_written_by_hand(tmp_path: Path) -> None:
    settings = replace(SETTINGS, steps=5, channels_last=False, warmup_steps=4)
    weights = checkpoints.read_tensors(run(tmp_path, settings), "model.")
    torch.manual_seed(0)
    model = ProVLAE(**ARGUMENTS)
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    for step, rate in enumerate([0.25e-3, 0.5e-3, 0.75e-3, 1e-3, 1e-3]):
        ((pixels, draws),) = batch_at(step, model, Squares(), settings).parts
        images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        model.objective(images, **{k: torch.from_numpy(v) for k, v in draws.items()})["loss"].backward()
        optimizer.step()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.detach(), weights[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("stopped_at", [2, 4, 9])  # in a stage, at the end of one, after a resumable point
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_and_resumed_is_the_same_to_the_last_bit(
    whole: Path, tmp_path: Path, stopped_at: int, number: signal.Signals
) -> None:
    before = signal.getsignal(number)  # a process started in the background may ignore Ctrl-C
    with pytest.raises(TrainingInterruptedError, match=r"stopped after step \d+ of 12; .*last"):
        run(tmp_path / "run", dataset=Interrupting(stopped_at, number))
    assert signal.getsignal(number) is before
    step = checkpoints.read_description(tmp_path / "run" / "last.safetensors")["step"]
    assert 0 < step <= stopped_at + 1  # the batch is made a step ahead
    torch.rand(step)  # nothing may depend on the state of the process
    run(tmp_path / "run", resume=True)
    assert same_tensors(tmp_path / "run" / "model.safetensors", whole / "model.safetensors")
    for stage in ("step-4.safetensors", "step-8.safetensors"):
        assert same_tensors(tmp_path / "run" / stage, whole / stage), stage
    assert rows(tmp_path / "run") == rows(whole)


@pytest.mark.parametrize("name", [name for name in MODELS if name != "pro-vlae"])
def test_every_model_resumes_to_the_last_bit(name: str, tmp_path: Path) -> None:
    plan = recipe.stretched(recipe.read_preset(name, "squares", "smoke"), 6)
    plan = recipe.changed(plan, {}, {"batch_size": 2, "device": "cpu", "log_every": 1, "save_every": 3})
    plan = recipe.fitted(plan, Squares.image_shape)

    def train_it(folder: str, dataset: Squares, resume: bool = False) -> Path:
        description = {"arguments": plan.arguments}
        return train(
            recipe.build(plan),
            dataset,
            plan.settings,
            tmp_path / folder,
            description=description,
            resume=resume,
            progress=False,
        )

    whole = train_it("whole", Squares())
    with pytest.raises(TrainingInterruptedError):
        train_it("parts", Interrupting(3))
    assert same_tensors(train_it("parts", Squares(), resume=True), whole)
    assert rows(tmp_path / "parts") == rows(tmp_path / "whole")


def test_rows_logged_after_the_last_checkpoint_are_written_anew(whole: Path, tmp_path: Path) -> None:
    class Crashing(Squares):
        calls = 0

        def images(self, indices: Any) -> Any:
            self.calls += 1
            if self.calls > 11:
                raise RuntimeError("the disk is gone")
            return super().images(indices)

    with pytest.raises(RuntimeError, match="the disk is gone"):
        run(tmp_path / "run", dataset=Crashing())
    # The checkpoint is from step 9, the log from step 10; and a kill may cut a line in two.
    assert rows(tmp_path / "run")[-1]["step"] == 10
    with (tmp_path / "run" / "log.jsonl").open("a") as file:
        file.write('{"step": 11, "lo')
    run(tmp_path / "run", resume=True)
    assert rows(tmp_path / "run") == rows(whole)


def test_scores_are_written_before_the_checkpoint_that_follows_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that goes on from a checkpoint does not score that step again."""
    settings = replace(SETTINGS, steps=6, score_every=3)
    run(tmp_path / "whole", settings)
    write = checkpoints.write

    def killed(path: Path, tensors: Any, description: Any) -> None:
        write(path, tensors, description)
        if path.name == "last.safetensors" and description["step"] == 3:
            raise SystemExit  # right after it is there

    monkeypatch.setattr(checkpoints, "write", killed)
    with pytest.raises(SystemExit):
        run(tmp_path / "run", settings)
    monkeypatch.undo()
    run(tmp_path / "run", settings, resume=True)
    whole, found = (
        [line.split(",")[0] for line in (tmp_path / name / "scores.csv").read_text().splitlines()]
        for name in ("whole", "run")
    )
    assert found == whole == ["step", "3", "6"]


@pytest.mark.parametrize(
    "damage",
    [
        *("{", "[1]", '{"stop": 1}', '{"step": "x"}', '{"step": 1, "seconds": "x"}', "\xff"),
        f'{{"step": 1, "seconds": {10**400}}}',
    ],
)
def test_a_damaged_log_is_refused_by_name(whole: Path, tmp_path: Path, damage: str) -> None:
    shutil.copytree(whole, tmp_path / "run")
    (tmp_path / "run" / "log.jsonl").write_bytes(damage.encode("latin-1") + b"\n")
    with pytest.raises(InputError, match=r"log\.jsonl is damaged \(.*delete it to go on"):
        run(tmp_path / "run", replace(SETTINGS, steps=15), resume=True)


def test_a_state_of_another_shape_is_refused(whole: Path, tmp_path: Path) -> None:
    from safetensors import safe_open
    from safetensors.torch import save_file

    shutil.copytree(whole, tmp_path / "run")
    last = tmp_path / "run" / "last.safetensors"
    with safe_open(last, "pt") as file:
        metadata, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    changed = next(name for name in tensors if name.endswith(".step"))
    save_file({**tensors, changed: torch.zeros(2, 3)}, last, metadata)
    with pytest.raises(InputError, match=r"no checkpoint to go on from .*\.step has the shape \(2, 3\)"):
        run(tmp_path / "run", replace(SETTINGS, steps=15), resume=True)


def test_weights_and_optimiser_carry_over_between_stages(whole: Path) -> None:
    before = checkpoints.read_tensors(whole / "step-4.safetensors", "model.")
    after = checkpoints.read_tensors(whole / "model.safetensors", "model.")
    torch.manual_seed(0)
    first = ProVLAE(**ARGUMENTS).state_dict()
    top = "network.branches.2.body.0.0.weight"
    assert not torch.equal(first[top], before[top])
    # Eight more steps of Adam move no weight by more than about the learning rate each.
    assert (after[top] - before[top]).abs().max() < 3 * 8 * 1e-3
    assert torch.equal(before["active"], torch.tensor([0.0, 0.0, 1.0]))
    assert torch.equal(after["active"], torch.ones(3))
    state = checkpoints.read_tensors(whole / "last.safetensors", "optimizer.")
    steps = {name: int(value) for name, value in state.items() if name.endswith(".step")}
    assert set(steps.values()) == {12}  # never restarted, and counted for waiting layers too
    # The lowest layer's decoder saw its first gradient in the last stage.
    waited = first["network.features.0.0.0.weight"]
    assert torch.equal(waited, before["network.features.0.0.0.weight"])
    assert not torch.equal(waited, after["network.features.0.0.0.weight"])


def test_one_batch_can_be_overfitted(tmp_path: Path) -> None:
    class Four(Squares):
        def __len__(self) -> int:
            return 4

        def images(self, indices: Any) -> Any:
            return super().images(np.asarray(indices) * 200)

    settings = replace(SETTINGS, steps=150, batch_size=8, learning_rate=2e-3, log_every=50, save_every=150)
    weights = run(tmp_path, settings, dataset=Four(), wake_steps=[0, 50, 100], fade_in_steps=20)
    model = ProVLAE(**ARGUMENTS)
    model.load_state_dict(checkpoints.read_tensors(weights, "model."))
    images = as_images(Four().images(range(4)), torch.device("cpu"), torch.contiguous_format)
    with torch.no_grad():
        wrong = (torch.sigmoid(model.decode(model(images)[0])) > 0.5) != images.bool()
    assert wrong.float().mean() < 0.002  # 2 of 1,024 pixels
    table = rows(tmp_path)
    assert table[-1]["reconstruction"] < 30 < 300 < table[0]["reconstruction"] + 300


def test_bfloat16_runs_on_the_cpu_and_differs_a_little(whole: Path, tmp_path: Path) -> None:
    weights = run(tmp_path, replace(SETTINGS, precision="bfloat16"))
    stored = checkpoints.read_tensors(weights, "model.")
    assert {tensor.dtype for tensor in stored.values()} == {torch.float32}
    full, half = rows(whole), rows(tmp_path)
    assert half[0]["loss"] != full[0]["loss"]
    assert half[0]["loss"] == pytest.approx(full[0]["loss"], rel=0.02)


def test_memory_layout_changes_speed_alone(whole: Path, tmp_path: Path) -> None:
    run(tmp_path, replace(SETTINGS, channels_last=False, steps=4))
    for plain, last in zip(rows(tmp_path), rows(whole), strict=False):
        assert plain["loss"] == pytest.approx(last["loss"], rel=1e-3)


def test_warmup_starts_small(tmp_path: Path) -> None:
    torch.manual_seed(0)
    start = ProVLAE(**ARGUMENTS).state_dict()["network.output.weight"]
    weights = run(tmp_path, replace(SETTINGS, steps=1, warmup_steps=10))
    moved = (checkpoints.read_tensors(weights, "model.")["network.output.weight"] - start).abs().max()
    assert float(moved) == pytest.approx(1e-4, rel=0.01)  # Adam's first step is the learning rate itself


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path: Path) -> None:
    class Breaking(VLAE):
        def objective(self, images: Any, noise: Any) -> Any:  # type: ignore[override]
            terms = super().objective(images, noise)
            self.steps = getattr(self, "steps", -1) + 1
            return {**terms, "loss": terms["loss"] * (float("nan") if self.steps >= 4 else 1)}

    model = Breaking(image_shape=(1, 32, 32))
    with pytest.raises(NonFiniteLossError, match=r"not finite at step 4; .*last\.safetensors \(step 3\)"):
        train(model, Squares(), SETTINGS, tmp_path, description={"arguments": {}}, progress=False)
    kept = checkpoints.read_tensors(tmp_path / "last.safetensors", "model.")
    assert all(bool(torch.isfinite(tensor).all()) for tensor in kept.values())


def test_a_folder_with_a_run_is_not_overwritten(whole: Path, tmp_path: Path) -> None:
    """And to resume it is advised where that would be done."""
    with pytest.raises(InputError, match=r"already holds a run; resume it, or choose another folder$"):
        run(whole)
    instead = "already holds a run; choose another folder for this one, since .*last.safetensors "
    with pytest.raises(InputError, match=rf"{instead}is another run \(batch_size 4 -> 2\); resume it as it"):
        run(whole, replace(SETTINGS, batch_size=2))
    with pytest.raises(InputError, match=rf"{instead}has taken 12 steps, and steps is 9"):
        run(whole, replace(SETTINGS, steps=9))
    (tmp_path / "last.safetensors").write_bytes(b"no checkpoint")
    with pytest.raises(InputError, match=rf"{instead}cannot be read"):
        run(tmp_path)


class Failing(Squares):
    def images(self, indices: Any) -> Any:
        raise MemoryError


def test_a_run_that_took_no_step_may_be_begun_anew_with_other_settings(tmp_path: Path) -> None:
    with pytest.raises(MemoryError):
        run(tmp_path / "run", dataset=Failing())
    assert checkpoints.read_description(tmp_path / "run" / "last.safetensors")["step"] == 0
    other = replace(SETTINGS, batch_size=2, seed=1)
    with pytest.raises(
        InputError, match=r"another run \(batch_size 4 -> 2; .*\); it has taken no step: start"
    ):
        run(tmp_path / "run", other, resume=True)
    again, fresh = run(tmp_path / "run", other), run(tmp_path / "fresh", other)
    assert same_tensors(again, fresh)
    assert len(rows(tmp_path / "run")) == len(rows(tmp_path / "fresh"))


@pytest.mark.parametrize("kept", ["log.jsonl", "scores.jsonl", "step-4.safetensors", "model.safetensors"])
def test_what_a_run_left_that_was_killed_before_its_next_checkpoint_is_kept(
    whole: Path, tmp_path: Path, kept: str
) -> None:
    with pytest.raises(MemoryError):
        run(tmp_path, dataset=Failing())
    content = (whole / (kept if kept != "scores.jsonl" else "log.jsonl")).read_bytes()
    (tmp_path / kept).write_bytes(content)
    with pytest.raises(InputError, match="already holds a run; resume it"):
        run(tmp_path)
    assert (tmp_path / kept).read_bytes() == content


@pytest.mark.parametrize("left", ["model.safetensors", "step-4.safetensors"])
def test_weights_without_the_state_of_their_run_are_not_overwritten(
    whole: Path, tmp_path: Path, left: str
) -> None:
    """As `dm-reproduce` leaves them, to save room."""
    shutil.copy(whole / left, tmp_path)
    with pytest.raises(InputError, match=rf"already holds {left} of a run, which cannot go on"):
        run(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [left]


def test_two_processes_do_not_train_in_one_folder(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "run")
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    with sole_writer(tmp_path / "run" / "last.safetensors"):
        with pytest.raises(InputError, match=r"another process is writing to .*last\.safetensors"):
            run(tmp_path / "run", replace(SETTINGS, steps=15), resume=True)
        assert all((tmp_path / "run" / name).read_bytes() == content for name, content in before.items())
    run(tmp_path / "run", replace(SETTINGS, steps=15), resume=True)


def test_only_the_same_run_is_resumed(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing to resume"):
        run(tmp_path / "empty", resume=True)
    shutil.copytree(whole, tmp_path / "run")
    with pytest.raises(InputError, match=r"beta 1\.0 -> 2\.0"):
        run(tmp_path / "run", resume=True, beta=2.0)
    with pytest.raises(InputError, match="batch_size 4 -> 8; seed 0 -> 1"):
        run(tmp_path / "run", replace(SETTINGS, batch_size=8, seed=1), resume=True)


def test_a_finished_run_can_be_resumed_for_longer(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "run")
    run(tmp_path / "run", replace(SETTINGS, steps=15), resume=True)
    run(tmp_path / "long", replace(SETTINGS, steps=15))
    assert same_tensors(tmp_path / "run" / "model.safetensors", tmp_path / "long" / "model.safetensors")


def test_a_run_that_was_resumed_and_stopped_is_read_as_it_is(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "run")
    stages = [tmp_path / "run" / f"step-{step}.safetensors" for step in (4, 8)]
    assert stage_ends(tmp_path / "run") == [*stages, tmp_path / "run" / "model.safetensors"]
    with pytest.raises(TrainingInterruptedError):
        run(tmp_path / "run", replace(SETTINGS, steps=18), dataset=Interrupting(2), resume=True)
    *before, last = stage_ends(tmp_path / "run")
    assert (before, last) == (stages, tmp_path / "run" / "last.safetensors")
    assert load(last).step > 12
    assert load_encoder(tmp_path / "run").source.path == str(last)
    run(tmp_path / "run", replace(SETTINGS, steps=18), resume=True)
    assert stage_ends(tmp_path / "run") == [*stages, tmp_path / "run" / "model.safetensors"]
    assert load_encoder(tmp_path / "run").source.path == str(tmp_path / "run" / "model.safetensors")


def test_a_run_that_was_killed_after_a_stage_ends_with_that_stage(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingInterruptedError):
        run(tmp_path, dataset=Interrupting(6))
    last = tmp_path / "last.safetensors"
    stages = [tmp_path / f"step-{step}.safetensors" for step in (4, 8)]
    shutil.copy(whole / "step-8.safetensors", stages[1])
    shutil.copy(whole / "step-8.json", tmp_path)
    assert 4 < load(last).step < 8
    assert stage_ends(tmp_path) == [stages[0], last, stages[1]]


@pytest.mark.parametrize("size", [0, 1000, -1])
def test_a_damaged_last_checkpoint_does_not_hide_a_trained_model(
    size: int, whole: Path, tmp_path: Path
) -> None:
    shutil.copytree(whole, tmp_path / "run")
    last = tmp_path / "run" / "last.safetensors"
    last.write_bytes(last.read_bytes()[:size])
    path = stage_ends(tmp_path / "run")[-1]
    assert path == tmp_path / "run" / "model.safetensors"
    assert load_encoder(tmp_path / "run").source.path == str(path)
    assert load(path).step == 12


def test_a_run_is_not_resumed_with_fewer_steps_than_it_has_taken(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "run")
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    with pytest.raises(InputError, match=r"last\.safetensors has taken 12 steps, and steps is 10; resume it"):
        run(tmp_path / "run", replace(SETTINGS, steps=10), resume=True)
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before
    run(tmp_path / "run", resume=True)  # with as many


def test_a_stage_that_is_never_reached_is_said(tmp_path: Path) -> None:
    said = r"pro-vlae that begins at step 1 is never trained, since training ends after 1 steps; take more"
    with pytest.warns(UnreachedStageWarning, match=said):
        run(tmp_path / "first", replace(SETTINGS, steps=1), wake_steps=[0, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("error", UnreachedStageWarning)
        run(tmp_path / "whole", replace(SETTINGS, steps=2), wake_steps=[0, 1])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0"),
        ({"batch_size": 2**62}, r"batch_size is 4\d+; it must be below 2\^31"),
        ({"learning_rate": -1.0}, "learning_rate is -1.0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"seed": -1}, "seed is -1"),
        ({"precision": "float8"}, "precision is 'float8'; it must be"),
        ({"steps": "9"}, "steps is '9'; it must be of the kind of 10000"),
        ({"seed": 1.5}, "seed is 1.5; it must be of the kind of 0"),
        ({"compile": 1}, "compile is 1; it must be of the kind of False"),
        ({"batch_size": True}, "batch_size is True; it must be of the kind of 64"),
        ({"device": "abacus"}, "device 'abacus' cannot be used here"),
    ],
)
def test_unusable_settings_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        run(tmp_path / "run", replace(SETTINGS, **changes))
    assert not (tmp_path / "run").exists()


KILLED_SCRIPT = """
import os, sys, time
from dataclasses import replace
from pathlib import Path
import tests.reference_models.training.test_train as t

fsync, folder, stay_in = os.fsync, Path(sys.argv[1]), int(sys.argv[2])
calls = 0

def counted_fsync(descriptor):
    global calls
    calls += 1
    if calls == stay_in:
        print("writing", flush=True)
        time.sleep(600)
    fsync(descriptor)

class Slow(t.Squares):
    def images(self, indices):
        time.sleep(0.02)
        return super().images(indices)

os.fsync = counted_fsync
print("begin", flush=True)
t.run(folder, replace(t.SETTINGS, save_every=1), dataset=Slow(), resume=(folder / "last.safetensors").exists())
"""


def kill(folder: Path, rng: np.random.Generator, writing: bool) -> bool:
    """Start or resume a run and kill it: while it writes a file, or else at any moment. Was it in time?"""
    stay_in = int(rng.integers(1, 20)) if writing else 0  # the file it hangs in
    arguments = [sys.executable, "-c", KILLED_SCRIPT, str(folder), str(stay_in)]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "begin\n"
    if writing:
        process.stdout.readline()  # nothing, if the run ends before
    else:
        time.sleep(rng.uniform(0, 1))
    process.kill()
    process.stdout.close()
    killed = process.wait() == -signal.SIGKILL
    assert bool(list(folder.glob(".*.part"))) or not (killed and writing)
    return killed


def kill_and_resume(folder: Path, whole: Path, kills: list[bool], seed: int = 0) -> None:
    """Kill runs again and again; after each, the checkpoint is valid, and each run ends as `whole`."""
    rng, number = np.random.default_rng(seed), 0
    kills = list(kills)
    while kills:
        path = folder / str(number)
        if kill(path, rng, writing=kills[-1]):
            kills.pop()
        if (last := path / "last.safetensors").exists():
            assert 0 <= checkpoints.read_description(last)["step"] <= 12
        if not kills or (path / "model.safetensors").exists():
            run(path, replace(SETTINGS, save_every=1), resume=last.exists())
            assert same_tensors(path / "model.safetensors", whole / "model.safetensors")
            assert rows(path) == rows(whole)
            assert not list(path.glob(".*"))
            number += 1


def test_killed_and_resumed(whole: Path, tmp_path: Path) -> None:
    kill_and_resume(tmp_path, whole, kills=[True])


@pytest.mark.slow
def test_killed_and_resumed_twenty_times(whole: Path, tmp_path: Path) -> None:
    kill_and_resume(tmp_path, whole, kills=[True, False] * 10, seed=1)


@pytest.mark.slow
def test_compiled_objective_gives_the_same_losses(whole: Path, tmp_path: Path) -> None:
    run(tmp_path, replace(SETTINGS, compile=True))
    for compiled, eager in zip(rows(tmp_path), rows(whole), strict=True):
        assert compiled["loss"] == pytest.approx(eager["loss"], rel=1e-2)


@pytest.mark.gpu
@pytest.mark.skipif(
    not (torch.cuda.is_available() or torch.mps.is_available()), reason="no CUDA or MPS device"
)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_accelerator_gives_nearly_the_same_losses(whole: Path, tmp_path: Path, precision: str) -> None:
    run(tmp_path, replace(SETTINGS, device="auto", precision=precision))
    assert checkpoints.read_description(tmp_path / "model.safetensors")["step"] == 12
    assert rows(tmp_path)[0]["loss"] == pytest.approx(rows(whole)[0]["loss"], rel=0.02)
