"""Nothing in a model file runs unasked: each bomb here would leave a file behind if it did."""

from __future__ import annotations

import os
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from disentangle_metrics.encoders import load_encoder
from disentangle_metrics.encoders.pickled_names import is_of_a_network, pickled_names
from disentangle_metrics.errors import ModelFileError, UntrustedModelError


class Bomb:
    """Pickled, it becomes a call that creates a file."""

    def __init__(self, fuse: Path) -> None:
        self.fuse = fuse

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.fuse,)


def plain_pickle(path: Path, bomb: Bomb) -> None:
    path.write_bytes(pickle.dumps(bomb))


def old_pickle(path: Path, bomb: Bomb) -> None:
    path.write_bytes(pickle.dumps(bomb, protocol=0))


def torch_zip(path: Path, bomb: Bomb) -> None:
    torch.save({"weight": torch.zeros(2), "extra": bomb}, path)


def torch_legacy(path: Path, bomb: Bomb) -> None:
    torch.save({"weight": torch.zeros(2), "extra": bomb}, path, _use_new_zipfile_serialization=False)


def npz(path: Path, bomb: Bomb) -> None:
    with path.open("wb") as file:
        np.savez(file, mean=np.array([bomb], dtype=object))


def npy(path: Path, bomb: Bomb) -> None:
    with path.open("wb") as file:
        np.save(file, np.array([bomb], dtype=object), allow_pickle=True)


BOMBS = [plain_pickle, old_pickle, torch_zip, torch_legacy, npz, npy]


@pytest.mark.parametrize("make", BOMBS, ids=lambda make: make.__name__)
def test_a_bomb_does_not_go_off(make, tmp_path: Path, architecture: str, monkeypatch) -> None:
    # PyTorch's switch for unsafe loading must not reach us.
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    fuse = tmp_path / "exploded"
    make(tmp_path / "model.safetensors", Bomb(fuse))
    with pytest.raises(ModelFileError) as caught:
        load_encoder(tmp_path / "model.safetensors", arch=architecture)
    assert not fuse.exists()
    assert "\n" not in str(caught.value)
    if make not in (npz, npy):
        assert isinstance(caught.value, UntrustedModelError)
        assert "state_dict" in str(caught.value)
        assert "`trust=True`" not in str(caught.value)  # no network needs what these files name


@pytest.mark.parametrize("make", [plain_pickle, torch_zip, torch_legacy], ids=lambda make: make.__name__)
def test_the_bomb_is_live(make, tmp_path: Path, architecture: str, capsys) -> None:
    """With trust it goes off, so the test above can fail; and what runs was said first."""
    fuse = tmp_path / "exploded"
    make(tmp_path / "m.pt", Bomb(fuse))
    with pytest.raises(ModelFileError):
        load_encoder(tmp_path / "m.pt", arch=architecture, trust=True)
    assert fuse.exists()
    said = capsys.readouterr().err
    assert "sha256" in said
    assert said.count("\n") == 1


def test_a_refusal_names_what_the_pickle_would_import(tmp_path: Path, stranger) -> None:
    torch.save(stranger, tmp_path / "m.pt")
    with pytest.raises(UntrustedModelError, match=r"strangers_models\.Stranger"):
        load_encoder(tmp_path / "m.pt", model_code="strangers_models:build")


@pytest.mark.parametrize("protocol", range(6))
def test_names_are_read_from_a_pickle_that_is_not_run(protocol: int, tmp_path: Path, stranger) -> None:
    """Whatever the protocol, which says how a pickle writes a name."""
    fuse = tmp_path / "exploded"
    bomb = pickle.dumps([{"a": "Path touch"}, Bomb(fuse), Bomb(fuse)], protocol)
    (tmp_path / "bomb").write_bytes(bomb)
    assert {name.rpartition(".")[2] for name in pickled_names(tmp_path / "bomb")} >= {"PosixPath"}
    assert not any(map(is_of_a_network, pickled_names(tmp_path / "bomb")))
    (tmp_path / "network").write_bytes(pickle.dumps(stranger, protocol))
    assert "strangers_models.Stranger" in pickled_names(tmp_path / "network")
    (tmp_path / "half").write_bytes(bomb[: len(bomb) // 2])
    pickled_names(tmp_path / "half")
    assert not fuse.exists()


def test_trust_is_advised_only_where_a_network_needs_code(tmp_path: Path, network, stranger) -> None:
    (tmp_path / "network").write_bytes(pickle.dumps(network))
    torch.save(stranger, tmp_path / "zip")
    torch.save(stranger, tmp_path / "legacy", _use_new_zipfile_serialization=False)
    for name in ["network", "zip", "legacy"]:
        with pytest.raises(UntrustedModelError, match="`trust=True`"):
            load_encoder(tmp_path / name)

    class System:
        def __reduce__(self) -> tuple[object, ...]:
            return os.system, ("true",)

    (tmp_path / "numbers").write_bytes(pickle.dumps([1, 2.0, "three"]))
    (tmp_path / "array").write_bytes(pickle.dumps(np.zeros(3)))
    (tmp_path / "command").write_bytes(pickle.dumps([network, System()]))
    torch.save([network, System()], tmp_path / "command.pt")
    whole = (tmp_path / "zip").read_bytes()
    (tmp_path / "damaged").write_bytes(whole[: len(whole) // 2])
    for name in ["numbers", "array", "command", "command.pt", "damaged"]:
        with pytest.raises(ModelFileError) as caught:
            load_encoder(tmp_path / name)
        assert "`trust=True`" not in str(caught.value)
    with pytest.raises(UntrustedModelError, match=r"system: do not load it"):
        load_encoder(tmp_path / "command")


def test_trust_may_be_asked_for_the_full_path(tmp_path: Path, network) -> None:
    torch.save(network, tmp_path / "m.pt")
    asked: list[Path] = []
    with pytest.raises(UntrustedModelError, match="full path"):
        load_encoder(tmp_path / "m.pt", trust=lambda path: bool(asked.append(path)))
    assert asked == [(tmp_path / "m.pt").resolve()]
    assert load_encoder(tmp_path / "m.pt", trust=lambda path: True).source is not None


def test_a_failed_safe_load_is_never_retried(tmp_path: Path, architecture: str, monkeypatch) -> None:
    """A pickle whose names look harmless but which the safe reader refuses stays refused."""
    fuse = tmp_path / "exploded"
    torch_zip(tmp_path / "m.pt", Bomb(fuse))
    monkeypatch.setattr("disentangle_metrics.encoders.loading.unsafe_globals", lambda path, kind: [])
    with pytest.raises(UntrustedModelError):
        load_encoder(tmp_path / "m.pt", arch=architecture, trust=True)
    assert not fuse.exists()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_programs_need_trust_and_then_encode(tmp_path: Path, network, images, capsys) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(network, images).save(str(tmp_path / "torchscript"))
        batch = {0: torch.export.Dim.AUTO}
        program = torch.export.export(network, (images,), dynamic_shapes=(batch,))
        torch.export.save(program, tmp_path / "exported.pt2")
    torch.save(network, tmp_path / "module")
    (tmp_path / "pickle").write_bytes(pickle.dumps(network))
    torch.save(network, tmp_path / "legacy", _use_new_zipfile_serialization=False)
    expected = network(images).detach().numpy()
    for name in ["torchscript", "exported.pt2", "module", "pickle", "legacy"]:
        with pytest.raises(UntrustedModelError):
            load_encoder(tmp_path / name)
        assert capsys.readouterr().err == ""
        encoder = load_encoder(tmp_path / name, trust=True, device="cpu")
        assert encoder.source.sha256 in capsys.readouterr().err
        np.testing.assert_allclose(encoder(images.numpy()), expected, atol=1e-6)
        assert encoder(images.numpy()[:3]).shape == (3, 3)


def test_a_network_of_code_that_is_not_here(tmp_path: Path, stranger, monkeypatch) -> None:
    torch.save(stranger, tmp_path / "m.pt")
    monkeypatch.delitem(__import__("sys").modules, "strangers_models")
    monkeypatch.setattr("sys.path", [p for p in __import__("sys").path if p != str(tmp_path)])
    with pytest.raises(ModelFileError, match="needs code which is not here"):
        load_encoder(tmp_path / "m.pt", trust=True)
