"""Checkpoints and pickles that lie, hurt or run something."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from tests.hostile.cases import Case, Fuse, content, cut

CODES = "\x1b]0;owned\x07\x1b[2J"
ONE = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


def safetensors(header: Any, data: bytes = bytes(8), length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def checkpoint(description: Any) -> bytes:
    text = description if isinstance(description, str) else json.dumps(description)
    return safetensors({"__metadata__": {"disentangle_metrics": text}, "model.a": ONE})


def asking(**arguments: Any) -> dict[str, Any]:
    return {"format": 1, "architecture": "beta-vae", "arguments": {"image_shape": [1, 64, 64], **arguments}}


HEADERS: dict[str, Any] = {
    "beyond_the_end": {"a": {**ONE, "data_offsets": [0, 10**12]}},
    "before_the_start": {"a": {**ONE, "data_offsets": [-8, 8]}},
    "turned_round": {"a": {**ONE, "data_offsets": [8, 0]}},
    "overlapping": {"a": ONE, "b": ONE},
    "other_shape": {"a": {**ONE, "shape": [2**62, 4]}},
    "other_type": {"a": {**ONE, "dtype": "X99"}},
    "shape_of_text": {"a": {**ONE, "shape": ["2"]}},
    "no_shape": {"a": {"dtype": "F32"}},
    "metadata_of_numbers": {"__metadata__": {"a": 1}, "a": ONE},
    "a_list": [1, 2],
    "deep": ("[" * 5000).encode(),
    "deep_object": (b'{"a":' * 5000),
    "no_text": b'{"\xff\xfe": 1}',
    "hole": {"a": {**ONE, "data_offsets": [4, 8], "shape": [1]}},
    "nothing": {},
}
DESCRIPTIONS: dict[str, Any] = {
    "empty": "",
    "null": "null",
    "list": "[]",
    "deep": "[" * 5000 + "]" * 5000,
    "unknown_architecture": {"format": 1, "architecture": "x" * 1_000_000, "arguments": {}},
    "architecture_of_codes": {"format": 1, "architecture": CODES, "arguments": {}},
    "architecture_of_numbers": {"format": 1, "architecture": 3, "arguments": {}},
    "no_arguments": {"format": 1, "architecture": "pro-vlae"},
    "list_of_arguments": {"format": 1, "architecture": "pro-vlae", "arguments": []},
    "other_format": {"format": 10**30, "architecture": "pro-vlae", "arguments": {}},
    "no_format": {"architecture": "pro-vlae", "arguments": {}},
    "a_million_latents": asking(latents=1_000_000),
    "a_billion_latents": asking(latents=10**9),
    "endless_latents": asking(latents=10**30),
    "negative_latents": asking(latents=-5),
    "latents_of_text": asking(latents="six"),
    "huge_images": asking(image_shape=[1, 2**20, 2**20]),
    "many_channels": asking(image_shape=[10**9, 64, 64]),
    "no_images": asking(image_shape=[]),
    "images_of_text": asking(image_shape="abc"),
    "strange_argument": asking(__class__=1),
    "a_million_steps": {
        "format": 1, "architecture": "pro-vlae",
        "arguments": {"image_shape": [1, 64, 64], "wake_steps": [0] * 300_000},
    },
    "endless_layers": {
        "format": 1, "architecture": "pro-vlae", "arguments": {"image_shape": [1, 64, 64], "layers": 10**6},
    },
}  # fmt: skip


def safetensors_files() -> Iterator[Case]:
    for name, header in HEADERS.items():
        yield Case(f"safetensors_{name}", content(safetensors(header)), "model")
        if name not in ("metadata_of_numbers", "nothing"):
            yield Case(f"latents_safetensors_{name}", content(safetensors(header)))
    for length in (0, 1, 10**8, 2**63, 2**64 - 1):
        yield Case(f"safetensors_length_{length}", content(safetensors({"a": ONE}, length=length)), "model")
    for name, description in DESCRIPTIONS.items():
        yield Case(f"checkpoint_{name}", content(checkpoint(description)), "model")
    yield Case("safetensors_codes", content(safetensors({CODES: ONE})), "model")
    yield Case("latents_safetensors_codes", content(safetensors({CODES: ONE})), option=":nope")
    many = {f"tensor{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(20_000)}
    yield Case("safetensors_many", content(safetensors(many, b"")), "model")
    yield from cut("safetensors", content(safetensors({"a": ONE})), 3, reader="model")


def torch_zip(data: bytes, storages: dict[str, bytes] | None = None, compression: int = 0) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", compression) as archive:
        archive.writestr("archive/data.pkl", data)
        archive.writestr("archive/version", "3\n")
        for name, storage in (storages or {"0": bytes(8)}).items():
            archive.writestr(f"archive/data/{name}", storage)
    return written.getvalue()


class _Rebuilt:
    """A tensor over a storage with any shape and strides, as torch.save describes one."""

    def __init__(
        self, numbers: int, shape: tuple[int, ...], strides: tuple[int, ...], offset: int = 0
    ) -> None:
        self.numbers, self.rest = numbers, (offset, shape, strides, False, {})

    def __reduce__(self) -> tuple[Any, ...]:
        return torch._utils._rebuild_tensor_v2, (_Storage(self.numbers), *self.rest)


class _Storage:
    def __init__(self, numbers: int) -> None:
        self.numbers = numbers


class _Pickler(pickle.Pickler):
    def persistent_id(self, item: Any) -> Any:
        return (
            ("storage", torch.FloatStorage, "0", "cpu", item.numbers) if isinstance(item, _Storage) else None
        )


def pickled(value: Any) -> bytes:
    written = io.BytesIO()
    _Pickler(written, 2).dump(value)
    return written.getvalue()


def torch_files() -> Iterator[Case]:
    for reader in ("model", "latents"):
        how: dict[str, Any] = {"reader": reader}
        yield Case(
            f"{reader}_torch_bomb",
            lambda path: torch.save({"a": torch.zeros(2), "b": Fuse(path)}, path),
            **how,
        )
        yield Case(f"{reader}_torch_legacy_bomb", _legacy, **how)
        yield Case(
            f"{reader}_torch_no_storage",
            content(torch_zip(pickled({"a": _Rebuilt(2, (2,), (1,))}), {"9": b""})),
            **how,
        )
        yield Case(
            f"{reader}_torch_short_storage",
            content(torch_zip(pickled({"a": _Rebuilt(10**9, (10**9,), (1,))}))),
            **how,
        )
        yield Case(
            f"{reader}_torch_outside",
            content(torch_zip(pickled({"a": _Rebuilt(2, (2,), (1,), 10**6)}))),
            **how,
        )
        yield Case(
            f"{reader}_torch_spread",
            content(torch_zip(pickled({"a": _Rebuilt(2, (10**5, 10**5), (0, 0))}))),
            **how,
        )
        yield Case(
            f"{reader}_torch_negative",
            content(torch_zip(pickled({"a": _Rebuilt(2, (-1, 2), (1, 1))}))),
            **how,
        )
        yield Case(f"{reader}_torch_nonsense", content(torch_zip(b"\x80\x02nonsense")), **how)
        yield Case(
            f"{reader}_torch_deep",
            content(torch_zip(b"\x80\x02" + b"]" * 50_000 + b"a" * 49_999 + b".")),
            **how,
        )
        yield Case(f"{reader}_torch_deflated", _deflated, **how)
        yield Case(
            f"{reader}_torch_codes",
            lambda path: torch.save({CODES: torch.zeros(2), "b": torch.zeros(2)}, path),
            **how,
        )
        yield from cut(f"{reader}_torch", lambda path: torch.save({"a": torch.zeros(50, 2)}, path), 3, **how)


def _legacy(path: Path) -> None:
    torch.save({"a": torch.zeros(2), "b": Fuse(path)}, path, _use_new_zipfile_serialization=False)


def _deflated(path: Path) -> None:
    path.write_bytes(torch_zip(b"\x80\x02" + b" " * 300_000_000, compression=zipfile.ZIP_DEFLATED))


def pickles() -> Iterator[Case]:
    for protocol in range(6):
        for reader in ("model", "latents"):
            yield Case(
                f"{reader}_pickle_{protocol}",
                lambda path, protocol=protocol: path.write_bytes(pickle.dumps(Fuse(path), protocol)) and None,  # type: ignore[misc]
                reader,  # type: ignore[arg-type]
            )
    yield Case("pickle_system", content(b"cos\nsystem\n(S'touch exploded'\ntR."), "model")
    yield Case("pickle_cut", content(pickle.dumps([1.0] * 100, 4)[:50]), "model")
    for opcode, length in (
        (b"\x8e", 2**40),
        (b"\x8e", 2**63),
        (b"\x8d", 2**62),
        (b"\x96", 2**50),
    ):  # found by fuzzing
        data = content(b"(" + opcode + struct.pack("<Q", length) + b"abc.")
        yield Case(f"pickle_of_{opcode[0]}_{length}_bytes", data, "model")
        yield Case(
            f"pickle_2_of_{opcode[0]}_{length}_bytes",
            content(b"\x80\x04" + opcode + struct.pack("<Q", length)),
            "model",
        )
    yield Case("pickle_endless", content(b"\x80\x04" + b"(" * 100_000), "model")
