"""Weights are found under the names that training gives them, and refused with what is missing or over."""

from __future__ import annotations

import argparse

import numpy as np
import pytest

pytest.importorskip("torch")
import torch
from torch import nn

import disentangle_metrics as dm
from disentangle_metrics.encoders.matching import Mismatch, match
from disentangle_metrics.errors import ModelFileError

CODE = """
from torch import nn
class Encoder(nn.Module):
    def __init__(self, latent_dim=3, norm=False):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(1, 2, 3), *([nn.BatchNorm2d(2)] if norm else []), nn.Flatten())
        self.mu, self.logvar = nn.Linear(8, latent_dim), nn.Linear(8, latent_dim)
    def forward(self, x):
        h = self.conv(x)
        return self.mu(h), self.logvar(h)
class VAE(nn.Module):
    def __init__(self, latent_dim=3):
        super().__init__()
        self.encoder, self.decoder = Encoder(latent_dim), nn.Linear(latent_dim, 16)
    def encode(self, x):
        return self.encoder(x)
    def forward(self, x):
        mu, logvar = self.encode(x)
        z = mu + (logvar / 2).exp() * __import__("torch").randn_like(mu)
        return self.decoder(z).view(-1, 1, 4, 4), mu, logvar
class Flat(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(16, 8))
        self.fc_mu, self.fc_var = nn.Linear(8, 3), nn.Linear(8, 3)
    def forward(self, x):
        h = self.layers(x)
        return self.fc_mu(h), self.fc_var(h)
class Reconstructs(VAE):
    def forward(self, x):
        return super().forward(x)[0]
class Normed(Encoder):
    def __init__(self):
        super().__init__(norm=True)
"""


@pytest.fixture
def code(tmp_path, monkeypatch):
    """A module of a common VAE on the path, whose whole model has weights."""
    (tmp_path / "field_models.py").write_text(CODE)
    monkeypatch.syspath_prepend(str(tmp_path))
    import field_models

    torch.manual_seed(0)
    yield field_models
    __import__("sys").modules.pop("field_models", None)


def renamed(weights, change):
    return {change(name): tensor for name, tensor in weights.items()}


FILES = {
    "bare": lambda w: w,
    "DataParallel": lambda w: renamed(w, lambda n: "module." + n),
    "compiled": lambda w: renamed(w, lambda n: "_orig_mod." + n),
    "Lightning of a compiled one": lambda w: {"state_dict": renamed(w, lambda n: "model._orig_mod." + n)},
    "the encoder alone compiled": lambda w: renamed(w, lambda n: n.replace("encoder.", "encoder._orig_mod.")),
    "the encoder alone parallel": lambda w: renamed(w, lambda n: n.replace("encoder.", "encoder.module.")),
    "FSDP": lambda w: renamed(w, lambda n: "_fsdp_wrapped_module." + n),
    "a probe beside": lambda w: {
        "state_dict": renamed(w, lambda n: "model." + n) | {"probe.weight": torch.ones(3)}
    },
    "a discriminator beside": lambda w: w | {"discriminator.0.weight": torch.ones(3)},
    "a head beside": lambda w: w | {"classifier.weight": torch.ones(3)},
    "deep": lambda w: {
        "iter": 1,
        "model_states": {"net": w},
        "optim_states": {"net": {"state": {0: torch.ones(2)}}},
    },
    "an epoch": lambda w: {"vae": w, "epoch": 3, "lr": 0.1},
    "the same twice": lambda w: {"model": w, "best": w},
    "extra state": lambda w: w | {"_extra_state": {"a": 1}},
    "numbers of NumPy": lambda w: {"state_dict": w, "best_loss": np.float64(1.0), "history": np.ones(3)},
    "settings": lambda w: {"state_dict": w, "hyper_parameters": argparse.Namespace(lr=1)},
    "the encoder alone": lambda w: {n: t for n, t in w.items() if n.startswith("encoder.")},
}


@pytest.mark.parametrize("form", FILES)
@pytest.mark.parametrize("factory", ["VAE", "Encoder"])
def test_files_of_a_whole_model(form, factory, code, tmp_path, images) -> None:
    network = code.VAE()
    torch.save(FILES[form](network.state_dict()), tmp_path / "w.pt")
    encoder = dm.load_encoder(tmp_path / "w.pt", model_code=f"field_models:{factory}", device="cpu")
    for found, expected in zip(encoder(images), network.encoder(images), strict=True):
        np.testing.assert_array_equal(found, expected.detach().numpy())


@pytest.mark.parametrize(
    "content",
    [
        lambda e, d: {"encoder": e, "decoder": d},
        lambda e, d: {"encoder_state_dict": e, "decoder_state_dict": d, "epoch": 1},
        lambda e, d: e,
    ],
)
def test_files_of_an_encoder_apart(content, code, tmp_path, images) -> None:
    network = code.VAE()
    torch.save(content(network.encoder.state_dict(), network.decoder.state_dict()), tmp_path / "w.pt")
    for factory in ("Encoder", "VAE"):
        encoder = dm.load_encoder(tmp_path / "w.pt", model_code=f"field_models:{factory}", device="cpu")
        np.testing.assert_array_equal(encoder(images)[0], network.encoder(images)[0].detach().numpy())


def test_what_was_not_read_is_told(code, tmp_path) -> None:
    torch.save(code.VAE().state_dict(), tmp_path / "w.pt")
    (remark,) = dm.load_encoder(tmp_path / "w.pt", model_code="field_models:Encoder").source.remarks
    assert remark.endswith("w.pt also holds decoder, which the network does not have")


def test_batch_norm_without_its_counter(code, tmp_path, images) -> None:
    network = code.Normed().eval()
    weights = {n: t for n, t in network.state_dict().items() if "num_batches" not in n}
    torch.save(weights, tmp_path / "w.pt")
    encoder = dm.load_encoder(tmp_path / "w.pt", model_code="field_models:Normed", device="cpu")
    np.testing.assert_array_equal(encoder(images)[0], network(images)[0].detach().numpy())
    torch.save({n: t for n, t in weights.items() if "running_var" not in n}, tmp_path / "w.pt")
    with pytest.raises(ModelFileError, match=r"the file lacks conv\.1\.running_var$"):
        dm.load_encoder(tmp_path / "w.pt", model_code="field_models:Normed")


def test_weights_of_several_models(code, tmp_path, images) -> None:
    first, second = code.VAE(), code.VAE()
    torch.save({"model": first.state_dict(), "ema": second.state_dict()}, tmp_path / "w.pt")
    with pytest.raises(ModelFileError, match="stand under 'model' and 'ema'; say which with `state_key`"):
        dm.load_encoder(tmp_path / "w.pt", model_code="field_models:VAE")
    encoder = dm.load_encoder(tmp_path / "w.pt", model_code="field_models:VAE", state_key="ema", device="cpu")
    np.testing.assert_array_equal(encoder(images)[0], second.encoder(images)[0].detach().numpy())
    with pytest.raises(ModelFileError, match="no weights under `state_key='net'`.*begin with ema, model"):
        dm.load_encoder(tmp_path / "w.pt", model_code="field_models:VAE", state_key="net")


def tensors(text: str) -> dict[str, torch.Tensor]:
    return {name: torch.zeros(i + 1) for i, name in enumerate(text.split())}


@pytest.mark.parametrize(
    ("wanted", "stored", "message"),
    [
        (
            "conv1 conv2 mu",
            "conv1 conv2 mu bn1",
            "the network has no bn1, which the file has among its weights",
        ),
        ("layers.0 layers.1", "layers.0 layers.1 layers.2", r"the network has no layers\.2"),
        (
            "a.x a.y",
            "model.a.x model.b.y",
            r"the file lacks a\.y; .*no model\.b\.y .looked for under 'model'",
        ),
        ("a b", "c d", "the file lacks a, b; the network has no c, d"),
        ("encoder.a head.b", "encoder.a", r"the file lacks head\.b"),
    ],
)
def test_what_does_not_fit_is_named(wanted, stored, message) -> None:
    with pytest.raises(Mismatch, match=message):
        match(tensors(wanted), tensors(stored))


def test_lookalikes_of_another_shape_are_passed_over() -> None:
    wanted = {"a.w": torch.zeros(2), "b.w": torch.zeros(3)}
    stored = {
        "x.a.w": torch.zeros(5),
        "x.b.w": torch.zeros(3),
        "y.a.w": torch.ones(2),
        "y.b.w": torch.zeros(3),
    }
    assert match(wanted, stored).tensors["a.w"].tolist() == [1, 1]


def test_the_commonest_vae_needs_no_wrapper(code, tmp_path, images) -> None:
    network = code.VAE(latent_dim=5)
    torch.save(network.state_dict(), tmp_path / "w.pt")
    mean = network.encoder(images)[0].detach().numpy()
    for reference in ("field_models:VAE", f"{tmp_path / 'field_models.py'}:VAE"):
        encoder = dm.load_encoder(
            tmp_path / "w.pt", model_code=reference, model_args={"latent_dim": 5}, device="cpu"
        )
        np.testing.assert_array_equal(encoder(images)[0], mean)
        assert encoder.source.arguments == {"latent_dim": 5}
    for encode_with in ("encode", "encoder"):
        encoder = dm.load_encoder(
            tmp_path / "w.pt",
            model_code="field_models:VAE",
            model_args={"latent_dim": 5},
            encode_with=encode_with,
            device="cpu",
        )
        np.testing.assert_array_equal(encoder(images)[0], mean)
    encoder = dm.load_encoder(
        tmp_path / "w.pt", model_code="field_models:Reconstructs", model_args={"latent_dim": 5}, device="cpu"
    )
    np.testing.assert_array_equal(encoder(images)[0], mean)
    assert "those of the network's encode()" in encoder.remarks[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"model_code": "field_models:VAE", "encode_with": "nope"},
            "no such part; it has encode, encoder, decoder",
        ),
        (
            {"model_code": "field_models:VAE", "model_args": {"z": 1}},
            "when called with z=1 .*`model_args={.*TypeError",
        ),
        ({"model_code": "field_models:VAE", "outputs": {"mu": 0}}, "'mu' is none of mean"),
        ({"model_args": {"z": 1}}, "model_args are the arguments of model_code"),
        ({"model_code": "nowhere.py:VAE"}, r"no such file: nowhere\.py"),
        (
            {"model_code": "field_models:VAE", "model_args": {"latent_dim": 4}},
            r"shapes differ: encoder\.mu\.weight",
        ),
    ],
)
def test_bad_options(options, message, code, tmp_path) -> None:
    torch.save(code.VAE().state_dict(), tmp_path / "w.pt")
    with pytest.raises(dm.InputError, match=message):
        dm.load_encoder(tmp_path / "w.pt", **options)


def test_a_pickled_network_beside_its_weights_is_not_built(code, tmp_path, images) -> None:
    network = code.VAE()
    torch.save({"ema": nn.Linear(2, 2), "state_dict": network.state_dict()}, tmp_path / "w.pt")
    encoder = dm.load_encoder(tmp_path / "w.pt", model_code="field_models:VAE", device="cpu")
    np.testing.assert_array_equal(encoder(images)[0], network.encoder(images)[0].detach().numpy())


@pytest.mark.parametrize("trust", [False, True])
def test_objects_beside_weights_never_run(trust, code, tmp_path, capsys) -> None:
    """What a file names beside its weights is not called, even where the file is trusted."""
    (tmp_path / "bomb_shop.py").write_text(
        f"def touch():\n    open({str(tmp_path / 'exploded')!r}, 'w').close()\n"
        "class Bomb:\n    def __reduce__(self):\n        return touch, ()\n"
    )
    import bomb_shop

    torch.save({"state_dict": code.VAE().state_dict(), "callbacks": bomb_shop.Bomb()}, tmp_path / "w.pt")
    dm.load_encoder(tmp_path / "w.pt", model_code="field_models:VAE", trust=trust)
    assert not (tmp_path / "exploded").exists()
    assert capsys.readouterr().err == ""
    torch.load(tmp_path / "w.pt", weights_only=False)
    assert (tmp_path / "exploded").exists(), "the bomb is a dud, and this test shows nothing"
    __import__("sys").modules.pop("bomb_shop")
