"""Add a metric of one's own: a function of the relations between latents and factors.

Needs nothing but the base install. Run: python examples/add_metric.py
"""

import numpy as np

import disentangle_metrics as dm
from disentangle_metrics.testing import check_metric


@dm.metric(property="compactness", source="this example")
def best_latent_information(relations, *, bins: int = 20):
    """How much of a factor its best latent tells: mean over factors of max_j I(z_j; v_k) / H(v_k)."""
    varying = relations.need_factors(1, "best_latent_information")
    information = relations.mutual_information(bins=bins)
    share = information.mutual_information.max(axis=0)[varying] / information.factor_entropy[varying]
    per_factor = np.full(len(varying), np.nan)
    per_factor[varying] = share
    return dm.MetricValue(float(share.mean()), per_factor=per_factor)


rng = np.random.default_rng(0)
factors = rng.integers(5, size=(2_000, 3))
latents = factors + 0.3 * rng.normal(size=factors.shape)

# It shares the tables of the built-in metrics, and gets chance, ceiling and a signature like them.
report = dm.score(latents, factors, metrics=["mig", "best_latent_information"])
print(report)
print(report["best_latent_information"].signature)

# The laws every metric must obey (needs the package hypothesis): order, scale, labels, seeds, ...
check_metric("best_latent_information", examples=5)
print("best_latent_information obeys the laws")
