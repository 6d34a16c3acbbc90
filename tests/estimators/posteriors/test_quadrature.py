"""Quadrature of Gaussian mixtures against closed forms, adaptive integration and panels of Gauss nodes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from disentangle_metrics.estimators.posteriors import quadrature as posterior
from disentangle_metrics.estimators.posteriors.quadrature import information_about_rows, posterior_information

ONE = 0.5 * math.log(2 * math.pi * math.e)  # entropy of a normal of deviation 1


def logvar(deviation):
    return 2 * np.log(deviation)


def one_latent(mean, deviation, codes, sizes):
    columns = (np.asarray(mean, dtype=float)[:, None], logvar(np.asarray(deviation, dtype=float))[:, None])
    return posterior_information(*columns, codes, sizes)


def by_panels(mean, deviation, codes, size):
    """H(z) and H(z, v) with Gauss-Legendre nodes between every half deviation of every normal."""
    edges = np.unique(mean[:, None] + deviation[:, None] * np.linspace(-9, 9, 37))
    node, weight = np.polynomial.legendre.leggauss(10)
    half = np.diff(edges)[:, None] / 2
    z, w = ((edges[:-1, None] + half) + half * node).ravel(), (half * weight).ravel()
    parts = np.zeros((size, len(z)))
    for m, s, c in zip(mean, deviation, codes, strict=True):
        parts[c] += np.exp(-0.5 * ((z - m) / s) ** 2) / (s * math.sqrt(2 * math.pi) * len(mean))

    def entropy(q):
        return -float(np.sum(q * np.log(np.where(q > 0, q, 1)) @ w))

    return entropy(parts.sum(axis=0)[None]), entropy(parts)


@pytest.mark.parametrize("deviation", [1e-4, 0.3, 10.0])
def test_a_single_normal(deviation):
    found = one_latent([0.7] * 5, [deviation] * 5, [np.array([0, 1, 0, 1, 0])], [2])
    assert found.latent_entropy[0] == pytest.approx(ONE + math.log(deviation), abs=1e-5)
    assert found.mutual_information[0, 0] == 0


def test_normals_far_apart_tell_all_of_the_factor():
    codes = np.repeat([0, 1, 2], [10, 20, 30])
    found = one_latent(100.0 * codes, np.full(60, 0.5), [codes], [3])
    share = np.array([1, 2, 3]) / 6
    entropy = -np.sum(share * np.log(share))
    assert found.factor_entropy[0] == pytest.approx(entropy, abs=1e-12)
    assert found.mutual_information[0, 0] == pytest.approx(entropy, abs=1e-5)
    assert found.latent_entropy[0] == pytest.approx(entropy + ONE + math.log(0.5), abs=1e-5)
    assert found.joint_entropy[0, 0] == pytest.approx(found.latent_entropy[0], abs=1e-5)


@pytest.mark.parametrize("distance", [0.5, 2.0, 3.5, 5.0, 7.0])
def test_two_normals_against_adaptive_integration(distance):
    from scipy.integrate import quad

    def density(z, m):
        return math.exp(-0.5 * (z - m) ** 2) / math.sqrt(2 * math.pi)

    def minus_q_log_q(z):
        q = 0.25 * density(z, 0) + 0.75 * density(z, distance)
        return -q * math.log(q)

    expected = quad(minus_q_log_q, -12, distance + 12, epsabs=1e-11, limit=500)[0]
    codes = np.array([0, 1, 1, 1])
    found = one_latent(distance * (codes > 0), np.ones(4), [codes], [2])
    assert found.latent_entropy[0] == pytest.approx(expected, abs=2e-5)
    assert found.mutual_information[0, 0] == pytest.approx(expected - ONE, abs=2e-5)


@pytest.mark.parametrize("seed", range(12))
def test_deviations_from_1e_minus_4_to_10_in_one_latent(seed):
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(2, 60))
    low, high = np.sort(rng.uniform(-4, 1, 2))
    deviation = 10 ** rng.uniform(low, high, rows)
    deviation[:2] = 10**low, 10**high
    mean = rng.normal(size=rows) * 10 ** rng.uniform(-3, 1)
    codes = rng.integers(3, size=rows)
    whole, joint = by_panels(mean, deviation, codes, 3)
    found = one_latent(mean, deviation, [codes], [3])
    assert found.latent_entropy[0] == pytest.approx(whole, abs=2e-5)
    assert found.joint_entropy[0, 0] == pytest.approx(joint, abs=2e-5)


def test_several_factors_and_latents_at_once_are_each_as_alone():
    rng = np.random.default_rng(3)
    sizes = [2, 3, 5]
    codes = [rng.integers(size, size=300) for size in sizes]
    mean = np.column_stack([codes[1] + 0.1 * rng.normal(size=300), 3 * codes[2], rng.normal(size=300)])
    deviation = np.exp(rng.normal(size=(300, 3)) - 1)
    together = posterior_information(mean, logvar(deviation), codes, sizes)
    for j in range(3):
        for k in range(3):
            alone = one_latent(mean[:, j], deviation[:, j], [codes[k]], [sizes[k]])
            assert together.mutual_information[j, k] == pytest.approx(
                alone.mutual_information[0, 0], abs=1e-7
            )


def test_cutting_the_axis_to_save_memory_changes_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    mean, deviation = rng.normal(size=400), 10 ** rng.uniform(-4, 1, 400)
    codes = rng.integers(6, size=400)
    whole = one_latent(mean, deviation, [codes], [6])
    monkeypatch.setattr(posterior, "CELLS", 1 << 12)
    cut = one_latent(mean, deviation, [codes], [6])
    assert_allclose(cut.joint_entropy, whole.joint_entropy, rtol=0, atol=1e-7)
    assert_allclose(cut.latent_entropy, whole.latent_entropy, rtol=0, atol=1e-7)


def test_posteriors_without_width_count_distinct_means():
    codes = np.repeat(np.arange(5), [1, 2, 3, 4, 10])
    found = posterior_information(codes[:, None] / 3, np.full((20, 1), -1e4), [codes, codes % 2], [5, 2])
    assert_allclose(found.mutual_information[0], found.factor_entropy, atol=1e-5)
    blind = posterior_information(np.zeros((20, 1)), np.full((20, 1), -1e4), [codes], [5])
    assert blind.mutual_information[0, 0] == 0


def test_information_about_the_rows():
    # Eight rows in four places that do not overlap: log 4; all rows alike: nothing.
    mean = np.column_stack([np.repeat(np.arange(4), 2) * 50.0, np.zeros(8)])
    assert_allclose(information_about_rows(mean, np.zeros((8, 2))), [math.log(4), 0], atol=2e-5)


def test_a_mean_far_from_zero_does_not_matter():
    rng = np.random.default_rng(1)
    codes = rng.integers(4, size=200)
    mean, deviation = codes + 0.3 * rng.normal(size=200), np.full(200, 0.4)
    near, far = (one_latent(mean + shift, deviation, [codes], [4]) for shift in (0, 1e6))
    assert near.mutual_information[0, 0] == pytest.approx(far.mutual_information[0, 0], abs=1e-6)


@pytest.mark.parametrize(
    ("shift", "narrowest"),
    [(0, 3e-9), (1e3, 3e-9), (1e6, 1e-7), (-1e9, 1e-4)],
    ids=lambda value: f"{value:g}",
)
def test_posteriors_without_width_are_as_narrow_as_the_range_and_the_mean_allow(shift, narrowest):
    # A billionth of the range of 3, but no less than what numbers of the mean's size can tell apart.
    codes = np.tile([0, 1, 2, 3], 10)
    found = one_latent(shift + codes, np.full(40, 1e-40), [codes], [4])
    assert found.latent_entropy[0] == pytest.approx(math.log(4) + ONE + math.log(narrowest), abs=1e-4)
    assert found.mutual_information[0, 0] == pytest.approx(math.log(4), abs=1e-5)


def mixed_case():
    rng = np.random.default_rng(5)
    codes = [rng.integers(3, size=300), rng.integers(7, size=300)]
    mean = np.column_stack([codes[0] + 0.1 * rng.normal(size=300), rng.normal(size=300)])
    return mean, logvar(10 ** rng.uniform(-3, 0.5, size=(300, 2))), codes, [3, 7]


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
@pytest.mark.parametrize("cells", [posterior.CELLS, 1 << 12])
def test_tensors_give_the_same_on_their_device(device, cells, monkeypatch):
    torch = pytest.importorskip("torch")
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    monkeypatch.setattr(posterior, "CELLS", cells)
    added = []
    add = posterior.Mixture._add
    monkeypatch.setattr(
        posterior.Mixture, "_add", lambda self, *rest: (added.append(self), add(self, *rest))[1]
    )
    mean, variance, codes, sizes = mixed_case()
    expected = posterior_information(mean, variance, codes, sizes)
    about_rows = information_about_rows(mean, variance)
    added.clear()
    tensors = [torch.from_numpy(array).to(device) for array in (mean, variance)]
    found = posterior_information(*tensors, codes, sizes)
    assert all(mixture.deviation.device.type == device for mixture in added)
    assert_allclose(found.latent_entropy, expected.latent_entropy, rtol=0, atol=1e-12)
    assert_allclose(found.joint_entropy, expected.joint_entropy, rtol=0, atol=1e-12)
    assert_allclose(found.mutual_information, expected.mutual_information, rtol=0, atol=1e-12)
    assert_allclose(information_about_rows(*tensors), about_rows, rtol=0, atol=1e-12)


def test_tensors_of_single_precision_count_as_doubles():
    torch = pytest.importorskip("torch")
    mean, variance, codes, sizes = mixed_case()
    single = [array.astype(np.float32) for array in (mean, variance)]
    expected = posterior_information(*single, codes, sizes)
    found = posterior_information(*map(torch.from_numpy, single), codes, sizes)
    assert_allclose(found.joint_entropy, expected.joint_entropy, rtol=0, atol=1e-12)
