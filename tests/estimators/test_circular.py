"""Circular correlation by hand, and as the regression that it is."""

from __future__ import annotations

import numpy as np
import pytest

from disentangle_metrics.estimators.circular import circular_circular, circular_linear


def test_two_circles_by_hand() -> None:
    one = np.pi * np.array([1, -1, 1, -1]) / [3, 3, 6, 6]
    other = one * [1, 1, -1, -1]  # squared sines of 3/4 and 1/4; the second pair runs the other way
    assert circular_circular(one, other) == pytest.approx(0.25)


def test_a_column_and_a_part_of_a_circle_are_a_regression_with_an_intercept() -> None:
    rng = np.random.default_rng(0)
    angles = rng.uniform(0, 1.5, 200)  # cosine and sine have no mean of 0
    column = np.cos(angles) + 0.2 * rng.normal(size=200)
    design = np.column_stack([np.ones(200), np.cos(angles), np.sin(angles)])
    left = column - design @ np.linalg.lstsq(design, column, rcond=None)[0]
    assert circular_linear(column[:, None], angles)[0] == pytest.approx(1 - left.var() / column.var())
