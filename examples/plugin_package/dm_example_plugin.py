"""A metric in a package of its own: installed beside disentangle-metrics, it is found by name."""

import numpy as np

import disentangle_metrics as dm


@dm.metric(
    name="spread",
    property="evenness",
    relation="binned latents",
    source="the plug-in example of disentangle-metrics",
)
def even_spread(relations: dm.Relations, *, bins: int = 20) -> dm.MetricValue:
    """Even spread: how evenly each latent's values fill its range.

    mean over latents of H(binned z_j) / log(bins). A toy, to show what a plug-in is.

    Parameters
    ----------
    bins
        Number of equal-width bins.

    Returns
    -------
    Range [0, 1]; higher is more even. Parts: `per_latent`.
    """
    information = relations.mutual_information(bins=bins)
    per_latent = information.latent_entropy / np.log(bins)
    return dm.MetricValue(float(per_latent.mean()), per_latent=per_latent)
