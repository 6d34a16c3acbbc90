"""The commands dm-train and dm-reproduce: they parse, call the package, and print."""

from __future__ import annotations

from disentangle_metrics.kit import start


def dm_train() -> None:
    """The console script."""
    start("dm-train", "reference_models.cli.train")


def dm_reproduce() -> None:
    """The console script."""
    start("dm-reproduce", "reference_models.cli.reproduce")
