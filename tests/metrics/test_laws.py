"""Every registered metric obeys the laws that its definition claims."""

from __future__ import annotations

import pytest

import disentangle_metrics as dm
from disentangle_metrics.testing import LAWS, check_metric, same_bits

# Fewer votes and rows than by default: the laws do not depend on them, the time does.
QUICK = {
    "factor_vae": {"votes": (600, 300), "rows": 16},
}
SLOW = {"dci": 3, "sap": 5, "factor_vae": 8}


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", dm.list_metrics())
def test_law(name, law):
    examples = 2 if law is same_bits else SLOW.get(name, 20)
    check_metric(name, laws=(law,), examples=examples, **QUICK.get(name, {}))
