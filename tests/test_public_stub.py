"""What type checkers see of the package is what it is."""

from __future__ import annotations

import disentangle_metrics as dm
from tools.public_stub import TARGET, stub


def test_the_stub_is_up_to_date():
    assert TARGET.read_text(encoding="utf-8") == stub(), "run python -m tools.public_stub"


def test_every_public_name_resolves():
    for name in dm.__all__:
        assert getattr(dm, name) is not None
