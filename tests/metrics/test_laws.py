"""Every registered metric obeys the laws that its definition claims."""

from __future__ import annotations

import pytest

import disentangle_metrics as dm
from disentangle_metrics.metrics.lookup import find_metric
from disentangle_metrics.testing import LAWS, check_metric, choices_of, same_bits

# Fewer votes and rows than by default: the laws do not depend on them, the time does.
QUICK = {
    "infomec": {"max_iter": 20},
    "factor_vae": {"votes": (600, 300), "rows": 16},
    "z_max_variance": {"votes": (600, 300), "rows": 16},
    "beta_vae": {"votes": (200, 100), "rows": 8},
    "explicitness": {"max_rows": 60},
    "wsepin": {"samples": 60},
    "unibound": {"samples": 60},
    "t_mex": {"halves": 2},
    "dci_es": {"features": 8},
}
SLOW = {
    "dci": 1,
    "sap": 2,
    "factor_vae": 5,
    "z_max_variance": 5,
    "beta_vae": 4,
    "explicitness": 3,
    "infomec": 3,
    "wsepin": 4,
    "unibound": 4,
    "dhsic": 4,
    "r4": 2,
    "r4c": 2,
    "t_mex": 2,
    "dci_es": 2,
}


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", dm.list_metrics())
def test_law(name, law):
    examples = 2 if law is same_bits else SLOW.get(name, 8)
    check_metric(name, laws=(law,), examples=examples, choices=False, **QUICK.get(name, {}))


def at_choices():
    """Every metric at each of its choices; those that take seconds for a single table are slow."""
    for name in dm.list_metrics():
        for chosen in choices_of(name):
            settings = {**QUICK.get(name, {}), **chosen}
            sampled = chosen.get("estimator") == "posterior_monte_carlo"
            if sampled and "samples" in find_metric(name).settings:
                settings["samples"] = 100
            fitted = name in ("dci", "explicitness", "infomec", "sap")
            alike = chosen.get("active") == "varying"  # it is what the default means for arrays
            slow = fitted or alike or (sampled and "samples" not in settings)
            title = "-".join([name, *(f"{setting}-{value}" for setting, value in chosen.items())])
            yield pytest.param(name, settings, id=title, marks=pytest.mark.slow if slow else ())


@pytest.mark.parametrize(("name", "settings"), list(at_choices()))
def test_laws_at_a_choice(name, settings):
    check_metric(name, examples=2, choices=False, **settings)
