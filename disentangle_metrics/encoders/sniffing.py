"""What kind of file is this? Answered from its content, without loading any of it.

A file's name is the sender's claim. These signatures are what the readers of each format look for,
so a file that is sniffed as harmless is also handed to a reader that can only read that format.
"""

from __future__ import annotations

import pickletools
import struct
import zipfile
from enum import Enum
from pathlib import Path
from typing import BinaryIO

HEAD = 4096
LARGEST_SAFETENSORS_HEADER = 100_000_000  # the format's own limit
PICKLE_OPCODES_READ = 10_000  # no other kind of file goes on making sense for so long
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
        if head.startswith(b"\x89HDF\r\n\x1a\n"):
            return FileKind.HDF5
        if head.startswith(b"\x93NUMPY"):
            return FileKind.NPY
        if head.startswith(TORCH_LEGACY_MAGIC):
            return FileKind.TORCH_SAVE_LEGACY
        if _is_pickle(head, file, size):
            return FileKind.PICKLE
        if _is_safetensors(head):
            return FileKind.SAFETENSORS
        if head.startswith(b"version https://git-lfs"):
            return FileKind.GIT_LFS_POINTER
        if head.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
            return FileKind.WEB_PAGE
        if _is_onnx(file, size):
            return FileKind.ONNX
    return FileKind.TEXT if _is_text(head) else FileKind.UNKNOWN


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
    return FileKind.OTHER_ZIP


def _is_pickle(head: bytes, file: BinaryIO, size: int) -> bool:
    """Protocols 2 and newer announce themselves; the older ones are disassembled (never run)."""
    if head[0] == 0x80:
        return len(head) > 1 and 2 <= head[1] <= 5
    file.seek(0)
    try:
        for count, (opcode, _, position) in enumerate(pickletools.genops(file)):
            if count == 0 and opcode.stack_before:  # needs something on a stack that is still empty
                return False
            if count == PICKLE_OPCODES_READ:
                return True
            if opcode.name == "STOP":
                return position == size - 1
    except ValueError:
        pass
    return False


def _is_safetensors(head: bytes) -> bool:
    """Eight bytes of header length, then the header, a JSON object."""
    return (
        len(head) > 8
        and head[8:9] == b"{"
        and 2 <= struct.unpack("<Q", head[:8])[0] <= LARGEST_SAFETENSORS_HEADER
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
    if b"\x00" in head:
        return False
    # The cut may fall inside a character of up to four bytes.
    for cut in range(4):
        try:
            head[: len(head) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return True
    return False
