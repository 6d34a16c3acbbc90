"""ONNX files: single, standard ones run and give the network's own codes; others are refused unread."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper, numpy_helper

import disentangle_metrics as dm
from disentangle_metrics.encoders import load_encoder
from disentangle_metrics.errors import InputError, ModelFileError

WEIGHTS = np.random.default_rng(0).normal(size=(16, 3)).astype(np.float32)


def model(
    outputs: dict[str, Any] | None = None,
    *,
    shape: tuple[Any, ...] = ("n", 1, 4, 4),
    inputs: tuple[str, ...] = ("images",),
    kind: int = TensorProto.FLOAT,
    nodes: tuple[Any, ...] = (),
) -> Any:
    """A linear encoder of 4x4 images with these outputs, each the means times a number."""
    outputs = {"mean": 1.0} if outputs is None else outputs
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    pixels = int(np.prod([side for side in shape[1:] if isinstance(side, int)]))
    weights = np.resize(WEIGHTS, (pixels if pixels > 1 else 16, 3)).astype(dtype)
    graph = helper.make_graph(
        [
            *nodes,
            helper.make_node("Flatten", [inputs[0]], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["code"]),
            *(helper.make_node("Mul", ["code", f"by_{name}"], [name]) for name in outputs),
        ],
        "encoder",
        [helper.make_tensor_value_info(name, kind, shape) for name in inputs],
        [helper.make_tensor_value_info(name, kind, [None, 3]) for name in outputs],
        [
            numpy_helper.from_array(weights, "weights"),
            *(numpy_helper.from_array(dtype.type(by), f"by_{name}") for name, by in outputs.items()),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def saved(path: Path, content: Any) -> Path:
    path.write_bytes(content.SerializeToString())
    return path


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(1).random((5, 1, 4, 4), dtype=np.float32)


def codes(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1) @ WEIGHTS


def test_one_output_is_the_means(tmp_path, pixels) -> None:
    path = saved(tmp_path / "any.name", model())
    encoder = load_encoder(path)
    np.testing.assert_allclose(encoder(pixels), codes(pixels), rtol=1e-5)
    assert encoder.device == "cpu"
    assert encoder(pixels[:0]).shape == (0, 3)
    source = encoder.source.to_dict()
    assert source["kind"] == "onnx"
    assert source["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert source["onnxruntime_version"]
    assert source["torch_version"] is None


@pytest.mark.parametrize(
    ("names", "mean_first"),
    [
        (("mean", "logvar"), True),
        (("logvar", "mean"), False),
        (("z_log_var", "mu"), False),
        (("first", "second"), True),
    ],
)
def test_two_outputs_by_name_else_by_order(names, mean_first, tmp_path, pixels) -> None:
    encoder = load_encoder(saved(tmp_path / "m.onnx", model({names[0]: 1.0, names[1]: -2.0})))
    first, second = codes(pixels), -2 * codes(pixels)
    expected = (first, second) if mean_first else (second, first)
    for found, wanted in zip(encoder(pixels), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_copies_of_the_last_image_fill_a_fixed_batch(tmp_path, pixels) -> None:
    content = model(shape=(4, 1, 4, 4))
    content.graph.node[0].input[0] = "centred"  # what is flattened
    for node in (
        helper.make_node("Sub", ["images", "middle"], ["centred"]),
        helper.make_node("ReduceMean", ["images"], ["middle"], axes=[0], keepdims=1),
    ):
        content.graph.node.insert(0, node)
    encoder = load_encoder(saved(tmp_path / "m.onnx", content))
    expected = codes(pixels[:4] - pixels[:4].mean(axis=0))
    np.testing.assert_allclose(encoder(pixels), [*expected, np.zeros(3)], atol=1e-5)
    assert "depend on which images are in a batch" in encoder.remarks[0]


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_a_batch_size_fixed_by_the_export(batch, tmp_path, pixels) -> None:
    encoder = load_encoder(saved(tmp_path / "m.onnx", model(shape=(batch, 1, 4, 4))))
    np.testing.assert_allclose(encoder(pixels), codes(pixels), rtol=1e-5)


@pytest.mark.parametrize("kind", [TensorProto.FLOAT16, TensorProto.DOUBLE])
def test_other_precisions(kind, tmp_path, pixels) -> None:
    encoder = load_encoder(saved(tmp_path / "m.onnx", model(kind=kind)))
    np.testing.assert_allclose(encoder(pixels), codes(pixels), rtol=0.02, atol=0.01)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (model(inputs=("images", "labels")), "must have one input, float images"),
        (
            model(nodes=(helper.make_node("Nonsense", ["images"], ["x"]),)),
            "onnxruntime cannot run .*Nonsense",
        ),
    ],
)
def test_models_that_are_no_encoder(wrong, message, tmp_path) -> None:
    with pytest.raises(ModelFileError, match=message) as caught:
        load_encoder(saved(tmp_path / "m.onnx", wrong))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("shape", "found", "hint"),
    [
        (("n", 3, 4, 4), r"shape \(3, 4, 4\) \(channels, height, width\), found \(1, 4, 4\)", "another than"),
        (("n", 1, "h", "w"), None, None),
        (("n", 4, 4, 1), r"shape \(4, 4, 1\)", "channels last"),
    ],
)
def test_the_images_must_fit(shape, found, hint, tmp_path, pixels) -> None:
    encoder = load_encoder(saved(tmp_path / "m.onnx", model(shape=shape)))
    if found is None:
        assert encoder(pixels).shape == (5, 3)
        return
    with pytest.raises(InputError, match=f"{found}.*{hint}"):
        encoder(pixels)


def external(tensor: Any) -> Any:
    tensor.data_location = TensorProto.EXTERNAL
    tensor.ClearField("raw_data")
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../secret"
    return tensor


def in_a_branch(node: Any) -> Any:
    """A node with a graph inside that holds `node`."""
    branch = helper.make_graph([node], "branch", [], [])
    return helper.make_node("If", ["images"], ["y"], then_branch=branch, else_branch=branch)


def constant(tensor: Any, **how: Any) -> Any:
    return helper.make_node("Constant", [], ["c"], value=tensor, **how)


def test_weights_in_other_files_are_refused(tmp_path) -> None:
    (tmp_path / "secret").write_bytes(WEIGHTS.tobytes())
    plain = model()
    external(plain.graph.initializer[0])
    tensor = external(numpy_helper.from_array(WEIGHTS, "w"))
    sparse = model()
    sparse.graph.sparse_initializer.add().values.CopyFrom(tensor)
    function = model()
    function.functions.add(name="F", domain="own").node.append(constant(tensor))
    for wrong in (
        plain,
        sparse,
        function,
        model(nodes=(constant(tensor),)),
        model(nodes=(in_a_branch(constant(tensor)),)),
    ):
        with pytest.raises(ModelFileError, match="keeps weights in another file .* only plain files in the"):
            load_encoder(saved(tmp_path / "m.onnx", wrong))


def test_operators_outside_the_standard_are_refused(tmp_path) -> None:
    node = helper.make_node("Spy", ["images"], ["x"], domain="evil.ops")
    for nodes in ((node,), (in_a_branch(node),)):
        with pytest.raises(ModelFileError, match=r"operator Spy of 'evil\.ops', which is not part of"):
            load_encoder(saved(tmp_path / "m.onnx", model(nodes=nodes)))


def test_functions_of_the_file_itself_are_welcome(tmp_path, pixels) -> None:
    content = model(nodes=(helper.make_node("Same", ["images"], ["copy"], domain="own"),))
    body = [helper.make_node("Identity", ["a"], ["b"])]
    opset = helper.make_opsetid("", 17)
    content.functions.append(helper.make_function("own", "Same", ["a"], ["b"], body, [opset]))
    content.opset_import.append(helper.make_opsetid("own", 1))
    np.testing.assert_allclose(
        load_encoder(saved(tmp_path / "m.onnx", content))(pixels), codes(pixels), rtol=1e-5
    )


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_truncated(keep, tmp_path) -> None:
    content = model().SerializeToString()
    (tmp_path / "m.onnx").write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(ModelFileError, match="an ONNX model that is truncated or damaged") as caught:
        load_encoder(tmp_path / "m.onnx")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime"])
def test_a_missing_package_names_the_extra(missing, tmp_path, monkeypatch) -> None:
    path = saved(tmp_path / "m.onnx", model())
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ModelFileError, match=rf'package {missing}; .*pip install .*\[onnx\]"'):
        load_encoder(path)


@pytest.mark.parametrize("device", ["cuda:99", "cuda", "mps", "tpu", "cuda:one"])
def test_devices_that_are_not_there(device, tmp_path) -> None:
    with pytest.raises(InputError, match="accepted: auto, cpu"):
        load_encoder(saved(tmp_path / "m.onnx", model()), device=device)


@pytest.mark.parametrize("option", ["arch", "model_code", "state_key"])
def test_a_whole_network_takes_no_architecture_and_no_place(option, tmp_path) -> None:
    with pytest.raises(InputError, match="an ONNX model and holds a whole network"):
        load_encoder(saved(tmp_path / "m.onnx", model()), **{option: "vlae"})


def test_torch_is_not_needed(tmp_path) -> None:
    code = (
        "import sys; sys.modules['torch'] = None; import numpy as np; import disentangle_metrics as dm; "
        f"e = dm.load_encoder({str(saved(tmp_path / 'm.onnx', model()))!r}); "
        "print(e(np.zeros((2, 1, 4, 4))).shape)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "(2, 3)"


def test_tensors_are_taken_too(tmp_path, pixels) -> None:
    torch = pytest.importorskip("torch")
    encoder = load_encoder(saved(tmp_path / "m.onnx", model()))
    np.testing.assert_array_equal(encoder(torch.from_numpy(pixels)), encoder(pixels))
    with pytest.raises(InputError, match=r"found \(4, 4\)"):
        encoder(pixels[0, 0])


def test_evaluated_like_any_other_model(tmp_path) -> None:
    sprites = dm.load_dataset("sprites")
    weights = np.resize(WEIGHTS, (64 * 64, 3))
    path = saved(tmp_path / "m.onnx", model(shape=("n", 1, 64, 64)))
    report = dm.evaluate(load_encoder(path), sprites, samples=300, metrics=["mig"], anchors=False)
    by_hand = dm.evaluate(
        lambda x: x.reshape(len(x), -1) @ weights, sprites, samples=300, metrics=["mig"], anchors=False
    )
    assert report["mig"].value == pytest.approx(by_hand["mig"].value, abs=1e-5)
    assert report.provenance["encoder"]["kind"] == "onnx"
    path = saved(tmp_path / "m.onnx", model())
    with pytest.raises(InputError, match=r"takes images of shape \(1, 4, 4\) .* found \(1, 64, 64\)"):
        dm.evaluate(load_encoder(path), sprites, samples=300, metrics=["mig"])


def with_data_file(folder: Path, name: str = "m.onnx.data", **entries: Any) -> Path:
    """The linear encoder as PyTorch's exporter saves it: its weights in a second file."""
    content = model()
    tensor = content.graph.initializer[0]
    (folder / "m.onnx.data").write_bytes(bytes(64) + tensor.raw_data)
    described = {"location": name, "offset": 64, "length": len(tensor.raw_data)} | entries
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in described.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, str(value)
    return saved(folder / "m.onnx", content)


def test_weights_in_a_file_beside_the_model_are_read(tmp_path, pixels) -> None:
    encoder = load_encoder(with_data_file(tmp_path))
    np.testing.assert_allclose(encoder(pixels), codes(pixels), rtol=1e-5)
    data = (tmp_path / "m.onnx.data").read_bytes()
    assert encoder.source.other_files == {"m.onnx.data": hashlib.sha256(data).hexdigest()}


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"name": "../m.onnx.data"}, "only plain files in the model's own folder are opened"),
        ({"name": "/etc/hostname"}, "only plain files in the model's own folder are opened"),
        ({"name": "sub\\m.onnx.data"}, "only plain files in the model's own folder are opened"),
        ({"name": ".."}, "only plain files in the model's own folder are opened"),
        ({"name": ""}, "only plain files in the model's own folder are opened"),
        ({"name": "link"}, "only plain files in the model's own folder are opened"),
        ({"name": "gone.data"}, "'gone.data', which is not beside it"),
        ({"offset": 65}, r"needs 192 bytes from 65 of 'm\.onnx\.data', which has 256"),
        ({"offset": -1}, "needs 192 bytes from -1"),
        ({"length": 100}, "the two files do not belong together"),
        ({"offset": "x"}, "is described wrongly"),
    ],
)
def test_data_files_that_are_elsewhere_or_wrong(entries, message, tmp_path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "m.onnx.data")
    with pytest.raises(ModelFileError, match=message) as caught:
        load_encoder(with_data_file(tmp_path, **entries))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ({"z_logvar": -2.0, "z_mean": 1.0}, 1.0),
        ({"log_std": -1.0, "mean": 1.0}, 1.0),
        ({"z": 3.0, "mu": 1.0}, 1.0),
        ({"z_mean": 1.0, "z_log_var": -2.0, "z": 3.0}, 1.0),
        ({"std": -2.0, "mu": 1.0}, 1.0),
    ],
)
def test_outputs_are_read_by_name_wherever_they_stand(outputs, expected, tmp_path, pixels) -> None:
    found = load_encoder(saved(tmp_path / "m.onnx", model(outputs)))(pixels)
    mean = found[0] if isinstance(found, tuple) else found
    np.testing.assert_allclose(mean, expected * codes(pixels), rtol=1e-5)
    if "log_std" in outputs:
        np.testing.assert_allclose(found[1], -2 * codes(pixels), rtol=1e-5)


def test_outputs_that_say_nothing_are_asked_for(tmp_path, pixels) -> None:
    path = saved(tmp_path / "m.onnx", model({"a": 1.0, "b": 2.0, "c": 3.0}))
    with pytest.raises(InputError, match=r"it has outputs: a \(5, 3\), b \(5, 3\), c \(5, 3\).*`outputs="):
        load_encoder(path)(pixels)
    chosen = load_encoder(path, outputs={"mean": "b"})(pixels)
    np.testing.assert_allclose(chosen, 2 * codes(pixels), rtol=1e-5)
    with pytest.raises(ModelFileError, match="has no output 'd'; it has a, b, c"):
        load_encoder(path, outputs={"mean": "d"})
