"""How well a latent singles out a class: by hand, by brute force, and against SciPy and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import mutual_info_score

from disentangle_metrics.estimators import one_against_rest
from disentangle_metrics.estimators.counts.binning import make_bins

RNG = np.random.default_rng(0)
CODES = RNG.choice(4, p=[0.7, 0.2, 0.07, 0.03], size=300)
SMOOTH = RNG.normal(size=(300, 2)) + CODES[:, None]
TIED = np.round(SMOOTH * 2)
LATENTS = np.column_stack([SMOOTH, TIED, np.ones(300)])


def share(information, inside):
    return information / mutual_info_score(inside, inside)


def test_neighbours_by_hand():
    # In order: 0 0 1 0 1 1. Of class 0 one of 3 rows, of class 1 one of 3, is followed by its like: 1 / 2.
    latents = np.arange(6.0)[:, None]
    table = one_against_rest.neighbour_shares(latents, np.array([0, 0, 1, 0, 1, 1]), 2)
    np.testing.assert_allclose(table, [[0.0, 0.0]])  # 1 of 2 is what half of the rows give
    # 0 0 0 1 1 2 2: two of two pairs, and one of one.
    table = one_against_rest.neighbour_shares(np.arange(7.0)[:, None], np.array([0, 0, 0, 1, 1, 2, 2]), 3)
    np.testing.assert_allclose(table, [[1.0, 1.0, 1.0]])
    # Values a a b b, classes 0 1 0 0. Class 0 has the pair bb, and half of the time the pair ab: 1.5 of 2.
    tied = one_against_rest.neighbour_shares(np.array([[1.0], [1], [2], [2]]), np.array([0, 1, 0, 0]), 2)
    assert tied[0, 0] == pytest.approx(max(0.0, 1.5 / 2 - 3 / 4) / (1 - 3 / 4))


def published(order, inside):
    """Share of a class's rows, but one, whose next row is of it; before chance is taken off."""
    sorted_rows = inside[order]
    return (sorted_rows[1:] & sorted_rows[:-1]).sum() / (inside.sum() - 1)


def test_ties_count_as_their_random_orders_do():
    found = one_against_rest.neighbour_shares(TIED, CODES, 4)
    for latent in range(2):
        for value in range(4):
            inside = np.equal(CODES, value)
            drawn = [published(np.lexsort((RNG.random(300), TIED[:, latent])), inside) for _ in range(1_000)]
            frequency = inside.mean()
            expected = max(0.0, np.mean(drawn) - frequency) / (1 - frequency)
            spread = np.std(drawn) / np.sqrt(1_000) / (1 - frequency)
            assert found[latent, value] == pytest.approx(expected, abs=5 * spread)


def test_the_threshold_is_the_best_of_all():
    found = one_against_rest.threshold_information(LATENTS, CODES, 4)
    for latent, column in enumerate(LATENTS.T):
        for value in range(4):
            inside = np.equal(CODES, value)
            every = [mutual_info_score(column <= cut, inside) for cut in np.unique(column)]
            assert found[latent, value] == pytest.approx(share(max(every), inside), abs=1e-12)


def test_information_and_rank_correlation_are_those_of_others():
    bins = make_bins(LATENTS, 7)
    information = one_against_rest.scaled_information(LATENTS, bins, CODES, 4)
    correlation = one_against_rest.rank_correlations(LATENTS, CODES, 4)
    for latent in range(4):
        column = LATENTS[:, latent]
        for value in range(4):
            inside = np.equal(CODES, value)
            own = mutual_info_score(bins.encode(latent, column), inside)
            assert information[latent, value] == pytest.approx(share(own, inside), abs=1e-12)
            assert correlation[latent, value] == pytest.approx(abs(spearmanr(column, inside)[0]), abs=1e-12)
    assert (information[4] == 0).all()
    assert (correlation[4] == 0).all()


def test_values_that_rounding_separates_are_tied():
    sums = np.array([0.1 + 0.2, 0.3, 0.3, 0.1 + 0.2])[:, None]
    codes = np.array([0, 1, 1, 0])
    assert one_against_rest.threshold_information(sums, codes, 2).max() == 0
    np.testing.assert_allclose(one_against_rest.rank_correlations(sums, codes, 2), 0)
    np.testing.assert_allclose(one_against_rest.neighbour_shares(sums, codes, 2), 0)  # 2 of 4: by chance
