"""Both sources of random draws: the shapes and laws are the same, and NumPy's bits are NumPy's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from reference_models.models.parts import draws


def numpy_source():
    return np.random.default_rng(0)


def device_source():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("source", [numpy_source, device_source])
def test_draws_have_their_shapes_and_ranges(source):
    noise = draws.standard_normal(source(), 4_000, 3)
    assert tuple(noise.shape) == (4_000, 3)
    assert noise.dtype in (np.float32, torch.float32)
    assert abs(float(noise.mean())) < 5 / np.sqrt(12_000)
    assert abs(float((noise**2).mean()) - 1) < 5 * np.sqrt(2 / 12_000)

    rows = np.asarray(draws.integers(source(), 7, 7_000))
    assert np.bincount(rows) / 1_000 == pytest.approx(np.ones(7), abs=0.2)
    columns = np.asarray(draws.integers(source(), (2, 5, 3), 1_000, 3))
    assert columns.max(0).tolist() == [1, 4, 2]
    assert columns.min(0).tolist() == [0, 0, 0]

    assert sorted(np.asarray(draws.permutation(source(), 9)).tolist()) == list(range(9))
    for axis in (0, 1):
        orders = np.asarray(draws.permutations(source(), (6, 6), axis))
        expected = np.sort(np.broadcast_to(np.arange(6), (6, 6)), axis=1)
        assert np.array_equal(np.sort(orders, axis=axis), expected if axis else expected.T)
        assert len(np.unique(orders, axis=1 - axis)) > 1 or not np.array_equal(orders[0], orders[1])


def test_every_order_of_three_is_as_likely_on_a_device():
    orders = draws.permutations(device_source(), (6_000, 3), 1)
    _, counts = np.unique(orders.numpy(), axis=0, return_counts=True)
    assert len(counts) == 6
    assert ((counts - 1_000) ** 2 / 1_000).sum() < 20.5  # chi-square with 5 degrees of freedom, p = 0.001


def test_the_hosts_bits_are_numpys():
    rng = np.random.default_rng(5)
    expected = [
        rng.standard_normal((3, 2), dtype=np.float32),
        rng.integers(11, size=4),
        rng.integers(np.array([2, 3]), size=(4, 2)),
        rng.permutation(5),
        rng.permuted(np.tile(np.arange(4)[:, None], 2), axis=0),
        rng.permuted(np.tile(np.arange(3), (4, 1)), axis=1),
    ]
    rng = np.random.default_rng(5)
    found = [
        draws.standard_normal(rng, 3, 2),
        draws.integers(rng, 11, 4),
        draws.integers(rng, (2, 3), 4, 2),
        draws.permutation(rng, 5),
        draws.permutations(rng, (4, 2), 0),
        draws.permutations(rng, (4, 3), 1),
    ]
    assert all(np.array_equal(a, b) for a, b in zip(expected, found, strict=True))
