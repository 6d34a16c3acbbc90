from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--training-steps", type=int, default=60, help="steps of each timed training (default 60)"
    )
