"""p corrected for the number of tests."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from disentangle_metrics.kit import holm


def test_holm_by_hand():
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_never_helps_and_keeps_the_order(p):
    corrected = holm(np.array(p))
    assert (corrected >= np.array(p)).all()
    assert corrected.max() <= 1
    assert (np.diff(corrected[np.argsort(p)]) >= 0).all()


def test_holm_does_not_count_what_has_no_p():
    np.testing.assert_allclose(holm(np.array([0.01, np.nan, 0.04])), [0.02, np.nan, 0.04])
