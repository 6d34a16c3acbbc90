"""``dm-eval --groups``, and the layers of a model."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics.cli.evaluate import main
from disentangle_metrics.cli.latent_groups import groups_in
from disentangle_metrics.kit.commands import UsageError


def test_groups_are_read():
    assert groups_in("layers") == "layers"
    assert groups_in("a=0,1; colour = z_2, 3-5") == {"a": [0, 1], "colour": ["z_2", 3, 4, 5]}


@pytest.mark.parametrize("text", ["", "a", "a=", "=1", "a=0;a=1", ";"])
def test_what_cannot_be_read(text):
    with pytest.raises(UsageError, match="--groups"):
        groups_in(text)


def test_arrays(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    factors = rng.integers(5, size=(500, 2))
    np.save(
        tmp_path / "z.npy", np.column_stack([factors, factors[:, 0] ** 2]) + rng.normal(size=(500, 3)) / 50
    )
    np.save(tmp_path / "v.npy", factors)
    monkeypatch.chdir(tmp_path)
    command = "dm-eval --latents z.npy --factors v.npy --groups first=0,2 --metrics mig,mcc --json out.json"
    monkeypatch.setattr(sys, "argv", command.split())
    with pytest.raises(SystemExit) as left:
        main()
    assert not left.value.code
    report = dm.Report.from_json(tmp_path / "out.json")
    assert "groups:0-2+1" in report["mig"].signature
    assert report.latent_names == ("first", "z_1")
    assert report["mig"].value > 0.9


def test_the_layers_of_a_model():
    torch = pytest.importorskip("torch")
    from reference_models.models.pro_vlae import ProVLAE

    torch.manual_seed(0)
    model = ProVLAE((1, 64, 64), latents_per_layer=2)
    dataset = dm.load_dataset("sprites", cache=False)
    report = dm.evaluate(model, dataset, samples=200, metrics=["mcc"], groups="layers", anchors=False)
    assert report.latent_names == ("layer 1", "layer 2", "layer 3")
    with pytest.raises(dm.InputError, match="latent_groups"):
        dm.evaluate(lambda images: images.mean((2, 3)), dataset, samples=20, groups="layers")
