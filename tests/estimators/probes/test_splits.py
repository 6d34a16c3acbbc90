"""How many rows are tested, and which."""

from __future__ import annotations

import numpy as np
import pytest

from disentangle_metrics.errors import InputError, NotApplicable
from disentangle_metrics.estimators.probes.splits import drawn_split, given_split


def drawn(total, share, max_rows=1_000):
    return drawn_split(total, share, max_rows, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("total", "share", "tested"),
    [(7, 0.2, 2), (10, 0.2, 2), (300, 1 / 3, 100), (4, 0.01, 1), (10, 0.7, 7), (3, 0.99, 3)],
)
def test_the_tested_share_is_rounded_up(total, share, tested):
    train, test = drawn(total, share)
    assert len(test) == tested
    assert sorted([*train, *test]) == list(range(total))


def test_rows_beyond_the_most_are_left_out():
    train, test = drawn(100, 0.25, max_rows=40)
    assert (len(train), len(test)) == (30, 10)
    assert len({*train, *test}) == 40
    assert max(*train, *test) > 40  # of all rows, not of the first ones


def test_without_a_share_all_rows_are_both_parts():
    for part in drawn(12, None, max_rows=12):
        assert part.tolist() == list(range(12))
    train, test = drawn(12, None, max_rows=11)
    assert train.tolist() == test.tolist()
    assert len(set(train)) == 11


def test_a_given_split_is_taken_as_numbers_or_as_a_mask():
    mask = np.array([True, False, True, False])
    train, test = given_split((mask, [3, 1]), 4)
    assert (train.tolist(), test.tolist()) == ([0, 2], [3, 1])


def test_places_of_a_given_split_among_the_rows_that_are_here():
    train, test = given_split(([5, 0, 2], [9, 1]), 10, origin=np.array([2, 5, 9]))
    assert (train.tolist(), test.tolist()) == ([1, 0], [2])
    with pytest.raises(NotApplicable, match="a part of `split` has no row with values"):
        given_split(([5], [0, 1]), 10, origin=np.array([2, 5, 9]))


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (([0], [1], [2]), r"must be a pair \(train, test\) of index arrays, got 3 of them"),
        (([0, 4], [1]), "the train part of `split` has row 4, but there are 4 rows"),
        (([0], [-1, 1]), "the test part of `split` has row -1, but there are 4 rows"),
        (([0.5], [1]), "the train part of `split` must be a list of row numbers"),
        (([], [1]), "the train part of `split` must be a list of row numbers"),
        (
            ([True, False], [1]),
            r"is a mask of shape \(2,\), but there are . rows; pass one value for each row",
        ),
        ((["cell"] * 999, [1]), r"must be a list of row numbers, got .{80}$"),
        ((np.array([True]), [1]), r"the train part of `split` is a mask of shape \(1,\)"),
        (([[0]], [1]), "the train part of `split` must be a list of row numbers"),
    ],
)
def test_what_is_no_split_is_refused(split, message):
    with pytest.raises(InputError, match=message):
        given_split(split, 4)
