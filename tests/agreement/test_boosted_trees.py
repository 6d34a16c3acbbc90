"""DCI from the fast boosted trees stays close to the published learner's on the reference cases."""

from __future__ import annotations

import numpy as np
import pytest

from tests.agreement.boosted_trees_table import RECORDS, compared

# Where the 64 bins rank two latents the other way round although their recorded importances differ by more
# than the 0.03 that D and C are held to: pure noise, and two latents that share a factor 46 to 54. With a
# bin per value both are ranked as recorded (below), so it is the bins, and the published learner is right.
RANKED_OTHERWISE = {"p05_noise": 0.07, "p15_D_lt_K": 0.085}


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=pytest.mark.slow if case.startswith("p10") else ()) for case in RECORDS]
)
def test_default_bins(case):
    """D, C and accuracy within 0.03, and latents ranked alike where importances differ by more."""
    result = compared(case)
    assert np.abs(result.ours - result.theirs).max() <= 0.03
    assert result.reversed <= RANKED_OTHERWISE.get(case, 0.03)


@pytest.mark.parametrize(
    "case",
    [
        "p15_D_lt_K",
        "p05_noise",
        *(pytest.param(c, marks=pytest.mark.slow) for c in ("p09_inactive", "p13_full_grid")),
    ],
)
def test_all_cuts(case):
    """With a bin per value the learner is the published one: what is left are its random ties."""
    result = compared(case, bins=65_535)
    assert np.all(np.abs(result.ours - result.theirs) <= np.maximum(0.001, 2 * result.spread))
    assert result.reversed <= 0.01
