"""Every registered metric obeys the laws that its definition claims."""

from __future__ import annotations

import pytest

import disentangle_metrics as dm
from disentangle_metrics.testing import LAWS, check_metric, rescaled_latents, same_bits

# Fewer votes and rows than by default: the laws do not depend on them, the time does.
QUICK = {
    "infomec": {"max_iter": 20},
    "factor_vae": {"votes": (600, 300), "rows": 16},
    "z_max_variance": {"votes": (600, 300), "rows": 16},
    "beta_vae": {"votes": (200, 100), "rows": 8},
    "explicitness": {"max_rows": 60},
    "wsepin": {"samples": 60},
    "unibound": {"samples": 60},
}
SLOW = {
    "dci": 2,
    "sap": 3,
    "factor_vae": 5,
    "z_max_variance": 5,
    "beta_vae": 4,
    "explicitness": 3,
    "infomec": 3,
    "wsepin": 4,
    "unibound": 4,
    "dhsic": 4,
}


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", dm.list_metrics())
def test_law(name, law):
    examples = 2 if law is same_bits else SLOW.get(name, 12)
    check_metric(name, laws=(law,), examples=examples, **QUICK.get(name, {}))


# Quadrature answers to another scale with the grid's error, 1e-6, and not to the last bits.
@pytest.mark.parametrize(
    "law", [law for law in LAWS if law is not rescaled_latents], ids=lambda law: law.__name__
)
@pytest.mark.parametrize("name", ["mig", "mig_sup"])
def test_law_with_posteriors(name, law):
    check_metric(name, laws=(law,), examples=3, estimator="posterior")


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", ["mig", "modularity"])
def test_law_with_nearest_neighbours(name, law):
    check_metric(name, laws=(law,), examples=3, estimator="nearest_neighbours")


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", ["mig", "mig_sup", "jemmig", "dcimig", "modularity"])
def test_law_with_a_correction(name, law):
    check_metric(name, laws=(law,), examples=3, correction="miller_madow")


# Posteriors keep their widths here when their means are scaled, which is another code.
@pytest.mark.parametrize(
    "law", [law for law in LAWS if law is not rescaled_latents], ids=lambda law: law.__name__
)
def test_law_with_posteriors_sampled(law):
    check_metric("mig", laws=(law,), examples=1, estimator="posterior_monte_carlo", samples=100)
