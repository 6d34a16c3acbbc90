"""What kind of file is this? Answered from its content, without loading any of it.

A file's name is the sender's claim. These signatures are what the readers of each format look for,
so a file that is sniffed as harmless is also handed to a reader that can only read that format.
"""

from __future__ import annotations

import pickletools
import re
import struct
import zipfile
from enum import Enum
from pathlib import Path
from typing import BinaryIO

from disentangle_metrics.encoders.bounded import bounded

HEAD = 4096
STARTS = (
    (b"\x89HDF\r\n\x1a\n", "HDF5"),
    (b"\x93NUMPY", "NPY"),
    (b"PAR1", "PARQUET"),
    (b"ARROW1", "ARROW"),
    (b"FEA1", "ARROW"),
    (b"\xff\xff\xff\xff", "ARROW"),
    (b"ORC", "ORC"),
    (b"\x1f\x8b", "GZIP"),
    (b"BZh", "BZIP2"),
    (b"\xfd7zXZ\x00", "XZ"),
    (b"\x28\xb5\x2f\xfd", "ZSTANDARD"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "EXCEL"),
    (b"RDX", "R_DATA"),
    (b"RDA", "R_DATA"),
    (b"X\n\x00\x00\x00", "R_DATA"),
    (b"MATLAB 5.0 MAT-file", "MAT"),
    (b"MATLAB 7.3 MAT-file", "MAT_HDF5"),
    (b"version https://git-lfs", "GIT_LFS_POINTER"),
)
LARGEST_SAFETENSORS_HEADER = 100_000_000  # the format's own limit
PICKLE_OPCODES_READ = 10_000  # no other kind of file goes on making sense for so long
CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\r\x0b\x0c\x1a\x1b")  # no text has them
TORCH_LEGACY_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."


class FileKind(Enum):
    """The kinds told apart, each with the words that describe it to a user."""

    EMPTY = "an empty file"
    SAFETENSORS = "a safetensors file"
    TORCH_SAVE = "a torch.save file"
    TORCH_SAVE_LEGACY = "a torch.save file in the format from before PyTorch 1.6"
    TORCHSCRIPT = "a TorchScript program"
    EXPORTED_PROGRAM = "a torch.export program (.pt2)"
    PICKLE = "a Python pickle"
    ONNX = "an ONNX model"
    KERAS = "a Keras model"
    HDF5 = "an HDF5 file (such as Keras weights)"
    NPY = "a NumPy array (.npy)"
    NPZ = "a NumPy archive (.npz)"
    PARQUET = "a Parquet file"
    ARROW = "an Arrow or Feather file"
    MAT = "a MATLAB file (.mat)"
    MAT_HDF5 = "a MATLAB file (.mat) of version 7.3"
    GZIP = "a file compressed by gzip"
    BZIP2 = "a file compressed by bzip2"
    XZ = "a file compressed by xz"
    ZSTANDARD = "a file compressed by zstd"
    EXCEL = "an Excel workbook"
    R_DATA = "a file of R's own format (.rds, .RData)"
    ORC = "an ORC file"
    ONE_IN_ZIP = "a zip archive of one file"
    JSON = "a JSON file"
    DAMAGED_ZIP = "a zip archive that is truncated or damaged"
    OTHER_ZIP = "a zip archive of unknown content"
    GIT_LFS_POINTER = "a Git LFS pointer, not the file itself"
    WEB_PAGE = "a web page"
    TEXT = "a text file"
    UNKNOWN = "a file of unknown format"


def file_kind(path: Path) -> FileKind:
    """The kind of the file at `path`, from its first bytes and, for archives, its members' names.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    size = path.stat().st_size
    if size == 0:
        return FileKind.EMPTY
    with path.open("rb") as file:
        head = file.read(HEAD)
        if head.startswith(b"PK\x03\x04"):
            return _zip_kind(path)
        if _is_safetensors(head):  # first: its length may look like the beginning of anything else
            return FileKind.SAFETENSORS
        for start, name in STARTS:
            if head.startswith(start) and not (len(start) < 4 and _is_text(head)):
                return FileKind[name]
        if head.startswith(TORCH_LEGACY_MAGIC):
            return FileKind.TORCH_SAVE_LEGACY
        if _is_pickle(head, file, size):
            return FileKind.PICKLE
        if head.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
            return FileKind.WEB_PAGE
        if _is_onnx(file, size):
            return FileKind.ONNX
    if not _is_text(head):
        return FileKind.UNKNOWN
    return FileKind.JSON if _is_json(head) else FileKind.TEXT


def _zip_kind(path: Path) -> FileKind:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError):  # the last two: garbled versions and names
        return FileKind.DAMAGED_ZIP
    # PyTorch puts everything in one folder, whose name is the sender's choice.
    inner = {name.partition("/")[2] for name in members}
    if "constants.pkl" in inner or any(name.startswith("code/") for name in inner):
        return FileKind.TORCHSCRIPT
    if {"archive_format", "models/model.json"} & {*inner, *members} or any(
        name.endswith("serialized_exported_program.json") for name in members
    ):
        return FileKind.EXPORTED_PROGRAM
    if "data.pkl" in inner:
        return FileKind.TORCH_SAVE
    if "config.json" in members and any(name.endswith(".weights.h5") for name in members):
        return FileKind.KERAS
    if members and all(name.endswith(".npy") for name in members):
        return FileKind.NPZ
    if "xl/workbook.xml" in members or "content.xml" in members:
        return FileKind.EXCEL
    one_table = len(members) == 1 and members[0].lower().endswith((".csv", ".tsv"))
    return FileKind.ONE_IN_ZIP if one_table else FileKind.OTHER_ZIP


def _is_pickle(head: bytes, file: BinaryIO, size: int) -> bool:
    """Protocols 2 and newer announce themselves; the older ones are disassembled (never run)."""
    if head[0] == 0x80:
        return len(head) > 1 and 2 <= head[1] <= 5
    file.seek(0)
    try:
        for count, (opcode, _, position) in enumerate(pickletools.genops(bounded(file, size))):
            if count == 0 and opcode.stack_before:  # needs something on a stack that is still empty
                return False
            if count == PICKLE_OPCODES_READ:
                file.seek(size - 1)
                return file.read(1) == b"."  # how every pickle ends
            if opcode.name == "STOP":
                return position == size - 1
    except ValueError:
        pass
    return False


def _is_safetensors(head: bytes) -> bool:
    """Eight bytes of header length, then the header, a JSON object."""
    return (
        len(head) > 8
        and 2 <= struct.unpack("<Q", head[:8])[0] <= LARGEST_SAFETENSORS_HEADER
        and re.match(rb'\{\s*("|\}|$)', head[8:]) is not None
    )


def _is_onnx(file: BinaryIO, size: int) -> bool:
    """Whether the top level reads as ONNX's ModelProto: known fields only, a graph (7) among them.

    ONNX files have no signature; fields are skipped by their lengths, so nothing else is read. A
    truncated file still counts when its graph has begun.
    """
    varints, messages = {1, 5}, {2, 3, 4, 6, 7, 8, 14, 20, 25, 26}
    position, seen = 0, set()
    while position < size:
        file.seek(position)
        head = file.read(20)
        tag, used = _varint(head)
        value, more = _varint(head[used:])
        if used == 0 or more == 0:
            return 7 in seen
        number, wire = tag >> 3, tag & 7
        if not (wire == 0 and number in varints) and not (wire == 2 and number in messages):
            return False
        seen.add(number)
        position += used + more + (value if wire == 2 else 0)
    return 7 in seen


def _varint(data: bytes) -> tuple[int, int]:
    """A protobuf variable-length integer and how many bytes it took (0 if it is incomplete)."""
    value = 0
    for i, byte in enumerate(data[:10]):
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return value, i + 1
    return 0, 0


def _is_text(head: bytes) -> bool:
    """Whether it is text in UTF-8, in UTF-16 or UTF-32 with its mark, or in an encoding of one byte."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        return True
    if b"\x00" in head:
        half = max(head[::2].count(0), head[1::2].count(0))  # UTF-16 of Latin letters has a zero beside each
        return min(head[::2].count(0), head[1::2].count(0)) == 0 and half >= 0.9 * (len(head) // 2) > 0
    return not set(head) & CONTROLS


def _is_json(head: bytes) -> bool:
    return re.match(rb'(\xef\xbb\xbf)?\s*(\{\s*"|\[\s*[\[{"\d-])', head) is not None
