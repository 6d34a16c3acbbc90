"""What torch.save wrote, through PyTorch's weights-only reader: nothing that a file names is called.

Checkpoints often hold more than tensors: training settings, numbers of NumPy, objects of other
packages. PyTorch's reader accepts further names if it is told what they stand for. NumPy's arrays are
what they are; every other name stands for an object that keeps nothing and does nothing. So weights
beside such objects are read, and no code of the file runs.
"""

from __future__ import annotations

import importlib
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from disentangle_metrics.encoders.pickled_names import is_of_a_network
from disentangle_metrics.encoders.sniffing import FileKind
from disentangle_metrics.errors import InputError, ModelFileError, UntrustedModelError

HOW_TO_SAVE = (
    "save the weights alone with torch.save(network.state_dict(), ...) and give `arch` or `model_code`"
)
HOW_TO_TRUST = "or, if you trust whoever made the file, pass `trust=True`"  # for networks alone
# A file that names one of these means to run something, and is not looked through further.
PROGRAMS_OF_PYTHON = frozenset((
    "builtins", "__builtin__", "os", "posix", "nt", "sys", "subprocess", "shutil", "runpy", "importlib",
    "pty", "socket", "webbrowser", "pickle", "code", "ctypes", "multiprocessing",
))  # fmt: skip


class Ignored:
    """What stands in place of an object that is not read."""

    def __new__(cls, *arguments: Any, **named: Any) -> Ignored:
        """Take any arguments, and keep none."""
        return super().__new__(cls)

    def __init__(self, *arguments: Any, **named: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass


def unsafe_globals(path: Path, kind: FileKind) -> list[str]:
    """What the pickle inside a torch.save file would import beyond plain weights; read, not run.

    Empty for the format from before PyTorch 1.6, whose content only the loader can look through.
    """
    if kind is FileKind.TORCH_SAVE_LEGACY:
        return []
    from torch.serialization import get_unsafe_globals_in_checkpoint

    try:
        with path.open("rb") as file:
            return sorted(get_unsafe_globals_in_checkpoint(file))
    except Exception as error:  # a damaged archive fails in as many ways as there are readers in it
        raise damaged(path, kind, error) from error


def read_torch_save(path: Path, kind: FileKind, ignored: list[str] | None = None) -> Any:
    """What a torch.save file holds, by the restricted reader only; never retried otherwise.

    Objects of the names in `ignored` are replaced by :class:`Ignored`.

    Raises
    ------
    UntrustedModelError
        If the file holds more than that.
    ModelFileError
        If it is damaged.
    """
    import torch
    from torch.serialization import safe_globals

    try:
        with safe_globals(_stand_ins(ignored or [])), path.open("rb") as file:
            # Given a path, torch.load goes by the name's ending.
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        named = re.search(r"GLOBAL ([\w.]+)", str(error))
        if named and is_of_a_network(named[1]):
            raise UntrustedModelError(
                f"{path} is {kind.value} that names {named[1]}, and loading it would run code from the file; "
                f"{HOW_TO_SAVE}, {HOW_TO_TRUST}"
            ) from error
        raise UntrustedModelError(
            f"{path} is {kind.value} that is damaged or holds more than weights: reading it could run "
            f"code, so it was not read; {HOW_TO_SAVE}"
        ) from error
    except Exception as error:  # a damaged archive fails in as many ways as there are readers in it
        raise damaged(path, kind, error) from error


def weights_beside_objects(path: Path, kind: FileKind, names: list[str]) -> Mapping[Any, Any] | None:
    """The dictionary in a file that also holds objects of these `names`; None if it cannot be read without.

    None too if the file names what only programs need, or if the dictionary holds no tensors.
    """
    if any(name.partition(".")[0] in PROGRAMS_OF_PYTHON for name in names):
        return None
    try:
        content = read_torch_save(path, kind, names)
    except ModelFileError:
        return None
    return content if isinstance(content, Mapping) and _has_tensors(content) else None


def _has_tensors(content: Mapping[Any, Any]) -> bool:
    import torch

    return any(
        isinstance(value, torch.Tensor) or (isinstance(value, Mapping) and _has_tensors(value))
        for value in content.values()
    )


def _stand_ins(names: list[str]) -> list[Any]:
    """For each name what the reader takes for it."""
    multiarray: Any = importlib.import_module("numpy._core.multiarray")
    stand_ins: list[Any] = []
    for name in names:
        real: Any = None
        if name == "_codecs.encode":
            real = _as_latin1
        elif name in ("numpy.ndarray", "numpy.dtype"):
            real = getattr(np, name.partition(".")[2])
        elif name.startswith("numpy.dtypes."):
            real = getattr(np.dtypes, name.rpartition(".")[2], None)
        elif name in ("numpy._core.multiarray._reconstruct", "numpy.core.multiarray._reconstruct"):
            real = multiarray._reconstruct
        elif name in ("numpy._core.multiarray.scalar", "numpy.core.multiarray.scalar"):
            real = multiarray.scalar
        stand_ins.append((real or type("Ignored", (Ignored,), {}), name))
    if any(name.startswith("numpy.") for name in names):  # NumPy's types of numbers are not named in files
        stand_ins += [kind for kind in vars(np.dtypes).values() if isinstance(kind, type)]
    return stand_ins


def _as_latin1(text: str, encoding: str = "latin1") -> bytes:
    """How pickles write bytes; in no other encoding."""
    if encoding not in ("latin1", "latin-1"):
        raise ValueError(f"bytes in the encoding {encoding!r}")
    return text.encode("latin-1")


def tensors_only(path: Path, kind: FileKind) -> dict[str, Any]:
    """The tensors and arrays of a torch.save file of latents or factors, by name.

    Raises
    ------
    InputError
        If PyTorch is missing, or the file holds other things.
    """
    from disentangle_metrics.encoders.pytorch import import_torch

    torch = import_torch()
    names = unsafe_globals(path, kind)
    arrays_only = all(name.startswith(("numpy.", "_codecs.")) for name in names)
    if not arrays_only:
        raise InputError(
            f"{path} is {kind.value} that holds more than tensors ({', '.join(names[:3])}), and is not read; "
            "save the tensors alone with torch.save, or the array with numpy.save"
        )
    try:
        content = read_torch_save(path, kind, names)
    except UntrustedModelError:
        raise InputError(
            f"{path} is {kind.value} that is damaged or holds more than tensors, and is not read; save the "
            "tensors alone with torch.save, or the array with numpy.save"
        ) from None
    kinds = (torch.Tensor, np.ndarray)
    if isinstance(content, kinds):
        return {"tensor": content}
    if isinstance(content, (list, tuple)):
        content = {str(place): value for place, value in enumerate(content)}
    if not isinstance(content, Mapping):
        raise InputError(f"{path} holds {type(content).__name__} and no tensors")
    tensors = {str(name): value for name, value in content.items() if isinstance(value, kinds)}
    if not tensors:
        raise InputError(f"{path} holds no tensors but {', '.join(map(str, list(content)[:5]))}")
    return tensors


def damaged(path: Path, kind: FileKind, error: Exception) -> ModelFileError:
    """The error for a file whose kind was recognised but whose content cannot be read."""
    reason = str(error).partition("\n")[0].strip() or type(error).__name__
    return ModelFileError(f"{path} is {kind.value} that is truncated or damaged ({reason[:200]})")
