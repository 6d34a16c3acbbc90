"""Score arrays: are the principal components of handwritten digits disentangled?

Needs nothing but the base install. Run: python examples/score_arrays.py
"""

import pandas as pd
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

import disentangle_metrics as dm

digits = load_digits()
latents = PCA(10, random_state=0).fit_transform(digits.data)
factors = pd.DataFrame(
    {
        "digit": digits.target,
        "mass": pd.qcut(digits.data.sum(axis=1), 5, labels=False),  # how much ink, in 5 equal groups
    }
)

report = dm.score(latents, factors)
print(report)

# Every number comes with its parts, the tables it was read from, and a signature to publish.
mig = report["mig"]
print(mig.per_factor)
print(mig.details["mutual_information"].round(2))
print(mig.signature)
