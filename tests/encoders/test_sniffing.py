"""The kind of a file comes from its content, whatever its name says."""

from __future__ import annotations

import json
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from disentangle_metrics.encoders.sniffing import FileKind, file_kind


def field(number: int, content: bytes) -> bytes:
    """A protobuf field of bytes; short enough for a length of one byte."""
    return bytes([number << 3 | 2, len(content)]) + content


ONNX = bytes([0x08, 8]) + field(2, b"pytorch") + field(7, b"\x0a\x00" * 20) + field(8, b"\x10\x11")

CASES = {
    FileKind.EMPTY: b"",
    FileKind.SAFETENSORS: struct.pack("<Q", 2) + b"{}",
    FileKind.PICKLE: pickle.dumps({"a": 1}),
    FileKind.HDF5: b"\x89HDF\r\n\x1a\n" + bytes(100),
    FileKind.ONNX: ONNX,
    FileKind.GIT_LFS_POINTER: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
    FileKind.WEB_PAGE: b"\n<!DOCTYPE html><html></html>",
    FileKind.DAMAGED_ZIP: b"PK\x03\x04" + bytes(200),
    FileKind.TEXT: "z0,z1\n1.0,größer\n".encode(),
    FileKind.UNKNOWN: bytes(range(200)),
}


@pytest.mark.parametrize("kind", CASES, ids=lambda kind: kind.name)
def test_content_decides(kind: FileKind, tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(CASES[kind])
    assert file_kind(path) is kind


@pytest.mark.parametrize("protocol", range(6))
def test_every_pickle_protocol(protocol: int, tmp_path: Path) -> None:
    for value in ({"a": 1}, [1.5], (1, 2), object, print):
        path = tmp_path / "x.csv"
        path.write_bytes(pickle.dumps(value, protocol=protocol))
        assert file_kind(path) is FileKind.PICKLE, value


@pytest.mark.parametrize("text", ["(a,b)\n1,2\n", "c,d\n1,2.", "{}\n", "1.0\n"])
def test_text_is_not_taken_for_a_pickle(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    assert file_kind(path) is FileKind.TEXT


def test_numpy_files(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(3))
    np.savez(tmp_path / "b.npz", x=np.zeros(3))
    (tmp_path / "b.npz").rename(tmp_path / "b.npy")
    assert file_kind(tmp_path / "a.npy") is FileKind.NPY
    assert file_kind(tmp_path / "b.npy") is FileKind.NPZ


def test_keras_and_unknown_archives(tmp_path: Path) -> None:
    for name, members, kind in [
        ("k", ["config.json", "metadata.json", "model.weights.h5"], FileKind.KERAS),
        ("o", ["readme.txt"], FileKind.OTHER_ZIP),
    ]:
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for member in members:
                archive.writestr(member, "x")
        assert file_kind(tmp_path / name) is kind


def test_truncated_onnx_is_still_onnx(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(ONNX[:30])
    assert file_kind(path) is FileKind.ONNX


def test_json_is_not_taken_for_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_text(json.dumps({"format": 1}))
    assert file_kind(path) is FileKind.JSON


@pytest.mark.parametrize(
    "garble",
    [{6: b"\xff\x00"}, {8: b"\x00\x08", 46: b"\xff\xff"}],
    ids=["a version from the future", "a name that is no text"],
)
def test_garbled_archives_are_damaged(garble: dict[int, bytes], tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", first=np.zeros(3))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    directory = content.rindex(b"PK\x01\x02")
    for offset, garbage in garble.items():
        content[directory + offset : directory + offset + len(garbage)] = garbage
    (tmp_path / "a.npz").write_bytes(content)
    assert file_kind(tmp_path / "a.npz") is FileKind.DAMAGED_ZIP
