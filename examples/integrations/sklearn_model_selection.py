"""Choose an unsupervised model by its disentanglement, with scikit-learn's own model selection.

Needs no extra. Run: python examples/integrations/sklearn_model_selection.py
"""

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA, FastICA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from disentangle_metrics.integrations.sklearn import make_scorer

rng = np.random.default_rng(0)
factors = pd.DataFrame({"speed": rng.integers(0, 5, 1500), "load": rng.integers(0, 4, 1500)})
sensors = factors.to_numpy() @ rng.normal(size=(2, 8)) + 0.1 * rng.normal(size=(1500, 8))

search = GridSearchCV(
    Pipeline([("scale", StandardScaler()), ("model", PCA(2))]),
    {"model": [PCA(2), FastICA(2, random_state=0)]},
    scoring={"mig": make_scorer("mig"), "mig_sup": make_scorer("mig_sup")},
    refit="mig",
    cv=3,
)
search.fit(sensors, factors)
columns = ["param_model", "mean_test_mig", "mean_test_mig_sup"]
print(pd.DataFrame(search.cv_results_)[columns].round(3).to_string(index=False))
print("chosen:", search.best_estimator_.named_steps["model"])
