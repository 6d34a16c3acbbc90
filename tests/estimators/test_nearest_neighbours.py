"""Nearest-neighbour information against pairs of all points, closed forms and scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import digamma

import disentangle_metrics as dm
from disentangle_metrics.estimators.nearest_neighbours import (
    TURN,
    jittered,
    neighbour_information,
    on_circle,
    with_categories,
    with_continuous,
)


def mixed(rows, values, seed, noise=1.0):
    rng = np.random.default_rng(seed)
    codes = rng.integers(values, size=rows)
    return jittered(codes + noise * rng.normal(size=rows), rng.normal(size=rows)), codes


def ross_by_pairs(latent, codes, k):
    """As in the paper: the k-th neighbour counts among the points within its distance, the point does not."""
    distance = np.abs(latent[:, None] - latent)
    np.fill_diagonal(distance, np.inf)
    size = np.bincount(codes)[codes]
    distance[:, size == 1] = np.inf
    terms = []
    for i in np.flatnonzero(size > 1):
        used = min(k, size[i] - 1)
        radius = np.sort(distance[i, codes == codes[i]])[used - 1]
        terms.append(digamma(used) - digamma(size[i]) - digamma(np.sum(distance[i] <= radius)))
    return digamma(len(terms)) + np.mean(terms)


@pytest.mark.parametrize("k", [1, 3, 10])
@pytest.mark.parametrize("noise", [1.0, 0.0])
def test_categories_by_all_pairs(k, noise):
    for seed in range(5):
        latent, codes = mixed(60, 7, seed, noise)
        assert with_categories(latent, codes, k) == pytest.approx(ross_by_pairs(latent, codes, k), abs=1e-12)


def test_values_of_one_row_are_left_out():
    latent, codes = mixed(50, 4, 0)
    longer = np.r_[latent, 0.1, -0.1], np.r_[codes, 4, 5]
    assert with_categories(*longer, 3) == with_categories(latent, codes, 3)
    assert with_categories(np.arange(3.0), np.arange(3), 3) == 0


def ksg_by_pairs(latent, factor, k):
    near = [np.abs(column[:, None] - column) for column in (latent, factor)]
    both = np.maximum(*near)
    np.fill_diagonal(both, np.inf)
    radius = np.sort(both, axis=1)[:, k - 1]
    # Each count holds the point itself, which stands for the + 1.
    counts = [np.sum(distance < radius[:, None], axis=1) for distance in near]
    return digamma(len(latent)) + digamma(k) - sum(np.mean(digamma(count)) for count in counts)


@pytest.mark.parametrize("k", [1, 3, 10])
def test_continuous_by_all_pairs(k):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        latent = rng.normal(size=80)
        factor = latent + rng.normal(size=80)
        assert with_continuous(latent, factor, k) == pytest.approx(ksg_by_pairs(latent, factor, k), abs=1e-12)


@pytest.mark.parametrize("correlation", [0.0, 0.6, 0.95])
def test_two_normals_have_the_information_of_their_correlation(correlation):
    rng = np.random.default_rng(1)
    latent, noise = rng.normal(size=(2, 8000))
    factor = correlation * latent + math.sqrt(1 - correlation**2) * noise
    truth = -0.5 * math.log(1 - correlation**2)
    assert with_continuous(latent, factor, 5) == pytest.approx(truth, abs=0.03)


def test_two_normals_apart_against_quadrature():
    from scipy.integrate import quad

    def minus_q_log_q(z):
        q = (math.exp(-0.5 * z**2) + math.exp(-0.5 * (z - 2) ** 2)) / math.sqrt(8 * math.pi)
        return -q * math.log(q)

    truth = quad(minus_q_log_q, -12, 14)[0] - 0.5 * math.log(2 * math.pi * math.e)
    rng = np.random.default_rng(2)
    codes = rng.integers(2, size=20_000)
    assert with_categories(2 * codes + rng.normal(size=20_000), codes, 5) == pytest.approx(truth, abs=0.02)


def test_as_scikit_learn_counts():
    from sklearn.feature_selection._mutual_info import _compute_mi_cc, _compute_mi_cd

    latent, codes = mixed(1500, 6, 3)
    other, _ = mixed(1500, 6, 4)
    assert with_categories(latent, codes, 3) == pytest.approx(_compute_mi_cd(latent, codes, 3), abs=1e-12)
    factor = latent + other
    assert with_continuous(latent, factor, 3) == pytest.approx(_compute_mi_cc(latent, factor, 3), abs=1e-12)


def test_the_table_takes_both_kinds_and_gives_constant_columns_none():
    rng = np.random.default_rng(5)
    codes = rng.integers(3, size=500)
    angle = rng.random(500)
    latents = np.column_stack([np.full(500, 0.1), codes, angle])
    values, grouped = [None, angle, None], [codes, (angle * 4).astype(int), np.zeros(500, dtype=np.int64)]
    constant = np.array([True, False, False])
    found, again = (
        neighbour_information(latents, constant, values, grouped, 3, np.random.default_rng(0)) for _ in "ab"
    )
    table = found.mutual_information
    assert table.shape == (3, 3)
    assert (table[0] == 0).all()
    assert np.abs(table[:, 2]).max() < 0.02
    assert table[1, 0] > 1.0
    assert table[2, 1] > 3.0
    assert (table == again.mutual_information).all()
    assert found.factor_values.tolist() == [3, 4, 1]
    assert found.factor_entropy[2] == 0
    assert np.isnan(found.latent_entropy).all()


def test_ties_of_latents_and_factors_are_broken_apart():
    # Two independent dice, the factor taken as a number: in each of 9 cells all 100 points are tied.
    latent, factor = np.tile(np.indices((3, 3)).reshape(2, -1).T, (100, 1)).T.astype(float)
    found = neighbour_information(
        latent[:, None], np.array([False]), [factor], [factor.astype(int)], 3, np.random.default_rng(0)
    )
    assert found.mutual_information[0, 0] < 0.05


def test_values_that_are_all_alike_are_moved_apart():
    noise = np.random.default_rng(0).normal(size=50)
    np.testing.assert_allclose(jittered(np.full(50, 3.0), noise), 1e-10 * noise)


def test_scale_and_origin_do_not_matter():
    latent, codes = mixed(300, 4, 6)
    noise = np.random.default_rng(7).normal(size=300)
    one, other = (jittered(a * latent + b, noise) for a, b in ((1, 0), (1e-5, 40.0)))
    assert with_categories(one, codes, 3) == with_categories(other, codes, 3)


def round_the_circle(one):
    """Distances of all pairs of places on a circle."""
    distance = np.abs(one[:, None] - one)
    return np.minimum(distance, TURN - distance)


def circular_pair(rows, seed, noise=0.5):
    rng = np.random.default_rng(seed)
    angles = rng.uniform(0, 2 * math.pi, rows)
    other = angles + noise * rng.normal(size=rows)
    return on_circle(angles, rng.normal(size=rows)), on_circle(other, rng.normal(size=rows))


@pytest.mark.parametrize("k", [1, 3, 20])
@pytest.mark.parametrize("circular", [(True, True), (True, False), (False, True)])
def test_two_columns_on_circles_by_pairs_of_all_points(circular, k):
    columns = circular_pair(60, 3)
    distances = [
        round_the_circle(column) if round_ else np.abs(column[:, None] - column)
        for column, round_ in zip(columns, circular, strict=True)
    ]
    plane = np.max(distances, axis=0)
    np.fill_diagonal(plane, np.inf)
    radius = np.sort(plane, axis=1)[:, k - 1]
    closer = [np.sum(distance < radius[:, None], axis=1) for distance in distances]  # the point itself too
    want = digamma(60) + digamma(k) - sum(np.mean(digamma(count)) for count in closer)
    assert with_continuous(*columns, k, circular) == pytest.approx(want, abs=1e-12)


@pytest.mark.parametrize("k", [1, 3, 20])
def test_categories_on_a_circle_by_pairs_of_all_points(k):
    places, _ = circular_pair(80, 5)
    codes = np.digitize((places + 0.2 * np.sin(40 * places)) % TURN, [0.5, 1.5, 3.0]) % 3
    distance = round_the_circle(places)
    np.fill_diagonal(distance, np.inf)
    terms = []
    for i in range(80):
        own = np.sort(distance[i, codes == codes[i]])[:-1]
        used = min(k, len(own))
        terms.append(digamma(used) - digamma(len(own) + 1) - digamma(np.sum(distance[i] <= own[used - 1])))
    want = digamma(80) + np.mean(terms)
    assert with_categories(places, codes, k, circular=True) == pytest.approx(want, abs=1e-12)


def test_a_noisy_angle_tells_what_its_noise_leaves_wherever_the_circle_is_cut():
    """I = log(2 pi) - h(noise), h of a normal noise of deviation 0.3 that hardly reaches round."""
    rng = np.random.default_rng(8)
    angles = rng.uniform(0, 360, 4_000)
    latents = np.stack([angles + np.rad2deg(0.3) * rng.normal(size=4_000), rng.normal(size=4_000)], axis=1)
    want = math.log(2 * math.pi) - 0.5 * math.log(2 * math.pi * math.e * 0.3**2)
    told = []
    for cut in (0, 90, 181.5):
        score = dm.mig(
            (latents + np.array([cut, 0.0])) % 360,
            ((angles + cut) % 360)[:, None],
            estimator="nearest_neighbours",
            factor_types="circular:360",
            latent_types=["circular:360", "continuous"],
        )
        told.append(score.details["mutual_information"].iloc[0, 0])
    assert told[0] == pytest.approx(want, abs=0.05)
    assert told == pytest.approx([told[0]] * 3, abs=1e-6)
