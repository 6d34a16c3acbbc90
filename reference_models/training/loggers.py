"""TensorBoard and Weights & Biases, for those who ask for them: they get the log's rows too."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from disentangle_metrics import InputError

MODULES = {"tensorboard": "torch.utils.tensorboard", "wandb": "wandb"}


class Logger:
    """Takes the rows of logs, and here does nothing with them."""

    def write(self, log: str, row: Mapping[str, float]) -> None:
        """Take a row, which has a ``step``, of the log of this name."""

    def close(self) -> None:
        """Nothing more comes."""


def check_logger(name: str) -> None:
    """Raise InputError unless what this logger needs is installed."""
    if name != "none":
        import_module(name)


def import_module(name: str) -> Any:
    try:
        return importlib.import_module(MODULES[name])
    except ImportError as error:
        raise InputError(
            f"logger {name!r} needs the package {name}, which cannot be imported ({error}); "
            f"pip install {name}, or leave it out: log.csv and log.jsonl are always written"
        ) from None


def open_logger(name: str, folder: Path, start: int, description: Mapping[str, Any]) -> Logger:
    """The logger of this name; `start` is the step that a run goes on from."""
    if name == "tensorboard":
        return TensorBoard(import_module(name), folder, start)
    if name == "wandb":
        return Wandb(import_module(name), folder, description)
    return Logger()


class TensorBoard(Logger):
    """Writes event files in the run's folder."""

    def __init__(self, module: Any, folder: Path, start: int) -> None:
        # Events of later steps, from before a kill, are hidden like those rows of the log.
        self.writer = module.SummaryWriter(str(folder / "tensorboard"), purge_step=start + 1)

    def write(self, log: str, row: Mapping[str, float]) -> None:
        for name, value in row.items():
            if name != "step":
                self.writer.add_scalar(f"{log}/{name}", value, int(row["step"]))

    def close(self) -> None:
        self.writer.close()


class Wandb(Logger):
    """Makes a run of the folder's name; a resumed run is another one in the same group."""

    def __init__(self, module: Any, folder: Path, description: Mapping[str, Any]) -> None:
        name = folder.resolve().name
        self.run = module.init(
            project="disentangle-metrics", group=name, name=name, dir=str(folder), config=dict(description)
        )

    def write(self, log: str, row: Mapping[str, float]) -> None:
        # Its own step counter takes one row a step, and there may be two.
        self.run.log({f"{log}/{name}" if name != "step" else name: value for name, value in row.items()})

    def close(self) -> None:
        self.run.finish()
