"""The metrics, one file per family; each is a pure function of relations with a definition."""

from __future__ import annotations

from disentangle_metrics.registry import Registry

BUILTIN = (
    "mig",
    "mig_sup",
    "jemmig",
    "dcimig",
    "modularity",
    "explicitness",
    "factor_vae",
    "beta_vae",
    "z_max_variance",
    "irs",
    "dci",
    "sap",
    "mcc",
    "total_correlation",
    "wasserstein_correlation",
    "mean_pairwise_mi",
    "infomec",
    "rmig",
    "informativeness",
    "active_units",
    "sufficiency",
    "minimality",
    "med",
    "dmig",
    "xmig",
    "dlig",
    "wsepin",
    "dhsic",
    "omes",
)

METRICS = Registry(
    kind="metric",
    group="disentangle_metrics.metrics",
    builtin={name: f"disentangle_metrics.metrics.{name}:definition" for name in BUILTIN},
)
