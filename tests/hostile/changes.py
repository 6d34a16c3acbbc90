"""Changes at random to the bytes of honest files: numbers, names, cells, fields of JSON, members, fields of graphs."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import re
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np

EXTREMES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 2**31, 2**53 + 1, -(2**63), 2**64, 10**30, 10**400, 1e308, -1e308, 5e-324, 0.1,
    float("nan"), float("inf"), -float("inf"), "", "nan", "0", "1e999", "../../x", "/etc/passwd", "a" * 5000,
    "\x1b[2J\x1b]0;owned\x07", "\u202ed\u202c\u200b", "<script>x</script>", "\ud800", "\x00", "\n\r", "mig", "{0}",
    [], {}, [[]], [None], {"": None}, [1] * 500, {"a": {"b": {"c": 1}}}, ["a", 1, None], [1e308, -1e308],
)  # fmt: skip
TEXTS = (
    b"1e999", b"-0", b"NaN", b"inf", b"9" * 400, b"18446744073709551616", b"0x10", b"1_000", b"1,5", b"--1", b"\x1b[2J",
    b'"', b"'", b"\xff\xfe", b"\xef\xbb\xbf", b"\x00", b"\r", b"\n", b",", b";", b"\t", b"#", b"<b>", b"=1+1",
    "١٢".encode(), "−5".encode(), b"\xe2\x80\xae", b"1e-400", b"1" + b"0" * 310, b"[", b"{", b"NA", b"None",
)  # fmt: skip
NAMES = (
    "", ".", "..", "/", "../x", "/abs", "a" * 240, "\x1b[2J.npy", "latents", "latents.npy", "LATENTS.npy", "arr_0.npy",
    "a/b.npy", "a\\b", "\u202e", "con", "nul.npy", "factors.npy", "mean.npy", "'\"", "a\nb",
)  # fmt: skip


def changed_bytes(data: bytes, rng: np.random.Generator) -> bytes:
    """The bytes with one to four changes, most of them small."""
    out = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        place = (
            int(rng.integers(0, len(out) + 1))
            if rng.random() < 0.6
            else int(rng.integers(0, min(len(out), 200) + 1))
        )
        how = rng.integers(0, 8)
        if how == 0 and out:
            out[place % len(out)] = int(rng.integers(0, 256))
        elif how == 1 and out:
            out[place % len(out)] ^= 1 << int(rng.integers(0, 8))
        elif how == 2:
            del out[place:]
        elif how == 3:
            out[place:place] = TEXTS[rng.integers(len(TEXTS))]
        elif how == 4:
            del out[place : place + int(rng.integers(1, 40))]
        elif how == 5:
            out[place:place] = out[place : place + int(rng.integers(1, 400))]
        elif how == 6:
            numbers = list(re.finditer(rb"\d+", bytes(out)))
            if numbers:
                number = numbers[rng.integers(len(numbers))]
                out[number.start() : number.end()] = TEXTS[rng.integers(len(TEXTS))]
        else:
            size = int(rng.choice([1, 2, 4, 8]))
            out[place : place + size] = int(rng.choice([0, 1, 2**7, 2**8 - 1])).to_bytes(1, "little") * size
    return bytes(out)


def changed_value(value: Any, rng: np.random.Generator) -> Any:
    """A value of JSON with one to three nodes replaced, left out, renamed or doubled."""
    for _ in range(int(rng.integers(1, 4))):
        nodes = list(_nodes(value))
        if not nodes:
            return EXTREMES[rng.integers(len(EXTREMES))]
        holder, key = nodes[rng.integers(len(nodes))]
        how = rng.integers(0, 6)
        if how <= 2:
            holder[key] = copy.deepcopy(EXTREMES[rng.integers(len(EXTREMES))])  # it may be changed in turn
        elif how == 3:
            del holder[key]
        elif how == 4 and isinstance(holder, dict):
            holder[str(EXTREMES[rng.integers(len(EXTREMES))])] = holder.pop(key)
        else:
            other, of_other = nodes[rng.integers(len(nodes))]
            with contextlib.suppress(KeyError, IndexError):
                holder[key] = json.loads(json.dumps(other[of_other]))
    return value


def _nodes(value: Any) -> Iterator[tuple[Any, Any]]:
    places = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in places:
        yield value, key
        yield from _nodes(below)


def changed_json(data: bytes, rng: np.random.Generator) -> bytes:
    if rng.random() < 0.15:
        return changed_bytes(data, rng)
    text = json.dumps(changed_value(json.loads(data), rng))
    return text.encode("utf-8", "surrogatepass")


def changed_lines(data: bytes, rng: np.random.Generator) -> bytes:
    """JSON lines of which one is changed, doubled or left out."""
    lines = data.splitlines()
    place = int(rng.integers(len(lines)))
    how = rng.integers(0, 6)
    if how == 0:
        del lines[place]
    elif how == 1:
        lines.insert(place, lines[place])
    else:
        lines[place] = changed_json(lines[place], rng)
    return b"\n".join(lines) + (b"\n" if rng.random() < 0.9 else b"")


def changed_cells(data: bytes, rng: np.random.Generator) -> bytes:
    """A text table with cells, rows or columns changed."""
    rows = [line.split(b",") for line in data.splitlines()]
    for _ in range(int(rng.integers(1, 4))):
        row = rows[int(rng.integers(len(rows)))]
        how = rng.integers(0, 6)
        if how <= 1 and row:
            row[int(rng.integers(len(row)))] = TEXTS[rng.integers(len(TEXTS))]
        elif how == 2:
            row.append(TEXTS[rng.integers(len(TEXTS))])
        elif how == 3 and row:
            row.pop()
        elif how == 4:
            place, text = int(rng.integers(3)), TEXTS[rng.integers(len(TEXTS))]
            for each in rows:
                if place < len(each):
                    each[place] = text
        else:
            rows.insert(int(rng.integers(len(rows) + 1)), [TEXTS[rng.integers(len(TEXTS))]])
    return rng.choice([b"\n", b"\r\n", b"\r"]).join([b",".join(row) for row in rows])


def changed_zip(data: bytes, rng: np.random.Generator) -> bytes:
    """An archive with members changed, renamed or doubled; or its bytes."""
    if rng.random() < 0.3:
        return changed_bytes(data, rng)
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(out, "w") as new,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        names = old.namelist()
        hit = names[rng.integers(len(names))]
        for name in names:
            content, how = old.read(name), rng.integers(0, 5)
            packing = zipfile.ZIP_DEFLATED if rng.random() < 0.3 else zipfile.ZIP_STORED
            if name == hit and how == 0:
                name = name.rpartition("/")[0] + NAMES[rng.integers(len(NAMES))]
            elif name == hit and how == 1:
                new.writestr(name, changed_bytes(content, rng))
            elif name == hit and how == 2:
                continue
            elif name == hit:
                content = changed_bytes(content, rng)
            new.writestr(name or "x", content, packing)
    return out.getvalue()


def changed_safetensors(data: bytes, rng: np.random.Generator) -> bytes:
    """A file of safetensors with its header, the description in it, or bytes changed."""
    if rng.random() < 0.2:
        return changed_bytes(data, rng)
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    metadata = header.get("__metadata__", {})
    described = [name for name, text in metadata.items() if text.startswith("{")]
    if described and rng.random() < 0.7:
        metadata[described[0]] = json.dumps(changed_value(json.loads(metadata[described[0]]), rng))
    else:
        header = changed_value(header, rng)
    text = json.dumps(header).encode("utf-8", "surrogatepass")
    length = len(text) if rng.random() < 0.9 else int(rng.choice([0, 1, len(text) - 1, 2**40, 2**63]))
    return length.to_bytes(8, "little") + text + data[8 + size :]


def changed_onnx(data: bytes, rng: np.random.Generator) -> bytes:
    """A graph with a field changed; or its bytes."""
    import onnx

    if rng.random() < 0.4:
        return changed_bytes(data, rng)
    model = onnx.ModelProto.FromString(data)
    graph = model.graph
    operators = (
        "Identity",
        "Exp",
        "Loop",
        "If",
        "Scan",
        "Reshape",
        "Expand",
        "Tile",
        "NonZero",
        "Range",
        "Shape",
        "x",
    )
    for _ in range(int(rng.integers(1, 4))):
        node = graph.node[rng.integers(len(graph.node))] if graph.node else None
        how = rng.integers(0, 8)
        if how == 0 and node is not None:
            node.op_type = operators[rng.integers(len(operators))]
        elif how == 1 and node is not None and node.input:
            node.input[0] = str(rng.choice([*node.output, "", "nowhere", graph.input[0].name]))
        elif how == 2:
            dims = graph.input[0].type.tensor_type.shape.dim
            if dims:
                dims[rng.integers(len(dims))].dim_value = int(rng.choice([-1, 0, 1, 7, 2**40]))
        elif how == 3 and graph.initializer:
            tensor = graph.initializer[rng.integers(len(graph.initializer))]
            tensor.dims[:] = [int(rng.choice([0, -1, 3, 2**31, 2**62]))]
        elif how == 4 and graph.initializer:
            tensor = graph.initializer[rng.integers(len(graph.initializer))]
            tensor.data_type = int(rng.integers(0, 30))
        elif how == 5:
            graph.output[0].name = NAMES[rng.integers(len(NAMES))] or "y"
        elif how == 6 and node is not None and node.attribute:
            attribute = node.attribute[rng.integers(len(node.attribute))]
            attribute.i = int(rng.choice([-(2**63), -1, 0, 2**62]))
            attribute.ints[:] = [int(rng.choice([-1, 0, 2**31, 2**62])) for _ in attribute.ints]
        else:
            model.opset_import[0].version = int(rng.choice([0, -1, 1, 7, 99, 2**40]))
    try:
        return bytes(model.SerializeToString())
    except ValueError:
        return changed_bytes(data, rng)
