"""What a device computes with: which it is, in what precision, and whether it repeats itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import nn

from disentangle_metrics import InputError


def pick_device(name: str) -> torch.device:
    """The device called `name`; ``"auto"`` is CUDA, else MPS, else the CPU."""
    if name == "auto":
        available = "cuda" if torch.cuda.is_available() else "mps" if torch.mps.is_available() else "cpu"
        return torch.device(available)
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"device {name!r} cannot be used here ({reason}); try 'auto' or 'cpu'") from None
    return device


def autocast(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """The context in which the objective is computed; entered anew for every batch."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, getattr(torch, precision))


def loss_scaler(precision: str, device: torch.device) -> torch.amp.GradScaler:
    """Multiplies the loss, so that small gradients are not 0 in float16; else it does nothing.

    A step whose gradients overflow is left out, and the next loss is multiplied by less.
    """
    return torch.amp.GradScaler(device.type, enabled=precision == "float16")


def check_precision(precision: str, device: torch.device) -> None:
    """Take one step of a small network, and raise InputError if the device cannot in this precision."""
    if precision == "float32":
        return
    with torch.random.fork_rng(devices=[]):
        layer = nn.Conv2d(1, 1, 3).to(device)
    optimizer = torch.optim.Adam(layer.parameters(), fused=True)
    scaler = loss_scaler(precision, device)
    try:
        with autocast(precision, device):
            loss = layer(torch.ones(1, 1, 4, 4, device=device)).float().sum()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
    except (RuntimeError, NotImplementedError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"precision {precision!r} cannot be used on {device.type} here ({reason}); try 'float32'"
        ) from None


@contextmanager
def deterministic_algorithms(wanted: bool) -> Iterator[None]:
    """Use only algorithms that repeat to the last bit, and raise where an operation has none."""
    if not wanted:
        yield
        return
    cudnn = torch.backends.cudnn
    was_on = torch.are_deterministic_algorithms_enabled()
    was_warning = torch.is_deterministic_algorithms_warn_only_enabled()
    flags = cudnn.deterministic, cudnn.benchmark
    workspace = os.environ.get("CUBLAS_WORKSPACE_CONFIG")
    try:
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = workspace or ":4096:8"  # cuBLAS repeats itself only so
        torch.use_deterministic_algorithms(True)
        cudnn.deterministic, cudnn.benchmark = True, False
        yield
    finally:
        torch.use_deterministic_algorithms(was_on, warn_only=was_warning)
        cudnn.deterministic, cudnn.benchmark = flags
        if workspace is None:
            os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Round numbers too small for full precision to 0.

    Once a layer is unused its activations get that small, and CPU steps more than twice as slow.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
