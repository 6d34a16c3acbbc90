"""Posteriors on a GPU: their quadrature is computed there, and everything else reads a copy."""

from __future__ import annotations

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics.estimators import namespaces
from disentangle_metrics.estimators.namespaces import is_on_accelerator
from disentangle_metrics.inputs import inputs
from disentangle_metrics.relations import relations
from disentangle_metrics.scoring.anchors import ideal

torch = pytest.importorskip("torch")

RNG = np.random.default_rng(0)
FACTORS = RNG.integers(4, size=(200, 2))
MEAN = FACTORS + 0.1 * RNG.normal(size=(200, 2))
LOGVAR = 2 * np.log(RNG.uniform(0.1, 0.5, size=(200, 2)))


def posterior(device):
    return dm.GaussianPosterior(*(torch.from_numpy(array.copy()).to(device) for array in (MEAN, LOGVAR)))


@pytest.fixture
def as_if_on_an_accelerator(monkeypatch):
    monkeypatch.setattr(inputs, "is_on_accelerator", namespaces.is_tensor)


def test_nothing_stays_that_is_not_on_an_accelerator():
    assert not is_on_accelerator(MEAN)
    assert not is_on_accelerator(torch.zeros(2))
    assert is_on_accelerator(torch.zeros(2, device="meta"))  # any device that is not the host
    assert inputs.check(posterior("cpu"), FACTORS).on_device is None


def test_rows_are_the_same_on_the_device(as_if_on_an_accelerator):
    given = posterior("cpu")
    given.mean[3, 1] = torch.nan
    checked = inputs.check(given, FACTORS, missing="drop")
    assert checked.on_device.mean.shape == (199, 2)
    for some in (checked, checked.rows(np.array([5, 2, 2])), checked.take(np.array([7, 1]), [0])):
        np.testing.assert_array_equal(some.on_device.mean.numpy(), some.latents)
        np.testing.assert_array_equal(some.on_device.logvar.numpy(), some.logvar)
    assert checked.shuffled(np.arange(199)[::-1]).on_device is checked.on_device
    assert ideal(checked).on_device is None  # another code, made on the host


METRICS = [
    dm.Metric("mig", estimator="posterior"),
    dm.Metric("mig_sup", estimator="posterior"),
    "informativeness",
]


def test_the_quadrature_gets_what_is_on_the_device(as_if_on_an_accelerator, monkeypatch):
    got = []
    for name in ("posterior_information", "information_about_rows"):
        wrapped = getattr(relations, name)

        def noting(mean, logvar, *others, wrapped=wrapped):
            got.append((type(mean), type(logvar)))
            return wrapped(mean, logvar, *others)

        monkeypatch.setattr(relations, name, noting)
    found = dm.score(posterior("cpu"), FACTORS, metrics=METRICS, anchors=False)
    assert got == [(torch.Tensor, torch.Tensor)] * 2
    expected = dm.score(dm.GaussianPosterior(MEAN, LOGVAR), FACTORS, metrics=METRICS, anchors=False)
    for name, score in expected.items():
        assert found[name].value == pytest.approx(score.value, abs=1e-12)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_scores_of_a_gpu_are_those_of_the_host():
    host, gpu = (dm.score(posterior(d), FACTORS, metrics=METRICS) for d in ("cpu", "cuda"))
    for name, score in host.items():
        assert gpu[name].value == pytest.approx(score.value, abs=1e-12)
