"""Random draws from either of two sources: NumPy on the host, or PyTorch's generator on a device.

A model asks these functions and does not know which source it has. NumPy's bits are those of every
run on a CPU. A device's own generator needs no copy from the host, and a CUDA graph can hold it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

Random = np.random.Generator | torch.Generator
Array = Any  # NumPy's array or a tensor, as the source is


def standard_normal(rng: Random, *shape: int) -> Array:
    """Noise for sampling latents, float32."""
    if isinstance(rng, torch.Generator):
        return torch.randn(shape, generator=rng, device=rng.device)
    return rng.standard_normal(shape, dtype=np.float32)


def integers(rng: Random, high: int | Sequence[int], *shape: int) -> Array:
    """Integers of this shape from 0 to below `high`; with several, below one for each last index."""
    if not isinstance(rng, torch.Generator):
        return rng.integers(high, size=shape)
    if isinstance(high, int):
        return torch.randint(high, shape, generator=rng, device=rng.device)
    return torch.stack([integers(rng, int(below), *shape[:-1]) for below in high], -1)


def permutation(rng: Random, n: int) -> Array:
    """The numbers 0 .. n - 1 in random order."""
    if isinstance(rng, torch.Generator):
        return permutations(rng, (n,), 0)
    return rng.permutation(n)


def permutations(rng: Random, shape: tuple[int, ...], axis: int) -> Array:
    """The numbers from 0 along `axis`, each line of them in a random order of its own."""
    if isinstance(rng, torch.Generator):
        # Ties among float64 numbers are as good as impossible; torch.randperm cannot do many at a time.
        keys = torch.rand(shape, generator=rng, device=rng.device, dtype=torch.float64)
        return keys.argsort(dim=axis, stable=True)
    numbers = np.expand_dims(np.arange(shape[axis]), [other for other in range(len(shape)) if other != axis])
    return rng.permuted(np.broadcast_to(numbers, shape).copy(), axis=axis)
