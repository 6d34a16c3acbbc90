"""One latent against one factor: the rows are values or bins, as they are counted."""

from __future__ import annotations

import math

import numpy as np
import pytest

import disentangle_metrics as dm

pytest.importorskip("matplotlib")


def test_a_latent_against_a_factor_as_it_is_counted():
    axes = dm.plot.latent(
        [[0.0], [0.1], [0.9], [1.0]], [["a"], ["a"], ["a"], ["b"]], latent=0, factor=0, bins=2
    ).axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["a", "b"]
    np.testing.assert_allclose(axes.collections[0].get_array(), [[2 / 3, 1 / 3], [0, 1]])
    information = math.log(4 / 3) / 2 + math.log(2 / 3) / 4 + math.log(2) / 4
    entropy = -(3 / 4) * math.log(3 / 4) - math.log(1 / 4) / 4
    assert (
        axes.get_title(loc="left")
        == f"tells {information:.2f} of {entropy:.2f} nats ({information / entropy:.0%})"
    )


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("continuous", [2000.0, 2000.5, 2001.0], {-0.5: "2000", 0.5: "2000.25", 1.5: "2000.5", 3.5: "2001"}),
        ("continuous", [-0.004, 0.004, 0.001], {-0.5: "-0.004", 0.5: "-0.002", 1.5: "0", 3.5: "0.004"}),
        ("circular:360", [0.0, 90.0, 359.5], {-0.5: "0", 0.5: "90", 3.5: "360"}),
    ],
)
def test_the_rows_of_a_continuous_factor_lie_between_its_values(kind, values, expected):
    factor = [[value] for value in values]
    drawn = dm.plot.latent(factor, factor, latent=0, factor=0, bins=4, factor_types=[kind]).axes[0]
    written = dict(
        zip(drawn.get_yticks(), (tick.get_text() for tick in drawn.get_yticklabels()), strict=True)
    )
    assert {place: written[place] for place in expected} == expected
    assert list(written) == [-0.5, 0.5, 1.5, 2.5, 3.5]


def test_the_ends_of_skewed_bins_are_told_apart():
    values = [[value] for value in (0.001, 0.01, 0.1, 1.0, 1234.5)]
    axes = dm.plot.latent(
        values, values, latent=0, factor=0, bins=4, strategy="quantile", factor_types=["continuous"]
    ).axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["0.001", "0.01", "0.1", "1", "1230"]


def test_quantile_bins_that_merge_are_drawn_once():
    axes = dm.plot.latent(
        [[0.0]] * 8 + [[1.0], [2.0]],
        [[name] for name in "aaaaabbbbb"],
        latent=0,
        factor=0,
        bins=5,
        strategy="quantile",
    ).axes[0]
    assert axes.collections
