"""One process, or one for each of several devices that train a model together.

Every process computes the gradient of its share of each batch, and the shares are averaged before
the step; so all take the same step, and the first alone writes files. The processes are started
and connected by Lightning Fabric, which is imported only if there are several.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from disentangle_metrics import InputError
from disentangle_metrics.kit import install_line
from reference_models.training.interruption import stop_requests


class Team:
    """The processes that train together, seen from one of them: here, one that is alone.

    Attributes
    ----------
    device : torch.device
        This process's.
    rank, size : int
        Its number, from 0, and how many there are.
    """

    def __init__(self, device: torch.device) -> None:
        self.device, self.rank, self.size = device, 0, 1

    def gather(self, value: Tensor) -> Tensor:
        """The `value` (...) of every process, (size, ...)."""
        return value[None]

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its mean over the processes."""

    def wait(self) -> None:
        """Wait until every process is here."""


class FabricTeam(Team):
    """One of several processes, connected by a ``lightning_fabric.Fabric``."""

    def __init__(self, fabric: Any) -> None:
        self.fabric = fabric
        self.device, self.rank, self.size = fabric.device, fabric.global_rank, fabric.world_size

    def gather(self, value: Tensor) -> Tensor:
        places = torch.zeros(self.size, *value.shape, dtype=value.dtype, device=self.device)
        places[self.rank] = value
        gathered: Tensor = self.fabric.all_reduce(places, reduce_op="sum")
        return gathered

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        gradients = [p.grad for p in parameters if p.grad is not None]
        # All at once: the models are small, and each exchange costs its latency.
        flat = self.fabric.all_reduce(torch.cat([g.reshape(-1) for g in gradients]), reduce_op="mean")
        for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient))

    def wait(self) -> None:
        self.fabric.barrier()


def import_fabric() -> Any:
    """Lightning Fabric's class. Raises InputError if it is not installed."""
    try:
        from lightning_fabric import Fabric
    except ModuleNotFoundError as error:
        raise InputError(
            f"several devices need the package lightning-fabric ({error.name} is not installed); "
            f"{install_line('devices')}, or use one device"
        ) from None
    return Fabric


def check_devices(devices: int, device: torch.device) -> None:
    """Raise InputError unless `devices` of this kind can be used together."""
    if devices == 1:
        return
    import_fabric()
    if device.type == "mps" or (device.type == "cuda" and torch.cuda.device_count() < devices):
        found = torch.cuda.device_count() if device.type == "cuda" else 1
        raise InputError(f"devices is {devices}, but there is only {found} of the kind {device.type!r} here")
    if device.index is not None:
        raise InputError(
            f"device is {str(device)!r}; several devices are chosen by kind, such as {device.type!r}"
        )


def run_on_devices(
    devices: int, kind: str, function: Callable[..., Any], model: nn.Module, *arguments: Any
) -> Any:
    """``function(team, model, *arguments)`` in a process for each device; returns what the first returns.

    Everything is pickled on its way: each process has a model of its own. An exception of the
    process that fails first is raised here.
    """
    fabric = import_fabric()(accelerator=kind, devices=devices, strategy="ddp_spawn")
    failures = multiprocessing.get_context("spawn").SimpleQueue()
    threads = max(1, torch.get_num_threads() // devices) if kind == "cpu" else torch.get_num_threads()
    with stop_requests(pass_on=True):
        try:
            return fabric.launch(member, failures, threads, model, Task(function, arguments))
        except Exception:
            if failures.empty():
                raise
            raise failures.get() from None


class Task:
    """A function and its last arguments, in which Fabric looks for no tensors to copy."""

    def __init__(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self.function, self.arguments = function, arguments

    def __call__(self, team: Team, model: nn.Module) -> Any:
        return self.function(team, model, *self.arguments)


def member(fabric: Any, failures: Any, threads: int, model: nn.Module, task: Task) -> Any:
    """What each process does."""
    torch.set_num_threads(threads)
    try:
        return task(FabricTeam(fabric), model)
    except Exception as error:
        failures.put(error)
        raise
