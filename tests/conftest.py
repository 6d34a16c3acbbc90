"""Settings of every test: hypothesis draws the same examples each time, and a hang is named."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from tests import network_guard

network_guard.install()

HOUR = 3600

if "PYTEST_XDIST_WORKER" in os.environ:  # each worker has one core, and threads would fight for it
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")

settings.register_profile(
    "default",
    deadline=None,
    derandomize=True,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("default")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A slow test has an hour, where the others have the seconds that pyproject.toml gives them."""
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(HOUR))
