"""The scores that need no factors, against the study's implementation.

Where latents are constant (p09) its total correlation is NaN, from log 0 - log 0: a constant latent is
independent of all others and is left out here. Where a latent copies another (p08) it is infinite,
which a report cannot hold as a number: NaN with that reason here; and its matrix square root is
complex and good to eight digits only. Where latents are nearly dependent (p14) the determinant of
its covariance matrix has lost half of its digits: exact rational arithmetic says so below.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_allclose

import disentangle_metrics as dm
from tests.agreement.reference import arrays, ids, records

UNSUPERVISED = records("disentanglement_lib", "unsupervised")
EXACT = ("p08_redundant", "p09_inactive", "p14_posterior")


@pytest.mark.parametrize(("case", "record"), UNSUPERVISED, ids=ids(UNSUPERVISED))
def test_wasserstein_correlation_and_pairwise_information(case, record):
    latents, theirs = arrays(case)[0], record["values"]
    tolerance = 1e-7 if case == "p08_redundant" else 1e-9
    plain = complex(theirs["gaussian_wasserstein_correlation"]).real
    share = complex(theirs["gaussian_wasserstein_correlation_norm"]).real
    assert_allclose(dm.wasserstein_correlation(latents).value, plain, rtol=0, atol=tolerance)
    assert_allclose(dm.wasserstein_correlation(latents, normalised=True).value, share, rtol=0, atol=tolerance)
    assert_allclose(dm.mean_pairwise_mi(latents).value, theirs["mutual_info_score"], rtol=0, atol=1e-9)


TOTAL = [pair for pair in UNSUPERVISED if pair[0] not in EXACT]


@pytest.mark.parametrize(("case", "record"), TOTAL, ids=ids(TOTAL))
def test_total_correlation(case, record):
    theirs = record["values"]["gaussian_total_correlation"]
    assert_allclose(dm.total_correlation(arrays(case)[0]).value, theirs, rtol=0, atol=1e-9)


@pytest.mark.parametrize("case", ["p01_perfect", "p09_inactive", "p14_posterior"])
def test_total_correlation_in_exact_arithmetic(case):
    latents = arrays(case)[0]
    latents = latents[:, np.ptp(latents, axis=0) > 0]
    # The inputs are numbers of four decimals, up to their rounding as floating-point numbers.
    assert abs(dm.total_correlation(latents).value - exact_total_correlation(latents)) < 1e-10


def test_the_studys_total_correlation_is_good_to_six_digits_where_latents_nearly_depend():
    record = next(record for case, record in UNSUPERVISED if case == "p14_posterior")
    exact = exact_total_correlation(arrays("p14_posterior")[0])
    theirs = record["values"]["gaussian_total_correlation"]
    assert 1e-8 < abs(theirs - exact) < 1e-6


def exact_total_correlation(latents):
    columns = [[Fraction(value) for value in column] for column in latents.T.tolist()]
    rows = len(latents)
    sums = [sum(column) for column in columns]
    scatter = [
        [
            sum(x * y for x, y in zip(a, b, strict=True)) - s * t / rows
            for b, t in zip(columns, sums, strict=True)
        ]
        for a, s in zip(columns, sums, strict=True)
    ]
    total = sum(math.log(scatter[j][j]) for j in range(len(scatter)))
    for j in range(len(scatter)):  # Gaussian elimination; the pivots' product is the determinant
        total -= math.log(scatter[j][j])
        for i in range(j + 1, len(scatter)):
            factor = scatter[i][j] / scatter[j][j]
            scatter[i] = [x - factor * y for x, y in zip(scatter[i], scatter[j], strict=True)]
    return total / 2


def test_copies_make_the_total_correlation_infinite():
    score = dm.total_correlation(arrays("p08_redundant")[0])
    assert math.isnan(score.value)
    assert "infinite: latent z_" in score.reason
