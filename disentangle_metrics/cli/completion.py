"""What the shell offers behind an option of ``dm-eval`` whose values have names."""

from __future__ import annotations

from collections.abc import Iterable

# Each list is imported only when it is asked for: the command itself must not wait for it.


def metrics(incomplete: str) -> list[str]:
    """Metrics, behind those that stand before the last comma."""
    from disentangle_metrics.metrics import METRICS

    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in _beginning(METRICS.names(), last)]


def protocols(incomplete: str) -> list[str]:
    """Protocols."""
    from disentangle_metrics.scoring.protocols import PROTOCOLS

    return _beginning(PROTOCOLS, incomplete)


def datasets(incomplete: str) -> list[str]:
    """Data sets."""
    from disentangle_metrics.datasets import DATASETS

    return _beginning(DATASETS.names(), incomplete)


def architectures(incomplete: str) -> list[str]:
    """Architectures."""
    from disentangle_metrics.encoders import ENCODERS

    return _beginning(ENCODERS.names(), incomplete)


def _beginning(names: Iterable[str], start: str) -> list[str]:
    return [name for name in names if name.startswith(start)]
