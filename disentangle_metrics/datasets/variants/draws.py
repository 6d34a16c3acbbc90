"""Random numbers that belong to an image: the same for its index and a seed, on every machine.

SplitMix64 as a counter: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators",
OOPSLA 2014. Whole numbers only, so the bits are the same whatever the version of NumPy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def random_bytes(seed: int, indices: NDArray[np.int64], count: int) -> NDArray[np.uint8]:
    """So many bytes (n, count) of each image, uniform in 0 .. 255."""
    start = np.array((seed + 1) * int(GOLDEN) % 2**64, np.uint64)
    keys = _mixed(start) ^ indices.astype(np.uint64)
    places = np.arange(1, -(-count // 8) + 1, dtype=np.uint64) * GOLDEN
    words = _mixed(_mixed(keys)[:, None] + places)
    return np.ascontiguousarray(words.astype("<u8")).view(np.uint8).reshape(len(indices), -1)[:, :count]


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    with np.errstate(over="ignore"):  # arithmetic modulo 2^64
        mixed = (words ^ (words >> np.uint64(30))) * FIRST
        mixed = (mixed ^ (mixed >> np.uint64(27))) * SECOND
        return mixed ^ (mixed >> np.uint64(31))
