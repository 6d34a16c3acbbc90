"""Every supported file becomes the same encoder, and every other one a clear error."""

from __future__ import annotations

import hashlib
import json
import pickle
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from sklearn.decomposition import PCA
from torch import nn

from disentangle_metrics.encoders import CHECKPOINTS, ENCODERS, load_encoder
from disentangle_metrics.encoders.networks import from_user_code
from disentangle_metrics.errors import InputError, ModelFileError, PluginError, UntrustedModelError


def checkpoint(path: Path, network: nn.Module, **description: object) -> Path:
    """A resumable checkpoint as the reference models write it."""
    described = {"format": 1, "architecture": "tiny-net", "arguments": {"latents": 3}} | description
    tensors = {f"model.{name}": tensor for name, tensor in network.state_dict().items()}
    tensors |= {"optimizer.0": torch.ones(2), "random.cpu": torch.zeros(4, dtype=torch.uint8)}
    save_file(tensors, path, metadata={"disentangle_metrics": json.dumps(described)})
    return path


def test_import_needs_no_torch() -> None:
    code = "import sys, disentangle_metrics.encoders; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_without_torch_the_error_names_the_extra(tmp_path, network, monkeypatch) -> None:
    torch.save(network.state_dict(), tmp_path / "m.pt")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ModelFileError, match=r'pip install .*\[models\]"'):
        load_encoder(tmp_path / "m.pt", arch="tiny-net")


def test_our_checkpoint_names_its_architecture(tmp_path, architecture, network, images) -> None:
    path = checkpoint(tmp_path / "c.bin", network)
    encoder = load_encoder(path, device="cpu")
    np.testing.assert_array_equal(encoder(images.numpy()), network(images).detach().numpy())
    source = encoder.source
    assert source.architecture == "tiny-net"
    assert source.arguments == {"latents": 3}
    assert source.kind == "safetensors"
    assert source.torch_version == torch.__version__
    assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    json.dumps(source.to_dict())
    load_encoder(path, arch="tiny_net")
    with pytest.raises(ModelFileError, match="says that its architecture is 'tiny-net', not 'vlae'"):
        load_encoder(path, arch="vlae")


def test_half_precision_weights_compute_in_single(tmp_path, architecture, network, images) -> None:
    path = checkpoint(tmp_path / "c.safetensors", network.half())
    encoder = load_encoder(path, device="cpu")
    assert encoder.network.layer.weight.dtype == torch.float32
    np.testing.assert_array_equal(encoder(images.numpy()), network.float()(images).detach().numpy())


def test_bundled_checkpoint_by_name(tmp_path, architecture, network, images, monkeypatch) -> None:
    path = checkpoint(tmp_path / "c.safetensors", network)
    monkeypatch.chdir(tmp_path)
    CHECKPOINTS.add("tiny-sprites", lambda: path)
    try:
        assert load_encoder("tiny-sprites")(images.numpy()).shape == (5, 3)
        with pytest.raises(ModelFileError, match="did you mean 'tiny-sprites'"):
            load_encoder("tiny-sprite")
    finally:
        CHECKPOINTS.remove("tiny-sprites")


@pytest.mark.parametrize(
    "wrap", ["bare", "state_dict", "model", "module.", "_orig_mod.", "legacy", "safetensors"]
)
def test_weights_for_a_registered_architecture(wrap, tmp_path, architecture, network, images) -> None:
    weights, path = network.state_dict(), tmp_path / "m"
    if wrap == "safetensors":
        save_file(weights, path)
    elif wrap == "legacy":
        torch.save(weights, path, _use_new_zipfile_serialization=False)
    elif wrap.endswith("."):
        torch.save(OrderedDict((wrap + name, tensor) for name, tensor in weights.items()), path)
    else:
        torch.save(weights if wrap == "bare" else {wrap: weights, "epoch": 3, "lr": 0.1}, path)
    for name in ("tiny-net", "tiny_net"):
        encoder = load_encoder(path, arch=name, device="cpu")
        np.testing.assert_array_equal(encoder(images.numpy()), network(images).detach().numpy())
    with pytest.raises(ModelFileError, match=r"give `arch` \(known: .*tiny-net.*or `model_code="):
        load_encoder(path)


@pytest.mark.parametrize("factory", ["build", "Stranger", "Wrapped"])
def test_a_strangers_network(factory, tmp_path, stranger, images) -> None:
    torch.save(stranger.state_dict(), tmp_path / "weights.pth")
    encoder = load_encoder(tmp_path / "weights.pth", model_code=f"strangers_models:{factory}", device="cpu")
    mean, logvar = encoder(images.numpy())
    expected_mean, expected_logvar = stranger(images)
    np.testing.assert_array_equal(mean, expected_mean.detach().numpy())
    np.testing.assert_array_equal(logvar, expected_logvar.detach().numpy())
    assert encoder.source.model_code == f"strangers_models:{factory}"
    # Batch statistics are those of training: an image's code depends on no other image.
    np.testing.assert_allclose(encoder(images.numpy()[:1])[0], mean[:1], atol=1e-6)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("strangers_models", "package.module:factory"),
        ("strangers_model:build", "cannot be imported: ModuleNotFoundError"),
        ("strangers_models:biuld", "cannot be imported: AttributeError"),
        ("strangers_models:broken", "failed when called without arguments: RuntimeError: no weights here"),
        (
            "strangers_models:sized",
            r"\(it takes z_dim, width; give them as in `model_args={'z_dim': ...}`\): Type",
        ),
        ("strangers_models:number", "must return a torch.nn.Module, found int"),
        ("strangers_models:__name__", "must be a function or class, found str"),
    ],
)
def test_bad_model_code(reference, message, tmp_path, stranger) -> None:
    torch.save(stranger.state_dict(), tmp_path / "w.pt")
    with pytest.raises(InputError, match=message):
        load_encoder(tmp_path / "w.pt", model_code=reference)


@pytest.mark.parametrize(
    ("signature", "given", "said"),
    [
        ("*args, **kwargs", {"width": 3}, "with width=3: TypeError"),
        (
            "depth, *args, width, **kwargs",
            {},
            "without arguments (it takes depth, width; give them as in `model_args={'depth': ...}`): TypeError",
        ),
        (
            "depth, width",
            {"depth": 3},
            "with depth=3 (it takes depth, width; give them as in `model_args={'width': ...}`): TypeError",
        ),
        ("depth=1", {"depth": 3}, "with depth=3 (it takes depth): TypeError"),
        ("", {"depth": 3}, "with depth=3 (it takes no arguments): TypeError"),
    ],
)
def test_a_factory_is_said_with_the_arguments_that_can_be_given(signature, given, said, tmp_path) -> None:
    path = tmp_path / f"factory_{tmp_path.name}.py"
    path.write_text(f"def build({signature}):\n    raise TypeError('an argument is missing')\n")
    with pytest.raises(InputError) as error:
        from_user_code(f"{path}:build", given)
    assert f"failed when called {said}" in str(error.value)


def test_a_network_that_returns_more_than_a_posterior(tmp_path, stranger, images) -> None:
    torch.save(stranger.state_dict(), tmp_path / "w.pt")
    encoder = load_encoder(tmp_path / "w.pt", model_code="strangers_models:Talkative", device="cpu")
    for found, expected in zip(encoder(images.numpy()), stranger(images), strict=True):
        np.testing.assert_array_equal(found, expected.detach().numpy())


def test_an_architecture_that_gives_no_network_is_named(tmp_path, stranger, monkeypatch) -> None:
    torch.save(stranger.state_dict(), tmp_path / "w.pt")
    monkeypatch.setitem(ENCODERS._added, "odd-net", lambda arguments: "no network")
    with pytest.raises(PluginError, match=r"'odd-net' gave a str; expected a torch\.nn\.Module"):
        load_encoder(tmp_path / "w.pt", arch="odd-net", device="cpu")


def test_images_that_the_network_cannot_take(tmp_path, architecture, network) -> None:
    encoder = load_encoder(checkpoint(tmp_path / "c", network), device="cpu")
    with pytest.raises(InputError, match=r"cannot encode a batch of shape \(2, 3, 8, 8\)"):
        encoder(np.zeros((2, 3, 8, 8), np.float32))
    with pytest.raises(InputError, match=r"images of another size: RuntimeError"):
        encoder(np.zeros((2, 3, 64, 32), np.float32))
    with pytest.raises(InputError, match=r"images of another size \(`dm.load_dataset\(..., pool=2\)` halves"):
        encoder(np.zeros((2, 3, 64, 64), np.float32))
    with pytest.raises(InputError, match=r"images must have the shape .* found \(4, 4\)"):
        encoder(np.zeros((4, 4), np.float32))
    for shape in ((2, 4, 4, 1), (2, 8, 4, 3)):
        with pytest.raises(InputError, match=r"channels last; `dataset\.network_input\(rows\)` gives"):
            encoder(torch.zeros(shape))


def test_weights_that_do_not_fit(tmp_path, architecture, network) -> None:
    weights = network.state_dict()
    other = {"layer.weight": torch.zeros(9, 16), "head.bias": torch.zeros(3)}
    torch.save(other, tmp_path / "m.pt")
    with pytest.raises(ModelFileError) as caught:
        load_encoder(tmp_path / "m.pt", arch=architecture)
    message = str(caught.value)
    assert "the file lacks layer.bias" in message
    assert "the network has no head.bias" in message
    assert "layer.weight (file (9, 16), network (3, 16))" in message
    torch.save({f"layer{i}.weight": weights["layer.weight"] for i in range(6)}, tmp_path / "m.pt")
    with pytest.raises(ModelFileError, match=r"layer2\.weight and 3 more"):
        load_encoder(tmp_path / "m.pt", arch=architecture)


def test_a_checkpoint_whose_description_is_wrong(tmp_path, architecture, network) -> None:
    for description, message in [
        ({"format": 2}, "format 2, and this version of the package reads format 1"),
        ({"arguments": {"size": 3}}, "cannot be built from the arguments {'size': 3}"),
        ({"arguments": 3}, "description inside the checkpoint .* is damaged"),
        ({"architecture": "tiny-nets"}, "did you mean 'tiny-net'"),
    ]:
        path = checkpoint(tmp_path / "c", network, **description)
        with pytest.raises(InputError, match=message):
            load_encoder(path)


@pytest.mark.parametrize("save", [checkpoint, lambda path, network: torch.save(network.state_dict(), path)])
@pytest.mark.parametrize("keep", [0.02, 0.5, 0.95])
def test_truncated_files(save, keep, tmp_path, architecture, network) -> None:
    path = tmp_path / "m.pt"
    save(path, network)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(ModelFileError) as caught:
        load_encoder(path, arch=architecture)
    assert "\n" not in str(caught.value)


def test_corrupt_torch_file(tmp_path, architecture, network) -> None:
    path = tmp_path / "m.pt"
    torch.save(network.state_dict(), path)
    content = bytearray(path.read_bytes())
    start = content.index(b"OrderedDict")
    content[start - 20 : start + 40] = bytes(60)
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"m\.pt is a torch\.save file that is") as caught:
        load_encoder(path, arch=architecture)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "an empty file; copy or download"),
        (b"\x89HDF\r\n\x1a\n" + bytes(64), "HDF5 models are not read; encode the images yourself"),
        (b"<html>sign in</html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"hello, world\n", "is a text file; accepted: a checkpoint"),
    ],
)
def test_other_kinds_say_what_to_do(content, message, tmp_path) -> None:
    path = tmp_path / "m.pt"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=message):
        load_encoder(path)


def test_arrays_and_single_tensors_are_not_models(tmp_path) -> None:
    np.save(tmp_path / "z.npy", np.zeros((3, 2)))
    with pytest.raises(ModelFileError, match="scored without a model: `dm.score`"):
        load_encoder(tmp_path / "z.npy")
    torch.save(torch.zeros(3, 2), tmp_path / "z.pt")
    with pytest.raises(ModelFileError, match=r"one tensor of shape \(3, 2\)"):
        load_encoder(tmp_path / "z.pt", arch="tiny-net")
    torch.save({"epoch": 3}, tmp_path / "z.pt")
    with pytest.raises(ModelFileError, match="a dictionary with the keys 'epoch'"):
        load_encoder(tmp_path / "z.pt", arch="tiny-net")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"path_or_name": nn.Flatten()}, "`path_or_name` must be a path or .* got Flatten; a network .*dm.evaluate"),
        ({"path_or_name": OrderedDict()}, "got OrderedDict; a network that has its weights goes to"),
        ({"model_code": nn.Flatten}, "got type; write `model_code='torch.nn.modules.flatten:Flatten'`"),
        ({"model_code": checkpoint}, "got function; write `model_code='tests.encoders.test_loading:checkpoint'`"),
        ({"model_code": lambda: None}, "`model_code` must be a text, got function; a network that has"),
        ({"arch": nn.Flatten()}, "`arch` must be a text, got Flatten; a network that has"),
        ({"model_code": "a:b", "model_args": "z=4"}, "`model_args` must be a dictionary, .*got str"),
    ],
)  # fmt: skip
def test_what_is_no_name_is_answered_with_what_to_do(tmp_path, arguments, message) -> None:
    with pytest.raises(InputError, match=message):
        load_encoder(**{"path_or_name": tmp_path / "w.pt", **arguments})


def test_a_folder_of_runs_is_answered_with_the_runs(tmp_path) -> None:
    for seed in range(2):
        (tmp_path / f"seed-{seed}").mkdir()
        (tmp_path / f"seed-{seed}" / "model.safetensors").touch()
        (tmp_path / f"seed-{seed}" / "model.json").write_text('{"step": 3}')
    with pytest.raises(ModelFileError, match=r"is a folder of runs; give one of them: \S+seed-0, \S+seed-1$"):
        load_encoder(tmp_path)


def test_missing_files_and_folders(tmp_path) -> None:
    with pytest.raises(ModelFileError, match="is no path"):
        load_encoder("a" * 5000)
    with pytest.raises(ModelFileError, match=r"no such file: .*none\.pt"):
        load_encoder(tmp_path / "none.pt")
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(ModelFileError, match=r"is a folder; give the file in it: model\.safetensors"):
        load_encoder(tmp_path)
    (tmp_path / "saved_model.pb").touch()
    with pytest.raises(ModelFileError, match="is a SavedModel of TensorFlow, which is not read; encode"):
        load_encoder(tmp_path)


def test_a_model_of_scikit_learn_is_not_read(tmp_path) -> None:
    (tmp_path / "pca.pkl").write_bytes(pickle.dumps(PCA(2)))
    with pytest.raises(
        UntrustedModelError, match="models of scikit-learn are not read; encode the images yourself"
    ):
        load_encoder(tmp_path / "pca.pkl")


def test_conflicting_arguments(tmp_path, network) -> None:
    torch.save(network, tmp_path / "m.pt")
    with pytest.raises(InputError, match="give one of them"):
        load_encoder(tmp_path / "m.pt", arch="a", model_code="b:c")
    with pytest.raises(InputError, match="holds a whole network"):
        load_encoder(tmp_path / "m.pt", arch="a", trust=True)
    with pytest.raises(InputError, match="holds a whole network; give no .* or `state_key` with it"):
        load_encoder(tmp_path / "m.pt", state_key="ema", trust=True)
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").touch()
    for given in ({"state_key": "ema"}, {"model_args": {"latents": 2}}):
        with pytest.raises(InputError, match="is a folder of save_pretrained and holds a whole network"):
            load_encoder(tmp_path, **given)


@pytest.mark.parametrize("device", ["cuda:99", "tpu", "meta-data"])
def test_a_device_that_is_not_there(device, tmp_path, architecture, network) -> None:
    path = checkpoint(tmp_path / "c", network)
    with pytest.raises(InputError, match="accepted: auto, cpu, cuda, cuda:N, mps") as caught:
        load_encoder(path, device=device)
    assert "\n" not in str(caught.value)


@pytest.mark.gpu
@pytest.mark.skipif(
    not (torch.cuda.is_available() or torch.mps.is_available()), reason="no CUDA or MPS device"
)
def test_auto_device_gives_the_same_codes(tmp_path, architecture, network, images) -> None:
    path = checkpoint(tmp_path / "c", network)
    encoder = load_encoder(path)
    assert encoder.device != "cpu"
    np.testing.assert_allclose(
        encoder(images.numpy()), load_encoder(path, device="cpu")(images.numpy()), atol=1e-3
    )
