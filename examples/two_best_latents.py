"""What a factor's MIG is the gap of: its two most informative latents, against each other.

A panel for each model and factor, a point for each image, coloured by the factor. MIG is 1 where the
colours run along one axis alone, and 0 where both axes know them equally: on a circle, for example, as
a network draws a hue when it has two latents to spare.

Needs the extras `models` and `report`.

python examples/two_best_latents.py [MODEL ...] [--dataset NAME] [--pool N] [--factors NAME ...] [--out FILE]
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import disentangle_metrics as dm

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument(
    "models", nargs="*", default=["pro-vlae-sprites"], help="model files, or names of bundled ones"
)
parser.add_argument("--dataset", default="sprites")
parser.add_argument("--pool", type=int, default=1, help="of so many pixels a side one is made")
parser.add_argument("--factors", nargs="*", help="those to draw; all without")
parser.add_argument("--colors", default="viridis", help="a colour map of matplotlib: hsv for hues")
parser.add_argument("--titles", nargs="*", help="of the rows, one for each model")
parser.add_argument("--out", default="two_best_latents.png")
chosen = parser.parse_args()

dataset = dm.load_dataset(chosen.dataset, pool=chosen.pool)
rows = np.random.default_rng(0).choice(len(dataset), 2_000, replace=False)
images = dataset.images(rows).transpose(0, 3, 1, 2) / np.float32(255)
factors = pd.DataFrame(dataset.factors(rows), columns=dataset.factor_names)
if unknown := set(chosen.factors or []) - set(factors):
    parser.error(f"{chosen.dataset} has no factor {', '.join(sorted(unknown))}; it has {', '.join(factors)}")
factors = factors[chosen.factors or list(factors)]
titles = chosen.titles or [Path(model).stem for model in chosen.models]
if len(titles) != len(chosen.models):
    parser.error(f"{len(titles)} titles for {len(chosen.models)} models")

figure = Figure(figsize=(2.6 * factors.shape[1], 2.7 * len(titles)), layout="constrained", dpi=130)
panels = figure.subplots(len(titles), factors.shape[1], squeeze=False)
for line, model, title in zip(panels, chosen.models, titles, strict=True):
    encode = dm.load_encoder(model)
    codes = [encode(batch) for batch in np.array_split(images, 8)]
    means = np.concatenate([code[0] if isinstance(code, tuple) else code for code in codes])
    mig = dm.mig(means, factors)
    for panel, (name, values) in zip(line, factors.items(), strict=True):
        told = mig.details["mutual_information"][name] / mig.details["factor_entropy"][name]
        x, y = told.nlargest(2).index
        points = (means[:, told.index.get_loc(latent)] for latent in (x, y))
        panel.scatter(*points, s=2, c=values, cmap=chosen.colors, vmin=0, vmax=values.max() + 1)
        panel.set(xlabel=f"{x} tells {told[x]:.2f}", ylabel=f"{y} tells {told[y]:.2f}", xticks=[], yticks=[])
        panel.set_title(f"{title}: {name}\ngap {told[x] - told[y]:.2f}", fontsize=9)
figure.savefig(chosen.out)
print(f"{chosen.out}: {', '.join(titles)}")
