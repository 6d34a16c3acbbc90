"""Which runs a difference is of: difference, interval, p and counts are of the same ones, or the view says so."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import disentangle_metrics as dm
from disentangle_metrics.scoring.evidence import Evidence, Resampled
from tests.reporting.example import score

A = {0: 0.1, 1: 0.11, 2: 0.12, 3: 0.9, 4: 0.9, 5: 0.9}
B = {0: 0.05, 1: 0.055, 2: 0.075, 6: 0.99, 7: 0.99, 8: 0.99, 9: 0.99}


def report(value: float) -> dm.Report:
    return dm.Report({"mig": score("mig", value, "compactness")}, shape=(100, 2, 2))


def by_seed(values: Mapping[int, float]) -> dict[int, dm.Report]:
    return {seed: report(value) for seed, value in values.items()}


def in_order(values: Iterable[float]) -> list[dm.Report]:
    return [report(value) for value in values]


def words(comparison: dm.Comparison) -> str:
    return " ".join(str(comparison).split())


def test_runs_of_other_seeds_are_not_paired() -> None:
    comparison = dm.compare({"a": by_seed(A), "b": by_seed(B)})
    (difference,) = comparison["mig"].differences
    expected = stats.ttest_ind(list(B.values()), list(A.values()), equal_var=False)
    assert (difference.method, difference.count) == ("runs", 13)
    assert difference.value == pytest.approx(4.14 / 7 - 3.03 / 6)
    assert difference.p == pytest.approx(expected.pvalue)
    assert difference.interval == pytest.approx(tuple(expected.confidence_interval(0.95)))
    note = "the runs of a and b are compared by Welch's test, without pairs: they share 3 of 10 seeds"
    assert comparison.notes == (f"{note}; `paired=True` compares these alone",)
    assert note in words(comparison)
    assert dm.compare({"a": by_seed(A), "b": by_seed(B)}, paired=False).notes == ()


def test_one_seed_in_common_loses_no_test() -> None:
    first, second = (
        {s: x + 0.01 * s**1.1 for s in seeds} for x, seeds in ((0.1, range(5)), (0.3, range(4, 9)))
    )
    comparison = dm.compare({"a": by_seed(first), "b": by_seed(second)})
    (difference,) = comparison["mig"].differences
    expected = stats.ttest_ind(list(second.values()), list(first.values()), equal_var=False)
    assert difference.p == pytest.approx(expected.pvalue)
    assert comparison.notes[0].endswith("without pairs: they share 1 of 9 seeds")
    (difference,) = dm.compare({"a": by_seed(first), "b": by_seed(second)}, paired=True)["mig"].differences
    assert difference.reason == "1 pair of runs has a value in both; at least 3 are needed"


def test_the_same_seeds_in_another_order_are_paired_and_a_list_has_none() -> None:
    first, second = {0: 0.1, 1: 0.4, 2: 0.2}, {2: 0.25, 0: 0.16, 1: 0.47}
    comparison = dm.compare({"a": by_seed(first), "b": by_seed(second)})
    (difference,) = comparison["mig"].differences
    expected = stats.ttest_rel([0.16, 0.47, 0.25], [0.1, 0.4, 0.2])
    assert (difference.method, difference.count, comparison.notes) == ("paired runs", 6, ())
    assert difference.p == pytest.approx(expected.pvalue)
    listed = dm.compare({"a": by_seed(first), "b": in_order(second.values())})
    assert listed["mig"].differences[0].method == "runs"
    assert listed.notes[0].endswith("without pairs: only those of a have seeds")


def test_pairs_that_are_asked_for_are_what_all_numbers_are_of() -> None:
    comparison = dm.compare({"a": by_seed(A), "b": by_seed(B)}, paired=True)
    (difference,) = comparison["mig"].differences
    pairs = [0.05 - 0.1, 0.055 - 0.11, 0.075 - 0.12]
    expected = stats.ttest_1samp(pairs, 0)
    assert (difference.method, difference.count, comparison.notes) == ("paired runs", 6, ())
    assert difference.value == difference.corrected == pytest.approx(-0.05)
    assert difference.interval == pytest.approx(tuple(expected.confidence_interval(0.95)))
    # Over all its runs b has the higher mean. In the pairs a is significantly better.
    assert comparison["mig"].means()["b"] > comparison["mig"].means()["a"]
    assert comparison["mig"].best(comparison.level) == ("a",)
    text = words(comparison)
    assert "mig: the difference of a and b is of 6 of their 13 runs: of pairs with a value in both" in text
    assert "mig: b has the better score, and a is significantly better in the runs that are paired" in text
    assert text.startswith("a is better than b in 1 of 1 scores.")
    assert "*0.505" in text


def test_runs_without_a_value_are_left_out_of_every_number() -> None:
    nan = math.nan
    first, second = [0.9, 0.91, nan, nan, 0.905], [0.5, 0.51, 0.52, 0.53, 0.515]
    paired = dm.compare({"a": in_order(first), "b": in_order(second)})
    (difference,) = paired["mig"].differences
    expected = stats.ttest_rel([0.5, 0.51, 0.515], [0.9, 0.91, 0.905])
    assert difference.value == pytest.approx((-0.4 - 0.4 - 0.39) / 3)
    assert difference.p == pytest.approx(expected.pvalue)
    assert "is of 6 of their 10 runs" in words(paired)
    apart = dm.compare({"a": in_order(first), "b": in_order(second[:4])})
    expected = stats.ttest_ind(second[:4], [0.9, 0.91, 0.905], equal_var=False)
    (difference,) = apart["mig"].differences
    assert difference.p == pytest.approx(expected.pvalue)
    assert "is of 7 of their 9 runs: the others have no value" in words(apart)
    assert apart.notes[0].endswith("without pairs: they are 5 and 4")


def test_two_names_that_are_one_as_text_are_refused() -> None:
    with pytest.raises(dm.InputError, match="`results`: 1 and '1' are one name as text"):
        dm.compare({1: report(0.1), "1": report(0.2), "c": report(0.3)})


def test_a_difference_ends_where_two_scores_can_differ_no_more() -> None:
    def resampled(value: float, *scores: float) -> dm.Report:
        return replace(
            report(value), evidence=Evidence("rows", 0, {"mig": Resampled("bootstrap", False, scores)})
        )

    one, other = resampled(0.0, 0.1, 0.2, 0.3), resampled(0.95, 0.9, 0.9, 0.9)
    (found,) = dm.compare({"a": one, "b": other})["mig"].differences  # 2 * 0.95 - 0.7 = 1.2
    assert found.corrected == 1.0
    assert found.interval is not None
    assert found.interval[0] < 1.0 == found.interval[1]


def test_scores_of_both_signs_differ_by_up_to_twice_as_much() -> None:
    def signed(values: Iterable[float]) -> list[dm.Report]:
        return [replace(r, scores={"mig": replace(r["mig"], range=(-1.0, 1.0))}) for r in in_order(values)]

    first, second = [-0.9, -0.8, -0.95], [0.9, 0.85, 0.95, 0.8]
    (found,) = dm.compare({"a": signed(first), "b": signed(second)})["mig"].differences
    expected = stats.ttest_ind(second, first, equal_var=False).confidence_interval(0.95)
    assert found.interval == pytest.approx(tuple(expected))
    assert found.corrected == pytest.approx(0.875 + 2.65 / 3)


def test_what_to_know_of_arrays_is_said_once_and_by_name_where_it_is_not_of_all() -> None:
    factors = pd.DataFrame({"file": [f"{k}.png" for k in range(40)], "shape": [k % 3 for k in range(40)]})
    latents = np.random.default_rng(0).normal(size=(40, 2))
    far = latents * [1e-13, 1] + [1e3, 0]  # whose first latent varies by rounding alone
    with pytest.warns(dm.ScoreWarning) as said:
        comparison = dm.compare({"a": [latents, latents + 1], "b": far}, factors=factors, metrics=["mig"])
    assert comparison.notes == tuple(str(warning.message) for warning in said)
    left_out, few, rounded = comparison.notes
    assert left_out.startswith("factor 'file' has a different text in every row")
    assert few.startswith("40 rows are too few")
    assert rounded.startswith("b: latents that vary by rounding alone")
    assert rounded in words(comparison)


def test_runs_of_one_result_that_differ_are_named() -> None:
    rows = np.random.default_rng(0).integers(0, 3, (200, 2))
    made = [dm.score(rows + 0.0, rows, metrics=dm.Metric("mig", bins=n), anchors=False) for n in (20, 20, 10)]
    with pytest.raises(dm.InputError, match="bins is 20 in run 0 of a and 10 in run 2 of a \\(of mig\\)"):
        dm.compare({"a": made, "b": made[:2]})


def test_a_caption_says_that_a_mean_is_of_fewer_runs() -> None:
    whole, none = in_order([0.1, 0.2, 0.4]), in_order([math.nan] * 3)
    told = "Runs without a value are left out."
    for runs in (whole, none):  # each with all its runs, or without a score
        assert told not in dm.compare({"a": whole, "b": runs}).to_latex()
    some = in_order([0.1, math.nan, 0.4])
    comparison = dm.compare({"a": whole, "b": some})
    assert told in comparison.to_latex()
    assert told in words(comparison)
