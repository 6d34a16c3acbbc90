from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch

import disentangle_metrics as dm
from disentangle_metrics import InputError
from reference_models.models.pro_vlae import ProVLAE
from reference_models.trained import checkpoints
from reference_models.trained.load import load

ARGUMENTS = {"image_shape": [1, 32, 32], "latents_per_layer": 2, "wake_steps": [0, 10, 20]}
DESCRIPTION = {"architecture": "pro-vlae", "arguments": ARGUMENTS, "dataset": "squares", "step": 12}
Trained = tuple[ProVLAE, torch.optim.Optimizer, torch.amp.GradScaler]


@pytest.fixture
def trained() -> Trained:
    """A model, its optimiser and its loss scaler after two steps."""
    torch.manual_seed(0)
    model = ProVLAE(**ARGUMENTS).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    for _ in range(2):
        optimizer.zero_grad()
        sum(p.square().sum() for p in model.parameters()).backward()
        optimizer.step()
    model.enter(12)
    return model, optimizer, torch.amp.GradScaler("cpu", enabled=False)


def test_round_trip(tmp_path: Path, trained: Trained) -> None:
    model, optimizer, scaler = trained
    path = tmp_path / "last.safetensors"
    checkpoints.write(path, checkpoints.training_tensors(model, optimizer, scaler), DESCRIPTION)

    torch.manual_seed(5)
    other = ProVLAE(**ARGUMENTS).to(memory_format=torch.channels_last)
    fresh = torch.optim.Adam(other.parameters(), fused=True)
    assert checkpoints.restore_training(path, other, fresh, scaler) == 12
    for (name, a), b in zip(model.state_dict().items(), other.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
    for a, b in zip(model.parameters(), other.parameters(), strict=True):
        assert optimizer.state[a].keys() == fresh.state[b].keys() == {"step", "exp_avg", "exp_avg_sq"}
        assert all(torch.equal(optimizer.state[a][k], fresh.state[b][k]) for k in optimizer.state[a])
        # The fused optimiser walks memory in order, so that the layouts must agree.
        assert fresh.state[b]["exp_avg"].stride() == b.stride()
    assert checkpoints.read_description(path) == {"format": 1, **DESCRIPTION}


def test_the_scale_of_losses_is_restored(tmp_path: Path, trained: Trained) -> None:
    model, optimizer, _ = trained
    path = tmp_path / "last.safetensors"
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    scaler.load_state_dict({**scaler.state_dict(), "scale": 32.0, "_growth_tracker": 7})
    checkpoints.write(path, checkpoints.training_tensors(model, optimizer, scaler), DESCRIPTION)
    fresh = torch.amp.GradScaler("cpu")
    checkpoints.restore_training(path, model, optimizer, fresh)
    assert fresh.state_dict() == scaler.state_dict()
    assert (fresh.get_scale(), fresh.state_dict()["_growth_tracker"]) == (32.0, 7)


def test_random_state_is_restored(tmp_path: Path, trained: Trained) -> None:
    path = tmp_path / "last.safetensors"
    checkpoints.write(path, checkpoints.training_tensors(*trained), DESCRIPTION)
    expected = torch.rand(3)
    checkpoints.restore_training(path, *trained)
    assert torch.equal(torch.rand(3), expected)


def test_names_and_description_are_the_documented_ones(tmp_path: Path, trained: Trained) -> None:
    path = tmp_path / "last.safetensors"
    checkpoints.write(path, checkpoints.training_tensors(*trained), DESCRIPTION)
    names = checkpoints.read_tensors(path, "").keys()
    assert {name.partition(".")[0] for name in names} == {"model", "optimizer", "random"}
    assert "model.network.trunk.0.0.weight" in names
    assert "optimizer.network.trunk.0.0.weight.exp_avg" in names
    beside = json.loads((tmp_path / "last.json").read_text())
    assert beside == checkpoints.read_description(path)
    assert beside["format"] == 1


def test_the_toolkit_opens_what_training_writes(tmp_path: Path, trained: Trained) -> None:
    path = tmp_path / "last.safetensors"
    checkpoints.write(path, checkpoints.training_tensors(*trained), DESCRIPTION)
    encoder = dm.load_encoder(path, device="cpu")
    images = torch.rand(3, 1, 32, 32)
    with torch.no_grad():
        mean, logvar = trained[0](images)
    encoded: Any = encoder(images.numpy())
    torch.testing.assert_close(torch.as_tensor(encoded[0], dtype=torch.float32), mean)
    torch.testing.assert_close(torch.as_tensor(encoded[1], dtype=torch.float32), logvar)
    assert not mean[:, :2].any()  # after 12 steps the lowest layer still waited, and the file knows


def test_export_keeps_weights_alone_in_half_precision(tmp_path: Path, trained: Trained) -> None:
    path, small = tmp_path / "last.safetensors", tmp_path / "small.safetensors"
    checkpoints.write(path, checkpoints.training_tensors(*trained), DESCRIPTION)
    checkpoints.export_weights(path, small, {"command": "dm-train ..."})
    tensors = checkpoints.read_tensors(small, "")
    assert all(name.startswith("model.") for name in tensors)
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    assert checkpoints.read_description(small)["command"] == "dm-train ..."

    model = ProVLAE(**ARGUMENTS)
    model.load_state_dict(checkpoints.read_tensors(small, "model."), strict=True)
    assert model.network.output.weight.dtype == torch.float32
    torch.testing.assert_close(model.state_dict(), trained[0].state_dict(), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_checkpoint(
    tmp_path: Path,
    trained: Trained,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
) -> None:
    path = tmp_path / "last.safetensors"
    checkpoints.write(path, checkpoints.model_tensors(trained[0]), DESCRIPTION)
    before = path.read_bytes()

    def full_disk(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, moment, full_disk)
    with pytest.raises(OSError, match="No space left"):
        checkpoints.write(path, checkpoints.model_tensors(trained[0]), {**DESCRIPTION, "step": 13})
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["last.json", "last.safetensors"]


def test_unreadable_files_are_refused(tmp_path: Path, trained: Trained) -> None:
    missing = tmp_path / "missing.safetensors"
    with pytest.raises(InputError, match=r"there is no checkpoint .*missing"):
        checkpoints.read_description(missing)

    path = tmp_path / "last.safetensors"
    checkpoints.write(path, checkpoints.model_tensors(trained[0]), DESCRIPTION)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="cannot be read as a safetensors file"):
        checkpoints.read_description(path)

    foreign = tmp_path / "foreign.safetensors"
    foreign.write_bytes(checkpoints.serialise({"weight": torch.zeros(1)}))
    with pytest.raises(InputError, match="not a checkpoint of this package"):
        checkpoints.read_description(foreign)

    newer = tmp_path / "newer.safetensors"
    checkpoints.write(newer, {"weight": torch.zeros(1)}, {"format": 2})
    with pytest.raises(InputError, match="format 2; this version reads 1"):
        checkpoints.read_description(newer)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arguments": []}, r"damaged \(arguments is \[\]\)"),
        ({"arguments": None}, r"damaged \(arguments is None\)"),
        ({"architecture": 3}, r"damaged \(architecture is 3\)"),
        ({"dataset": None}, r"damaged \(dataset is None\)"),
        ({"step": "x"}, r"damaged \(step is 'x'\)"),
        ({"step": True}, r"damaged \(step is True\)"),
        ({"step": -(2**63)}, r"damaged \(step is -9223372036854775808\)"),
        ({"format": []}, r"has checkpoint format \[\]"),
        ({"architecture": "x"}, "unknown model 'x'"),
        ({"arguments": {**ARGUMENTS, "latents_per_layer": 10**9}}, "do not fit its description"),
        ({"arguments": {**ARGUMENTS, "latents_per_layer": 10**30}}, "cannot be built"),
        ({"arguments": {**ARGUMENTS, "latents_per_layer": "two"}}, "cannot be built"),
        ({"arguments": {**ARGUMENTS, "image_shape": [1, 2**30, 2**30]}}, "cannot be built|do not fit"),
        ({"arguments": {}}, "do not fit its description"),
    ],
)  # fmt: skip
def test_a_changed_description_is_refused_without_a_network(
    changes: dict[str, Any], message: str, tmp_path: Path, trained: Trained
) -> None:
    path = tmp_path / "a.safetensors"
    checkpoints.write(path, checkpoints.model_tensors(trained[0]), {**DESCRIPTION, **changes})
    with pytest.raises(InputError, match=message):
        load(path)
    with pytest.raises(InputError):
        restore(path, trained)


def restore(path: Path, trained: Trained) -> None:
    """Go on from a checkpoint that has no state of training."""
    checkpoints.restore_training(path, *trained)
