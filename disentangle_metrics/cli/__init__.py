"""The commands: they parse, call the package's public face, and print."""

from __future__ import annotations

from disentangle_metrics.kit.starting import start


def dm_eval() -> None:
    """The console script."""
    start("dm-eval", "disentangle_metrics.cli.evaluate")


def dm_data() -> None:
    """The console script."""
    start("dm-data", "disentangle_metrics.cli.data")
