"""``dm-eval --groups``, and the layers of a model."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics.cli.evaluate import main
from disentangle_metrics.cli.latent_groups import groups_in, groups_of_arrays
from disentangle_metrics.kit.commands import UsageError


def test_groups_are_read():
    assert groups_in("layers") == "layers"
    assert groups_in("none") == "none"
    assert groups_of_arrays("none") is None
    assert groups_of_arrays("a=0") == {"a": [0]}
    with pytest.raises(UsageError, match="is for a MODEL"):
        groups_of_arrays("layers")
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
    assert report.groups == {"first": (0, 2), "z_1": (1,)}
    assert report.per_group is not None
    assert list(report.per_group.index) == ["first", "z_1"]


def test_the_page_of_a_model_by_layers_names_units_and_draws_latents(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    pytest.importorskip("jinja2")
    monkeypatch.chdir(tmp_path)
    command = "dm-eval pro-vlae-sprites --dataset sprites --samples 300 --groups layers --metrics mig"
    monkeypatch.setattr(sys, "argv", f"{command} --html a.html --quiet --device cpu".split())
    with pytest.raises(SystemExit) as left:
        main()
    assert not left.value.code
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "3 units of 6 latents" in page
    assert "layer 3 (z_4, z_5)" in page  # below what it holds
    assert "z_5 (layer 3)" in page  # beside its traversal


def test_layers_are_shown_beside_the_scores_and_leave_them_as_they_are():
    pytest.importorskip("torch")
    model, dataset = (
        dm.load_encoder("pro-vlae-sprites", device="cpu"),
        dm.load_dataset("sprites", cache=False),
    )
    options = {"samples": 300, "anchors": False, "protocol": "li2020"}
    report = dm.evaluate(model, dataset, **options)
    assert report.layers is not None
    assert report.latent_names[:2] == ("z_0", "z_1")
    assert report.layers.latent_names == ("layer 1", "layer 2", "layer 3")
    assert list(report.layers.per_group.columns.levels[0]) == ["mig", "mig_sup"]
    assert report.layers.units().loc["layer 3", ("unit", "holds")] == "posX, posY"
    plain = dm.evaluate(model, dataset, groups="none", **options)
    assert plain.layers is None
    assert [(s.value, s.signature) for s in report.values()] == [
        (s.value, s.signature) for s in plain.values()
    ]
    assert dm.evaluate(model, dataset, metrics=["mig"], **options).layers is None
    with pytest.raises(dm.InputError, match="or be 'layers' or 'none', got 'layer'"):
        dm.evaluate(model, dataset, groups="layer", **options)


def test_layers_that_do_not_fit_leave_the_scores_alone():
    def network(images):
        return images.mean((2, 3)).repeat(2, axis=1)

    network.latent_groups = {"low": [0, 7], "high": [1]}
    dataset = dm.load_dataset("sprites", cache=False)
    with pytest.warns(
        dm.ScoreWarning, match="the layers of the model are not shown: `groups`: 'low' has the"
    ):
        report = dm.evaluate(network, dataset, samples=200, anchors=False, protocol="li2020")
    assert report.layers is None


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
