"""Embeddings of single cells: does one dimension hold the cell type, and another the batch?

Needs the extra `anndata`. Run: python examples/integrations/anndata_embeddings.py
"""

import anndata
import numpy as np
import pandas as pd
from sklearn.decomposition import PCA, FastICA

import disentangle_metrics as dm
from disentangle_metrics.integrations.anndata import benchmark

rng = np.random.default_rng(0)
cells, genes = 1200, 60
obs = pd.DataFrame(
    {
        "cell_type": pd.Categorical(rng.choice(["B cell", "T cell", "monocyte"], cells)),
        "batch": pd.Categorical(rng.choice(["donor 1", "donor 2"], cells)),
    },
    index=[f"cell{i}" for i in range(cells)],
)
effects = rng.normal(size=(3, genes))[obs["cell_type"].cat.codes] * 0.8
effects += rng.normal(size=(2, genes))[obs["batch"].cat.codes] * 0.4
adata = anndata.AnnData(rng.poisson(5 * np.exp(effects)).astype(np.float32), obs=obs)

logs = np.log1p(adata.X)
adata.obsm["X_pca"] = PCA(4, random_state=0).fit_transform(logs)
adata.obsm["X_ica"] = FastICA(4, random_state=0, whiten="unit-variance").fit_transform(logs)

print(dm.score(adata, latents="X_pca", factors=["cell_type", "batch"], metrics=["mig", "mig_sup", "dci"]))
table = benchmark(adata, ["X_pca", "X_ica"], ["cell_type", "batch"], metrics=["mig", "mig_sup"])
print(table.round(3).to_string())
