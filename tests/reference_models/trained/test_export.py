from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import disentangle_metrics as dm
from reference_models.models import model_class
from reference_models.trained import checkpoints
from reference_models.trained.export import export_onnx, export_safetensors
from reference_models.trained.load import load

SMALL = {
    "pro-vlae": {"latents_per_layer": 2, "wake_steps": [0, 5]},
    "vlae": {"latents_per_layer": 2},
    "beta-vae": {"latents": 5},
    "autoencoder": {"latents": 5},
}


def saved(folder: Path, name: str, image_shape: tuple[int, int, int] = (1, 32, 32)) -> Path:
    """A checkpoint of a small untrained model, and what training needs to go on."""
    torch.manual_seed(0)
    arguments = {"image_shape": list(image_shape), **SMALL[name]}
    model = model_class(name)(**arguments)
    model.enter(7)
    description = {"architecture": name, "arguments": arguments, "dataset": "sprites", "step": 7}
    tensors = checkpoints.model_tensors(model) | {"optimizer.x": torch.ones(3)}
    checkpoints.write(folder / "last.safetensors", tensors, description)
    return folder / "last.safetensors"


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("channels", [1, 3])
def test_onnx_gives_the_same_codes(name: str, channels: int, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    source, target = saved(tmp_path, name, (channels, 32, 32)), tmp_path / "encoder.onnx"
    export_onnx(source, target)
    images = np.random.default_rng(0).random((7, channels, 32, 32), dtype=np.float32)
    expected, found = dm.Encoder(load(source).model)(images), dm.load_encoder(target)(images)
    assert isinstance(found, tuple) == (name != "autoencoder")
    np.testing.assert_allclose(found, expected, atol=1e-5)

    model = onnx.load(target)
    assert [i.name for i in model.graph.input] == ["images"]
    assert [o.name for o in model.graph.output] == ["mean", "logvar"][: 1 + (name != "autoencoder")]
    (entry,) = (p for p in model.metadata_props if p.key == "disentangle_metrics")
    assert json.loads(entry.value)["architecture"] == name
    assert not list(tmp_path.glob("*.data"))


def test_onnx_gives_the_same_scores(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    source, target = saved(tmp_path, "vlae", (1, 64, 64)), tmp_path / "encoder.onnx"
    export_onnx(source, target)
    sprites = dm.load_dataset("sprites")
    options = {"samples": 300, "metrics": ["mig", "mig_sup", "irs", "modularity"], "anchors": False}
    expected = dm.evaluate(dm.load_encoder(source, device="cpu"), sprites, **options)
    found = dm.evaluate(dm.load_encoder(target), sprites, **options)
    assert expected.shape == found.shape
    for key in expected:
        assert found[key].value == pytest.approx(expected[key].value, abs=1e-5, nan_ok=True), key
    assert not all(np.isnan(expected[key].value) for key in expected)


@pytest.mark.parametrize(("precision", "error"), [("float32", 0.0), ("float16", 0.02)])
def test_safetensors_has_the_weights_alone(precision: str, error: float, tmp_path: Path) -> None:
    source, target = saved(tmp_path, "vlae"), tmp_path / "weights.safetensors"
    export_safetensors(source, target, precision)
    with checkpoints.opened(target) as file:
        names = set(file.keys())
    assert names == {f"model.{name}" for name in checkpoints.read_tensors(source, "model.")}
    kinds = {tensor.dtype for tensor in checkpoints.read_tensors(target, "model.").values()}
    assert kinds == {getattr(torch, precision)}
    assert checkpoints.read_description(target) == checkpoints.read_description(source)
    images = np.random.default_rng(0).random((3, 1, 32, 32), dtype=np.float32)
    for a, b in zip(dm.load_encoder(source)(images), dm.load_encoder(target)(images), strict=True):
        np.testing.assert_allclose(a, b, atol=error)


def test_what_cannot_be_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = saved(tmp_path, "vlae")
    with pytest.raises(dm.InputError, match="precision is 'int8'; accepted: float32, float16"):
        export_safetensors(source, tmp_path / "x", "int8")
    with pytest.raises(dm.InputError, match="there is no checkpoint"):
        export_onnx(tmp_path / "none.safetensors", tmp_path / "x")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(dm.InputError, match=r'package onnx, .*pip install .*\[onnx\]"'):
        export_onnx(source, tmp_path / "x")
    assert not (tmp_path / "x").exists()
