"""ONNX models that never end, take everything, or are no encoders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as nh

from tests.hostile.cases import Case, Outcome, content, cut

CODES = "\x1b]0;owned\x07\x1b[2J"
IMAGES = h.make_tensor_value_info("x", T.FLOAT, ["n", 1, 8, 8])
OUT = h.make_tensor_value_info("y", T.FLOAT, None)
FLAT = h.make_node("Flatten", ["x"], ["f"])


def model(
    nodes: list[Any], constants: dict[str, Any] | None = None, inputs: Any = None, output: Any = OUT
) -> bytes:
    initialisers = [nh.from_array(np.array(value), name) for name, value in (constants or {}).items()]
    graph = h.make_graph(nodes, "g", [IMAGES] if inputs is None else inputs, [output], initialisers)
    made = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)])
    made.ir_version = 9
    return bytes(made.SerializeToString())


def loop(count: int | None = None, work: str = "Identity") -> bytes:
    """A loop that goes on for ever, or so many times."""
    value, truth = h.make_tensor_value_info, h.make_tensor_value_info("co", T.BOOL, [])
    inputs = [value("i", T.INT64, []), value("ci", T.BOOL, []), value("v", T.FLOAT, None)]
    nodes = [h.make_node("Identity", ["ci"], ["co"])]
    nodes.append(
        h.make_node(
            work,
            ["v"] if work == "Identity" else ["v", "v"],
            ["vo"],
            **({"axis": 0} if work == "Concat" else {}),
        )
    )
    body = h.make_graph(nodes, "b", inputs, [truth, value("vo", T.FLOAT, None)])
    trips = "" if count is None else "m"
    constants: dict[str, Any] = {"c": True} if count is None else {"c": True, "m": np.int64(count)}
    return model([FLAT, h.make_node("Loop", [trips, "c", "f"], ["y"], body=body)], constants)


def filled(*shape: int) -> bytes:
    nodes = [
        h.make_node("ConstantOfShape", ["s"], ["big"]),
        h.make_node("ReduceSum", ["big"], ["r"], keepdims=0),
        FLAT,
        h.make_node("Add", ["f", "r"], ["y"]),
    ]
    return model(nodes, {"s": np.array(shape, np.int64)})


def of_batch(size: int, made: bytes) -> bytes:
    """The model with a fixed number of images in a batch."""
    changed = onnx.ModelProto.FromString(made)
    changed.graph.input[0].type.tensor_type.shape.dim[0].dim_value = size
    return bytes(changed.SerializeToString())


def endless() -> Iterator[Case]:
    """What only a process that is watched survives."""
    yield Case("onnx_endless", content(loop()), "model")
    yield Case("onnx_counting", content(loop(2**62)), "model")
    yield Case("onnx_growing", content(loop(64, "Concat")), "model")
    yield Case("onnx_twelve_gigabytes", content(filled(1_000_000_000, 3)), "model")
    yield Case("onnx_two_gigabytes", content(filled(500_000_000)), "model")
    yield Case("onnx_beyond_64_bits", content(filled(2**40, 2**40)), "model")
    tile = [
        FLAT,
        h.make_node("Tile", ["f", "t"], ["big"]),
        h.make_node("ReduceMean", ["big"], ["y"], axes=[1]),
    ]
    yield Case("onnx_tiled", content(model(tile, {"t": np.array([1, 50_000_000], np.int64)})), "model")
    spread = [
        FLAT,
        h.make_node("Expand", ["f", "s"], ["big"]),
        h.make_node("ReduceSum", ["big"], ["y"], keepdims=0),
    ]
    yield Case("onnx_spread", content(model(spread, {"s": np.array([30_000_000, 1, 64], np.int64)})), "model")
    counted = [
        h.make_node("Range", ["a", "b", "c"], ["big"]), h.make_node("ReduceSum", ["big"], ["r"], keepdims=0), FLAT,
        h.make_node("Add", ["f", "r"], ["y"]),
    ]  # fmt: skip
    limits = {"a": np.float32(0), "b": np.float32(2e9), "c": np.float32(1)}
    yield Case("onnx_range", content(model(counted, limits)), "model")
    yield Case("onnx_endless_batch", content(of_batch(60_000, loop())), "model")  # images grant time


def graphs() -> Iterator[Case]:
    good = model([FLAT, h.make_node("Identity", ["f"], ["y"])])
    yield from cut("onnx", content(good), 5, reader="model", outcome="either")
    for size in (-1, 0, 2**20, 2**42):  # found by changing files at random; -1 is any number to the runtime
        outcome: Outcome = "either" if size < 0 else "refused"
        yield Case(f"onnx_batch_of_{size}", content(of_batch(size, good)), "model", outcome)
    yield Case(
        "onnx_no_inputs",
        content(model([h.make_node("Identity", ["k"], ["y"])], {"k": np.float32(1)}, [])),
        "model",
    )
    text = h.make_tensor_value_info("x", T.STRING, ["n", 1, 8, 8])
    yield Case(
        "onnx_text_input",
        content(
            model(
                [h.make_node("Identity", ["x"], ["y"])],
                None,
                [text],
                h.make_tensor_value_info("y", T.STRING, None),
            )
        ),
        "model",
    )
    yield Case("onnx_codes", content(model([FLAT, h.make_node(CODES, ["f"], ["y"])])), "model")
    yield Case("onnx_custom", content(model([h.make_node("Run", ["x"], ["y"], domain="evil")])), "model")
    yield Case("onnx_undefined", content(model([h.make_node("Identity", ["nowhere"], ["y"])])), "model")
    yield Case("onnx_circle", content(model([h.make_node("Identity", ["y"], ["y"])])), "model")
    yield Case("onnx_scalar", content(model([h.make_node("ReduceSum", ["x"], ["y"], keepdims=0)])), "model")
    yield Case(
        "onnx_nan",
        content(model([FLAT, h.make_node("Sub", ["f", "f"], ["o"]), h.make_node("Div", ["o", "o"], ["y"])])),
        "model",
    )
    yield Case(
        "onnx_other_rows",
        content(
            model([FLAT, h.make_node("Slice", ["f", "s", "e", "a"], ["y"])], {"s": [0], "e": [1], "a": [0]})
        ),
        "model",
    )
    for name, place in (
        ("outside", "../../etc/passwd"),
        ("absolute", "/etc/passwd"),
        ("missing", "nowhere.bin"),
        ("itself", "."),
    ):
        yield Case(f"onnx_data_{name}", content(_external(place)), "model")
    yield Case("onnx_huge_tensor", content(_initialiser([2**31, 2**31], bytes(8))), "model")
    yield Case("onnx_negative_tensor", content(_initialiser([-4], bytes(8))), "model")
    yield Case("onnx_short_tensor", content(_initialiser([1000], bytes(8))), "model")
    yield Case("onnx_nested", content(_nested(60)), "model", "either")
    yield Case("onnx_bytes", content(b"\x08\x09\x3a\x05aaaaa"), "model")


def _initialiser(shape: list[int], data: bytes) -> bytes:
    made = onnx.load_model_from_string(model([FLAT, h.make_node("Identity", ["k"], ["y"])]))
    tensor = made.graph.initializer.add()
    tensor.name, tensor.data_type, tensor.raw_data = "k", T.FLOAT, data
    tensor.dims.extend(shape)
    return bytes(made.SerializeToString())


def _external(place: str) -> bytes:
    made = onnx.load_model_from_string(_initialiser([2], b""))
    tensor = made.graph.initializer[0]
    tensor.data_location = T.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", place
    return bytes(made.SerializeToString())


def _nested(depth: int) -> bytes:
    """A graph in a graph in a graph."""
    out = h.make_tensor_value_info("o", T.FLOAT, None)
    inner = h.make_graph([h.make_node("Identity", ["x"], ["o"])], "0", [], [out])
    for level in range(depth):
        node = (
            h.make_node("If", ["c"], ["o"], then_branch=inner, else_branch=inner)
            if level < 8
            else h.make_node("Identity", ["x"], ["o"])
        )
        inner = h.make_graph([node], str(level), [], [out])
    return model([h.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)], {"c": True})
