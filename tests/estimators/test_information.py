"""Counts, entropies and mutual information, against direct computations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import mutual_info_score

from disentangle_metrics.errors import InputError
from disentangle_metrics.estimators.counts import binning, counts
from disentangle_metrics.estimators.counts.binning import make_bins
from disentangle_metrics.estimators.counts.counts import ContingencyTables, count, groups_of_factors
from disentangle_metrics.estimators.counts.entropy import corrected_entropy, counted_information, entropy


def table(rows, sizes, latents, seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, latents)), [rng.integers(size, size=rows) for size in sizes]


@given(
    rows=st.integers(1, 300),
    sizes=st.lists(st.integers(1, 50), min_size=1, max_size=5),
    latents=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_counts_equal_a_two_dimensional_histogram(rows, sizes, latents, seed):
    z, factors = table(rows, sizes, latents, seed)
    bins = make_bins(z, 7)
    tables = count(z, bins, factors, sizes)
    for k, (codes, size) in enumerate(zip(factors, sizes, strict=True)):
        for j in range(latents):
            expected = np.zeros((7, size), dtype=np.int64)
            np.add.at(expected, (bins.encode(j, z[:, j]), codes), 1)
            assert_array_equal(tables.joint[k][j], expected)


def test_tables_of_parts_add_up_to_the_table_of_the_whole(monkeypatch):
    z, factors = table(1000, [3, 40, 40], 3, 0)
    bins = make_bins(z, 20)
    whole = count(z, bins, factors, [3, 40, 40])
    parts = [
        count(z[rows], bins, [f[rows] for f in factors], [3, 40, 40])
        for rows in (slice(0, 317), slice(317, None))
    ]
    merged = [first + second for first, second in zip(*(part.joint for part in parts), strict=True)]
    monkeypatch.setattr(counts, "chunks", lambda rows: binning.chunks(rows, 64))
    chunked = count(z, bins, factors, [3, 40, 40])
    for other in (merged, chunked.joint):
        for a, b in zip(whole.joint, other, strict=True):
            assert_array_equal(a, b)


def test_small_factors_share_a_cell_and_large_ones_do_not():
    assert groups_of_factors([3, 6, 40, 32, 32]) == [[0, 1, 2], [3, 4]]
    assert groups_of_factors([5000, 2]) == [[0], [1]]


@given(rows=st.integers(2, 400), seed=st.integers(0, 99))
def test_mutual_information_equals_the_usual_formula(rows, seed):
    z, factors = table(rows, [4, 9], 3, seed)
    bins = make_bins(z, 5)
    information = counted_information(count(z, bins, factors, [4, 9]))
    for k, codes in enumerate(factors):
        for j in range(3):
            expected = mutual_info_score(bins.encode(j, z[:, j]), codes)
            assert_allclose(information.mutual_information[j, k], expected, atol=1e-12)
    bound = np.minimum(information.latent_entropy[:, None], information.factor_entropy)
    assert (information.mutual_information >= 0).all()
    assert (information.mutual_information <= bound).all()


def test_entropies_by_hand():
    assert_allclose(entropy(np.array([1, 1, 2])), 1.5 * np.log(2))
    assert entropy(np.array([5, 0, 0])) == 0
    assert entropy(np.array([0, 0])) == 0


def test_independent_columns_have_exactly_no_information():
    z, codes = np.meshgrid(np.arange(6.0), np.arange(5))
    tables = count(z.reshape(-1, 1), make_bins(z.reshape(-1, 1), 6), [codes.reshape(-1)], [5])
    assert counted_information(tables).mutual_information[0, 0] == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_of_storage_does_not_change_counts_of_a_discrete_code(dtype):
    codes = np.random.default_rng(0).integers(40, size=2000)
    z = (codes * 0.1).astype(dtype)[:, None]
    tables = count(z, make_bins(z, 20), [codes], [40])
    exact = count(codes.astype(float)[:, None], make_bins(codes.astype(float)[:, None], 20), [codes], [40])
    assert_array_equal(tables.joint[0], exact.joint[0])


class TestMillerMadow:
    # A latent of three bins and a factor of two values, n = 10.
    TABLES = ContingencyTables((np.array([[[3, 1], [1, 1], [4, 0]]]),))

    def test_by_hand(self):
        found = counted_information(self.TABLES, "miller_madow")
        plain = counted_information(self.TABLES)
        log = np.log
        latent = -(0.4 * log(0.4) + 0.2 * log(0.2) + 0.4 * log(0.4)) + 2 / 20
        factor = -(0.8 * log(0.8) + 0.2 * log(0.2)) + 1 / 20
        joint = -(0.3 * log(0.3) + 3 * 0.1 * log(0.1) + 0.4 * log(0.4)) + 4 / 20
        assert_allclose(found.latent_entropy, latent)
        assert_allclose(found.factor_entropy, factor)
        assert_allclose(found.joint_entropy, joint)
        assert_allclose(found.mutual_information, latent + factor - joint)
        assert_allclose(plain.mutual_information - found.mutual_information, (4 - 2 - 1) / 20)

    def test_takes_off_most_of_the_bias_of_independent_columns(self):
        z, factors = table(2_000, [10], 20, 0)
        tables = count(z, make_bins(z, 10, "quantile"), factors, [10])
        plain = counted_information(tables).mutual_information.mean()
        corrected = (
            corrected_entropy(tables.joint[0].sum(axis=2))
            + corrected_entropy(tables.joint[0][0].sum(axis=0))
            - corrected_entropy(tables.joint[0], axis=(1, 2))
        ).mean()
        assert plain == pytest.approx(81 / 4_000, rel=0.2)  # (10 - 1)(10 - 1) / (2 n)
        assert abs(corrected) < 0.1 * plain

    def test_counts_no_empty_cells_and_nothing_of_an_empty_table(self):
        assert corrected_entropy(np.array([5, 0, 5])) == pytest.approx(np.log(2) + 1 / 20)
        assert corrected_entropy(np.zeros(3, dtype=int)) == 0

    @given(seed=st.integers(0, 999))
    def test_information_stays_within_the_entropies(self, seed):
        rng = np.random.default_rng(seed)
        found = counted_information(ContingencyTables((rng.integers(0, 3, (2, 4, 3)),)), "miller_madow")
        bound = np.minimum(found.latent_entropy[:, None], found.factor_entropy)
        assert (found.mutual_information >= 0).all()
        assert (found.mutual_information <= bound).all()


def test_tables_that_fit_no_memory_are_refused():
    z = np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]])
    with pytest.raises(InputError, match="1,048,576 `bins` of 2 latents with a factor of 1,000 values"):
        count(z, make_bins(z, 1 << 20), [np.array([0, 1, 999])], [1_000])


def test_many_bins_join_fewer_factors_and_count_the_same():
    z = np.random.default_rng(0).normal(size=(200, 2))
    factors = [np.random.default_rng(k).integers(4, size=200) for k in range(3)]
    together = count(z, make_bins(z, 5_000), factors, [4, 4, 4])
    for k, alone in enumerate(factors):
        assert_array_equal(together.joint[k], count(z, make_bins(z, 5_000), [alone], [4]).joint[0])
