"""Ranges of latents: of one table or of batches, and as they are given."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

import disentangle_metrics as dm

Z = np.random.default_rng(0).normal(size=(60, 3))
RANGES = np.stack([Z.min(axis=0), Z.max(axis=0)], axis=1)


@pytest.mark.parametrize(
    "one", [Z, pd.DataFrame(Z), dm.GaussianPosterior(Z, np.full_like(Z, -4.0)), [Z[:20], Z[20:]]]
)
def test_one_table_is_one_batch(one) -> None:
    assert_array_equal(dm.Accumulator.find_ranges(one), RANGES)


def test_ranges_that_lie_on_their_side_are_refused_with_the_call_that_turns_them() -> None:
    with pytest.raises(dm.InputError, match=r"got \(2, 3\); pass `numpy\.transpose\(ranges\)`"):
        dm.Accumulator(ranges=(Z.min(axis=0), Z.max(axis=0)))
    dm.Accumulator(ranges=np.transpose(RANGES.T))
