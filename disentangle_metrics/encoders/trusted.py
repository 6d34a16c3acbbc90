"""Files that are programs, opened only for a caller who said that they are trusted.

Unpickling a network imports and calls whatever the file names. TorchScript is a program by design,
and torch.export.load falls back to unrestricted unpickling by itself. None of them can be made
safe by an option, so nothing in this file runs without ``trust=True``, and what runs is announced.
"""

from __future__ import annotations

import pickle
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from disentangle_metrics.encoders.pickled_names import is_of_a_network
from disentangle_metrics.encoders.sniffing import FileKind
from disentangle_metrics.encoders.torch_save import (
    HOW_TO_SAVE,
    HOW_TO_TRUST,
    PROGRAMS_OF_PYTHON,
    damaged,
)
from disentangle_metrics.errors import ModelFileError, UntrustedModelError
from disentangle_metrics.text import one_line

if TYPE_CHECKING:
    import torch

PROGRAMS = {
    FileKind.TORCHSCRIPT: "the program in it",
    FileKind.EXPORTED_PROGRAM: "the program in it, and any pickle or compiled library packed with it",
    FileKind.PICKLE: "whatever its pickle names",
}
"""Kinds that can only be loaded by running what is in them, and what that is."""
WHOLE_PROGRAMS = (FileKind.TORCHSCRIPT, FileKind.EXPORTED_PROGRAM)


def refusal(path: Path, kind: FileKind, names: list[str]) -> UntrustedModelError:
    """The error for a program that nobody said is trusted; `names` are what it would import."""
    named = f" (its pickle names {', '.join(names[:3])}{' ...' if len(names) > 3 else ''})" if names else ""
    would_run = f"{path} is {kind.value}{named}, and loading it would run code from the file"
    if odd := [name for name in names if name.partition(".")[0] in PROGRAMS_OF_PYTHON]:
        return UntrustedModelError(f"{would_run}; no network needs {odd[0]}: do not load it; {HOW_TO_SAVE}")
    if any(name.partition(".")[0] == "sklearn" for name in names):
        return UntrustedModelError(
            f"{would_run}; models of scikit-learn are not read; encode the images yourself and score the "
            "latents with `dm.score`"
        )
    if kind in WHOLE_PROGRAMS or any(map(is_of_a_network, names)):
        return UntrustedModelError(f"{would_run}; {HOW_TO_SAVE}, {HOW_TO_TRUST}")
    if not names and kind is FileKind.PICKLE:
        return UntrustedModelError(f"{path} is {kind.value} that names no network; {HOW_TO_SAVE}")
    return UntrustedModelError(f"{would_run}; it names no network; {HOW_TO_SAVE}")


def announce(path: Path, kind: FileKind, names: list[str], sha256: str) -> None:
    """Say on stderr what is about to run."""
    runs = (
        f"what its pickle names: {', '.join(names)}" if names else PROGRAMS.get(kind, "what its pickle names")
    )
    text = f"trusted file {path}: {kind.value}; loading it runs {runs}; sha256 {sha256}"
    print(one_line(text), file=sys.stderr)


def load_program(path: Path, kind: FileKind, device: torch.device) -> Any:
    """What the file holds: a network, or a dictionary of weights; whatever it names has run.

    Raises
    ------
    ModelFileError
        If the file is damaged, or names something that cannot be imported here.
    """
    import torch

    try:
        with path.open("rb") as file, warnings.catch_warnings():
            # TorchScript is deprecated; that is for the file's maker to know, not for its reader.
            warnings.simplefilter("ignore")
            if kind is FileKind.TORCHSCRIPT:
                return torch.jit.load(file, map_location=device)  # type: ignore[no-untyped-call]
            if kind is FileKind.EXPORTED_PROGRAM:
                from torch.export.passes import move_to_device_pass

                return move_to_device_pass(torch.export.load(file), device).module()
            if kind is FileKind.PICKLE:
                return pickle.load(file)
            return torch.load(file, map_location="cpu", weights_only=False)
    except (ImportError, AttributeError) as error:
        raise ModelFileError(
            f"{path} is {kind.value} that needs code which is not here ({error}); run where its package "
            "can be imported"
        ) from error
    except Exception as error:  # code from the file may raise anything
        raise damaged(path, kind, error) from error
