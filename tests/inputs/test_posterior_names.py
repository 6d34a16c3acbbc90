"""The spellings of means and spreads, and what is neither."""

from __future__ import annotations

import numpy as np
import pytest

from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.posterior_names import NamedPosterior, as_logvar, named_posterior, role_of

SPELT = {
    "mean": "mean mu z_mean z_mu mu_z zMean means loc qz_loc z_mean:0 /fc_mu/Gemm_output_0 latent_mean posterior.mean zmu",
    "logvar": "logvar log_var z_log_var logVar z_logvar log_sigma_sq logsigma2 log_sigma2 log_variance fc_logvar ln_var",
    "std": "std z_std sigma sigma_z scale stddev qz_scale standard_deviation",
    "logstd": "log_std log_sigma logscale z_log_std",
    "var": "var variance sigma2 sigma_sq z_var",
    None: "z first output_0 recon recon_mean x_mean decoder_mu prior_logvar Identity_1 labels running_mean running_var meaning",
}


@pytest.mark.parametrize(("role", "name"), [(r, n) for r, names in SPELT.items() for n in names.split()])
def test_spellings(role, name):
    assert role_of(name) == role


def test_pairs():
    assert named_posterior(["z", "std", "mu"]) == NamedPosterior("mu", "std", "std")
    assert named_posterior(["std", "logvar", "mu"]) == NamedPosterior("mu", "logvar", "logvar")
    assert named_posterior(["z", "recon"]) is None
    assert named_posterior(["mean", "z"]) == NamedPosterior("mean")
    with pytest.raises(InputError, match=r"several are called like a logvar \(log_var, logvar\)"):
        named_posterior(["mu", "log_var", "logvar"])


@pytest.mark.parametrize(
    ("kind", "value"), [("logvar", np.log(0.25)), ("logstd", np.log(0.5)), ("std", 0.5), ("var", 0.25)]
)
def test_every_spread_becomes_a_logvar(kind, value):
    np.testing.assert_allclose(as_logvar(np.full((2, 2), value), kind, "s"), np.log(0.25))


def test_a_spread_must_be_positive():
    with pytest.raises(
        InputError, match=r"'s' is read as a variance, which must be above 0, but at \[1, 0\] it is 0"
    ):
        as_logvar(np.array([[1.0], [0.0]]), "var", "s")
