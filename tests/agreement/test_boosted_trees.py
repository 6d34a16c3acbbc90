"""DCI from the fast boosted trees stays close to the published learner's on the reference cases."""

from __future__ import annotations

import numpy as np
import pytest

from tests.agreement.boosted_trees_table import RECORDS, compared


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=pytest.mark.slow if case.startswith("p10") else ()) for case in RECORDS]
)
def test_default_bins(case):
    """Everything within 0.03, and latents ranked alike unless their importances are within 0.1."""
    result = compared(case)
    assert np.abs(result.ours - result.theirs).max() <= 0.03
    assert result.reversed <= 0.1


@pytest.mark.parametrize(
    "case",
    ["p15_D_lt_K", *(pytest.param(c, marks=pytest.mark.slow) for c in ("p09_inactive", "p13_full_grid"))],
)
def test_all_cuts(case):
    """With a bin per value the learner is the published one: what is left are its random ties."""
    result = compared(case, bins=65_535)
    assert np.all(np.abs(result.ours - result.theirs) <= np.maximum(0.001, 2 * result.spread))
