"""Which latents are active, and which of them are remarked upon."""

from __future__ import annotations

import re

import numpy as np
import pytest

import disentangle_metrics as dm
from tests.grids import full_grid

V = full_grid(4, 3, times=20)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_a_latent_is_faint_beside_the_others_whatever_their_scale(scale):
    with np.errstate(all="raise"):
        alike = dm.score(scale * V, V, metrics="mig_sup", anchors=False)["mig_sup"]
        faint = dm.score(scale * V * [1.0, 0.05], V, metrics="mig_sup", anchors=False)["mig_sup"]
    assert alike.warnings == ()
    (warning,) = faint.warnings
    assert warning.startswith("latent z_1: variance below 1 percent of the largest, and counted as active")
    assert faint.value == alike.value
    (advised,) = re.findall(r"active=([^)]+)\)", warning)
    metric = dm.Metric("mig_sup", active=float(advised))
    left_out = dm.score(scale * V * [1.0, 0.05], V, metrics=metric, anchors=False)
    assert [check.code for check in left_out.checks()] == ["inactive_latents"]
    assert left_out["mig_sup"].value == dm.mig_sup(V[:, :1], V).value
