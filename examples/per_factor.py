"""Several models side by side, factor by factor: which one does a model's score come from?

A score is a mean over factors; two models of the same mean may know different ones.

Needs the extra `models`.

python examples/per_factor.py [MODEL ...] [--metric mig] [--dataset NAME] [--pool N] [--out FILE.csv]
"""

import argparse
from pathlib import Path

import pandas as pd

import disentangle_metrics as dm

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument(
    "models", nargs="*", default=["pro-vlae-sprites", "vlae-sprites"], help="model files, or bundled names"
)
parser.add_argument("--metric", default="mig", help="one that has a part for each factor")
parser.add_argument("--dataset", default="sprites")
parser.add_argument("--pool", type=int, default=1, help="of so many pixels a side one is made")
parser.add_argument("--out", help="a CSV file; otherwise the terminal")
chosen = parser.parse_args()

dataset = dm.load_dataset(chosen.dataset, pool=chosen.pool)
lines = {}
for model in chosen.models:
    report = dm.evaluate(dm.load_encoder(model), dataset, metrics=[chosen.metric], anchors=False)
    score = report.get(chosen.metric)
    if score is None or score.per_factor is None:
        parser.error(f"{chosen.metric} is no score that has a part for each factor")
    path = Path(model)
    name = path.parent.name if path.stem == "model" else path.stem  # a run's folder has its name
    lines[name] = {**score.per_factor, chosen.metric: score.value}
table = pd.DataFrame.from_dict(lines, orient="index").rename_axis("model").round(3)
if chosen.out:
    table.to_csv(chosen.out)
    print(chosen.out)
else:
    print(table.to_string())
