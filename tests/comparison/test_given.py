"""What compare() is given: trackers, benchmarks and arrays, taken for what they are or refused by name."""

from __future__ import annotations

import numpy as np
import pytest

import disentangle_metrics as dm
from tests.comparison.test_compare import CLEAR, NOISY, OPTIONS, V

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")


def test_the_steps_of_a_tracker_are_no_runs():
    tracker = dm.Tracker(**OPTIONS)
    logged = [tracker.log(step, codes, V) for step, codes in enumerate((CLEAR, NOISY, CLEAR))]
    with pytest.raises(dm.InputError, match=r"'a' is a Tracker, whose steps .*, such as `tracker\[2\]`$"):
        dm.compare({"a": tracker, "b": tracker})
    (kept,) = dm.compare({"a": tracker[0], "b": tracker[1]})["mig"].differences
    assert "`tracker.log(...)` returns the report that has them" in kept.reason
    (whole,) = dm.compare({"a": logged[0], "b": logged[1]})["mig"].differences
    assert whole.interval


def test_what_failed_in_a_benchmark_is_told():
    holes = np.where(NOISY[3, 0] < NOISY, np.nan, NOISY)
    result = dm.benchmark({"a": CLEAR, "b": holes, "c": NOISY}, V, metrics="mig", anchors=False)
    comparison = dm.compare(result)
    assert (comparison.names, comparison.notes) == (("a", "c"), ("b is not compared: it failed",))
    assert "b is not compared: it failed" in str(comparison)
    assert dm.compare({**result}).notes == ()


def test_an_array_that_cannot_be_scored_is_named():
    holes = np.where(NOISY[3, 0] < NOISY, np.nan, NOISY)
    few = NOISY[:-1]
    for results, told in (
        ({"a": CLEAR, "b": holes}, "`results`: b: `latents` must be finite"),
        ({"a": few, "b": CLEAR}, "`results`: a: `factors` has 400 rows but `latents` has 399"),
        ({"a": [CLEAR, NOISY, few], "b": CLEAR}, "`results`: run 2 of a: `factors` has 400 rows"),
    ):
        with pytest.raises(dm.InputError, match=f"^{told}"):
            dm.compare(results, factors=V, metrics="mig", replicates=20)
    with pytest.raises(dm.InputError, match="^unknown protocol"):
        dm.compare({"a": CLEAR, "b": NOISY}, factors=V, protocol="nope")
