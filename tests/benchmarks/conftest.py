from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--training-steps", type=int, default=60, help="steps of each timed training (default 60)"
    )
    parser.addoption("--quick", action="store_true", help="small sizes, to see that the benchmarks run")


@pytest.fixture(scope="session")
def quick(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--quick"))
