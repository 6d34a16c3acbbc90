"""Training goes on with the random numbers that it would have had without a score in between."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


@contextlib.contextmanager
def kept_random_state() -> Iterator[None]:
    """Restore the random state of Python, NumPy and PyTorch, on every device in use, after the block."""
    restore: list[tuple[Callable[..., Any], Any]] = [
        (random.setstate, random.getstate()),
        (np.random.set_state, np.random.get_state()),  # noqa: NPY002, what other people's code draws from
    ]
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        restore.append((torch.set_rng_state, torch.get_rng_state()))
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            restore.append((torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all()))
        if torch.backends.mps.is_available():
            restore.append((torch.mps.set_rng_state, torch.mps.get_rng_state()))
    try:
        yield
    finally:
        for put_back, state in restore:
            put_back(state)
