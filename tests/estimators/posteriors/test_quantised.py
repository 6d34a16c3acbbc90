"""Posteriors spread over bins, against shares written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import norm

from disentangle_metrics.estimators.posteriors import quantised
from disentangle_metrics.estimators.posteriors.quantised import quantised_information

EDGES = np.array([0.0, 1.0, 2.0, 4.0])  # not symmetric around any place
MEAN, DEVIATION = np.array([0.2, 1.4, 3.1, -1.0]), np.array([0.5, 1.0, 0.8, 2.0])
CODES = np.array([0, 1, 1, 0])


def information(mass, edges=EDGES, mean=MEAN, deviation=DEVIATION, codes=CODES):
    logvar = 2 * np.log(deviation)
    return quantised_information(mean[:, None], logvar[:, None], [codes], [int(codes.max()) + 1], edges, mass)


def entropy(shares):
    return -sum(share * math.log(share) for share in np.ravel(shares) if share > 0)


def integrals():
    below = norm.cdf((EDGES - MEAN[:, None]) / DEVIATION[:, None])
    below[:, 0], below[:, -1] = 0, 1
    return np.diff(below)


def densities():
    at = norm.pdf(np.array([0.5, 1.5, 3.0]), MEAN[:, None], DEVIATION[:, None])
    return at / at.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("rows", [quantised.CHUNK, 3])
@pytest.mark.parametrize(("mass", "shares"), [("integral", integrals()), ("density", densities())])
def test_each_row_has_a_share_of_each_bin(mass, shares, rows, monkeypatch):
    monkeypatch.setattr(quantised, "CHUNK", rows)
    found, outside = information(mass)
    joint = np.stack([shares[value == CODES].sum(axis=0) for value in (0, 1)]) / 4
    assert found.latent_entropy[0] == pytest.approx(entropy(joint.sum(axis=0)))
    assert found.joint_entropy[0, 0] == pytest.approx(entropy(joint))
    told = entropy(joint.sum(axis=0)) + math.log(2) - entropy(joint)
    assert found.mutual_information[0, 0] == pytest.approx(told)
    assert told > 0.1
    beyond = norm.cdf(-MEAN / DEVIATION) + norm.sf((4 - MEAN) / DEVIATION)
    assert outside[0] == pytest.approx(beyond.mean())


def test_a_posterior_that_misses_every_centre_has_its_integral():
    # Narrower than the bins, and on none of their centres: the density is 0 at each.
    narrow = np.full(4, 1e-3)
    by_integral, by_density = (information(mass, deviation=narrow)[0] for mass in ("integral", "density"))
    assert by_density.mutual_information[0, 0] == by_integral.mutual_information[0, 0]
    # In the bins 0, 1, 2, 0 of the values 0, 1, 1, 0.
    assert by_density.mutual_information[0, 0] == pytest.approx(math.log(2))


def test_means_on_edges_without_width_go_to_one_side_or_the_other():
    found, _ = information("integral", mean=np.array([1.0, 2.0, 2.0, 1.0]), deviation=np.full(4, 1e-200))
    assert_allclose(found.latent_entropy, -sum(s * math.log(s) for s in (0.25, 0.5, 0.25)))
