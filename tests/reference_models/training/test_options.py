"""What the loop can do besides training: each option against the plain run it must agree with."""

from __future__ import annotations

import errno
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from disentangle_metrics import InputError
from reference_models.models.autoencoder import Autoencoder
from reference_models.models.pro_vlae import ProVLAE
from reference_models.models.vlae import VLAE
from reference_models.trained import checkpoints
from reference_models.training import devices as launch
from reference_models.training import loggers, precision
from reference_models.training import scores as scoring_during_training
from reference_models.training.log import TrainingLog
from reference_models.training.settings import Settings
from reference_models.training.train import StorageError, train
from tests.reference_models.conftest import Squares
from tests.reference_models.training.test_train import SETTINGS, rows, run, same_tensors


def losses_of(folder: Path) -> list[float]:
    return [row["loss"] for row in rows(folder)]


def test_accumulated_batches_are_one_large_batch(tmp_path: Path) -> None:
    run(tmp_path / "large", replace(SETTINGS, batch_size=12, log_every=1))
    run(tmp_path / "small", replace(SETTINGS, batch_size=4, accumulate=3, log_every=1))
    assert losses_of(tmp_path / "small") == pytest.approx(losses_of(tmp_path / "large"), rel=1e-4)
    run(tmp_path / "other", replace(SETTINGS, batch_size=4, log_every=1))
    assert losses_of(tmp_path / "other") != pytest.approx(losses_of(tmp_path / "large"), rel=1e-4)


def test_float16_scales_its_losses_and_goes_on_with_the_scale(tmp_path: Path) -> None:
    half = replace(SETTINGS, precision="float16", log_every=1, steps=5)
    run(tmp_path / "whole", half)
    scale = checkpoints.read_tensors(tmp_path / "whole" / "last.safetensors", "scaler.")["scale"]
    assert 0 < scale < 65_536  # the first scale overflowed, and the steps were left out
    stored = checkpoints.read_tensors(tmp_path / "whole" / "model.safetensors", "model.")
    assert {tensor.dtype for tensor in stored.values()} == {torch.float32}
    assert all(bool(tensor.isfinite().all()) for tensor in stored.values())
    run(tmp_path / "parts", replace(half, steps=3))
    run(tmp_path / "parts", half, resume=True)
    assert same_tensors(tmp_path / "parts" / "model.safetensors", tmp_path / "whole" / "model.safetensors")
    run(tmp_path / "full", replace(SETTINGS, log_every=1, steps=1))
    assert losses_of(tmp_path / "whole")[0] == pytest.approx(losses_of(tmp_path / "full")[0], rel=0.01)
    assert losses_of(tmp_path / "whole")[0] != losses_of(tmp_path / "full")[0]


def test_a_precision_that_the_device_lacks_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any, **options: Any) -> None:
        raise RuntimeError("not implemented for 'Half'\nand more")

    monkeypatch.setattr(torch.nn.functional, "conv2d", fail)
    monkeypatch.setattr(torch.nn.Conv2d, "_conv_forward", fail)
    with pytest.raises(
        InputError, match=r"precision 'float16' cannot be used on cpu here \(not impl.*Half'\)"
    ):
        run(tmp_path / "run", replace(SETTINGS, precision="float16"))
    assert not (tmp_path / "run").exists()


def test_deterministic_algorithms_are_used_and_then_put_back(tmp_path: Path) -> None:
    seen = []

    class Watching(Squares):
        def images(self, indices: Any) -> Any:
            seen.append((torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.deterministic))
            assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
            return super().images(indices)

    assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ
    run(tmp_path, replace(SETTINGS, steps=2, deterministic=True), dataset=Watching())
    assert seen == [(True, True)] * 2
    assert not torch.are_deterministic_algorithms_enabled()
    assert not torch.backends.cudnn.deterministic
    assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ
    with pytest.raises(ZeroDivisionError), precision.deterministic_algorithms(True):
        raise ZeroDivisionError
    assert not torch.are_deterministic_algorithms_enabled()


def test_scores_are_logged_and_leave_training_alone(tmp_path: Path) -> None:
    run(tmp_path / "plain")
    scored = replace(SETTINGS, score_every=5)
    run(tmp_path / "scored", scored)
    assert same_tensors(tmp_path / "scored" / "model.safetensors", tmp_path / "plain" / "model.safetensors")
    assert same_tensors(tmp_path / "scored" / "last.safetensors", tmp_path / "plain" / "last.safetensors")
    assert rows(tmp_path / "scored") == rows(tmp_path / "plain")
    lines = [json.loads(line) for line in (tmp_path / "scored" / "scores.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [5, 10, 12]
    assert list(lines[0]) == ["step", *scoring_during_training.METRICS, "seconds"]
    assert all(0 <= line["mig"] <= 1 for line in lines)
    assert len({line["mig"] for line in lines}) == 3
    assert (tmp_path / "scored" / "scores.csv").read_text().count("\n") == 4
    assert not (tmp_path / "plain" / "scores.csv").exists()

    run(tmp_path / "parts", replace(scored, steps=7))
    run(tmp_path / "parts", scored, resume=True)
    again = [json.loads(line) for line in (tmp_path / "parts" / "scores.jsonl").read_text().splitlines()]
    assert [line["step"] for line in again] == [5, 7, 10, 12]
    assert [line["mig"] for line in again if line["step"] != 7] == [line["mig"] for line in lines]


def test_log_variances_that_are_positive_everywhere_are_scored_on_the_way(tmp_path: Path) -> None:
    model = VLAE(image_shape=(1, 32, 32))
    for name, weights in model.named_parameters():
        if "logvar" in name:
            torch.nn.init.constant_(weights, 1.0 if name.endswith("bias") else 0.0)
    scoring_during_training.write_scores(TrainingLog(tmp_path, 0, "scores"), 3, model, Squares())
    scoring_during_training.write_scores(
        TrainingLog(tmp_path, 3, "scores"), 6, Autoencoder(image_shape=(1, 32, 32)), Squares()
    )
    lines = (tmp_path / "scores.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [3, 6]


def test_scores_need_factors(tmp_path: Path) -> None:
    class Unlabelled:
        name, image_shape, images = "photos", Squares.image_shape, Squares.images
        __len__ = Squares.__len__

    with pytest.raises(InputError, match="score_every needs a data set with known factors; photos has none"):
        run(tmp_path / "run", replace(SETTINGS, score_every=5), dataset=Unlabelled())
    assert not (tmp_path / "run").exists()


def test_tensorboard_gets_the_rows_of_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    class SummaryWriter:
        def __init__(self, folder: str, purge_step: int) -> None:
            calls.append((folder, purge_step))

        def add_scalar(self, name: str, value: float, step: int) -> None:
            calls.append((name, value, step))

        def close(self) -> None:
            calls.append("closed")

    module = ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = SummaryWriter  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    run(tmp_path / "run", replace(SETTINGS, logger="tensorboard"))
    assert calls[0] == (str(tmp_path / "run" / "tensorboard"), 1)
    assert calls[-1] == "closed"
    losses = [(value, step) for name, value, step in calls[1:-1] if name == "log/loss"]
    assert losses == [(row["loss"], row["step"]) for row in rows(tmp_path / "run")]
    run(tmp_path / "run", replace(SETTINGS, logger="tensorboard", steps=14), resume=True)
    assert (str(tmp_path / "run" / "tensorboard"), 13) in calls


def test_weights_and_biases_gets_the_rows_of_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[dict[str, float]] = []
    started: dict[str, Any] = {}

    class Run:
        def log(self, row: dict[str, float]) -> None:
            logged.append(row)

        def finish(self) -> None:
            started["finished"] = True

    module = ModuleType("wandb")
    module.init = lambda **options: started.update(options) or Run()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "wandb", module)
    settings = replace(SETTINGS, logger="wandb", score_every=6)
    run(tmp_path / "run", settings)
    assert started["name"] == "run"
    assert started["config"]["settings"]["batch_size"] == 4
    assert started["finished"]
    logs = [row for row in logged if "log/loss" in row]
    assert [(row["step"], row["log/loss"]) for row in logs] == [
        (row["step"], row["loss"]) for row in rows(tmp_path / "run")
    ]
    assert [row["step"] for row in logged if "scores/mig" in row] == [6, 12]


@pytest.mark.parametrize("name", sorted(loggers.MODULES))
def test_a_logger_that_is_not_installed_is_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, loggers.MODULES[name], None)
    with pytest.raises(InputError, match=f"logger '{name}' needs the package {name}.*pip install {name}"):
        run(tmp_path / "run", replace(SETTINGS, logger=name))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("steps_before", [0, 1, 4, 11])
def test_a_full_disk_leaves_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps_before: int
) -> None:
    """Every file that is written from some moment on fails half-way."""
    folder = tmp_path / "run"
    real = os.fsync

    class Filling(Squares):
        calls = 0

        def images(self, indices: Any) -> Any:
            self.calls += 1
            if self.calls > steps_before:
                monkeypatch.setattr(os, "fsync", full)
            return super().images(indices)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(
        StorageError, match=r"No space left on device; the last good checkpoint is .*last\.safetensors \(step"
    ) as caught:
        run(folder, dataset=Filling())
    monkeypatch.setattr(os, "fsync", real)
    step = checkpoints.read_description(folder / "last.safetensors")["step"]
    assert f"(step {step})" in str(caught.value)
    assert step <= steps_before
    assert not list(folder.glob(".*"))  # nothing half-written is left
    run(folder, resume=True)
    run(tmp_path / "whole")
    assert same_tensors(folder / "model.safetensors", tmp_path / "whole" / "model.safetensors")
    assert rows(folder) == rows(tmp_path / "whole")


def test_a_disk_that_is_full_from_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left on device; there is no checkpoint yet"):
        run(tmp_path)


def vlae_on(devices: int, folder: Path, settings: Settings) -> VLAE:
    torch.manual_seed(0)
    model = VLAE(image_shape=(1, 32, 32), latents_per_layer=2)
    train(
        model,
        Squares(),
        replace(settings, devices=devices),
        folder,
        description={"arguments": {}},
        progress=False,
    )
    return model


@pytest.mark.slow
def test_two_processes_take_the_steps_of_one(tmp_path: Path) -> None:
    pytest.importorskip("lightning_fabric")
    settings = replace(SETTINGS, steps=10, batch_size=6, accumulate=2, log_every=1)
    alone = vlae_on(1, tmp_path / "one", settings)
    together = vlae_on(2, tmp_path / "two", settings)
    assert losses_of(tmp_path / "two") == pytest.approx(losses_of(tmp_path / "one"), rel=1e-4)
    assert len(rows(tmp_path / "two")) == 10  # the first process alone writes
    names = {path.name for path in (tmp_path / "one").iterdir()}
    assert names == {path.name for path in (tmp_path / "two").iterdir()}
    stored = checkpoints.read_tensors(tmp_path / "two" / "model.safetensors", "model.")
    for (name, a), b in zip(together.state_dict().items(), alone.state_dict().values(), strict=True):
        assert torch.equal(a, stored[name])
        assert (a - b).abs().max() < 5e-4, name  # ten steps of Adam are up to 1e-2 long


@pytest.mark.slow
def test_what_a_process_raises_comes_back(tmp_path: Path) -> None:
    pytest.importorskip("lightning_fabric")
    settings = replace(SETTINGS, batch_size=4, learning_rate=1e30)
    with pytest.raises(Exception, match="the loss was not finite at step") as caught:
        vlae_on(2, tmp_path / "run", settings)
    assert type(caught.value).__name__ == "NonFiniteLossError"


def test_several_devices_are_checked_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="batch_size is 4; it must be a multiple of devices = 3"):
        vlae_on(3, tmp_path / "run", SETTINGS)
    with pytest.raises(InputError, match="devices is 2, but there is only 1 of the kind 'mps'"):
        launch.check_devices(2, torch.device("mps"))
    monkeypatch.setitem(sys.modules, "lightning_fabric", None)
    with pytest.raises(InputError, match=r"need the package lightning-fabric .*pip install .*\[devices\]"):
        vlae_on(2, tmp_path / "run", SETTINGS)
    assert not (tmp_path / "run").exists()


def test_a_model_that_cannot_use_the_data_set_says_so_first(tmp_path: Path) -> None:
    class Refusing(ProVLAE):
        def rows(self, *arguments: Any) -> Any:
            raise InputError("needs pairs")

    with pytest.raises(InputError, match="needs pairs"):
        train(Refusing(), Squares(), SETTINGS, tmp_path / "run", description={"arguments": {}})
    assert not (tmp_path / "run").exists()
