"""PyTorch, imported when first needed, and the device to run on."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from disentangle_metrics.errors import InputError, ModelFileError
from disentangle_metrics.kit.installing import install_line

if TYPE_CHECKING:
    import torch

OLDEST = (2, 10)  # the first release without the known holes in weights-only loading


def import_torch() -> ModuleType:
    """The torch module.

    Raises
    ------
    ModelFileError
        If PyTorch is missing, or so old that weights-only loading is not safe.
    """
    try:
        import torch
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ModelFileError(
            "loading a model needs PyTorch, which is not installed; "
            f"install it with: {install_line('models')}"
        ) from None
    major, minor = (int(part) for part in torch.__version__.split(".")[:2])
    if (major, minor) < OLDEST:
        raise ModelFileError(
            f"loading a model safely needs PyTorch {OLDEST[0]}.{OLDEST[1]} or newer, found "
            f"{torch.__version__}; upgrade it with: {install_line('models', upgrade=True)}"
        )
    return torch


def pick_device(name: str) -> torch.device:
    """The device called `name`; ``"auto"`` is CUDA where there is one, else MPS, else the CPU.

    Raises
    ------
    InputError
        If there is no such device on this machine.
    """
    import torch

    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except Exception as error:  # each backend has its own exception for a device that is not there
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"device {name!r} cannot be used: {reason}; accepted: auto, cpu, cuda, cuda:N, mps"
        ) from error
    return device
