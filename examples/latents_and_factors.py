"""Which latent knows which factor? The table behind MIG and MIG-sup, drawn for one model or several.

A row of a panel is a latent, a column a factor: the share of the factor's entropy that the latent
tells, I(z; v) / H(v). One dark cell in a row and in a column is what both scores look for.

Needs the extras `models` and `report`.

python examples/latents_and_factors.py [MODEL ...] [--dataset NAME] [--pool N] [--out FILE]
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import disentangle_metrics as dm

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument(
    "models", nargs="*", default=["pro-vlae-sprites"], help="model files, or names of bundled ones"
)
parser.add_argument("--dataset", default="sprites")
parser.add_argument("--pool", type=int, default=1, help="of so many pixels a side one is made")
parser.add_argument("--out", default="latents_and_factors.png")
parser.add_argument("--titles", nargs="*", help="of the panels, one for each model")
chosen = parser.parse_args()

dataset = dm.load_dataset(chosen.dataset, pool=chosen.pool)
titles = chosen.titles or [Path(model).stem for model in chosen.models]
if len(titles) != len(chosen.models):
    parser.error(f"{len(titles)} titles for {len(chosen.models)} models")
figure = Figure(figsize=(1 + 2.6 * len(titles), 3.6), layout="constrained", dpi=150)
panels = figure.subplots(1, len(titles), squeeze=False)[0]
for panel, model, title in zip(panels, chosen.models, titles, strict=True):
    report = dm.evaluate(dm.load_encoder(model), dataset, metrics=["mig", "mig_sup"], anchors=False)
    details = report["mig"].details
    share = details["mutual_information"] / details["factor_entropy"]
    image = panel.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(share.to_numpy()):
        if value >= 0.05:
            color = "white" if value > 0.5 else "black"
            panel.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=6, color=color)
    panel.set_xticks(range(share.shape[1]), share.columns, rotation=45, ha="right", fontsize=7)
    panel.set_yticks(range(len(share)), share.index, fontsize=7)
    scores = f"MIG {report['mig'].value:.2f}, MIG-sup {report['mig_sup'].value:.2f}"
    panel.set_title(f"{title}\n{scores}", fontsize=8)
figure.colorbar(image, ax=panels, label="I(z; v) / H(v)")
figure.savefig(chosen.out)
print(f"{chosen.out}: {', '.join(titles)}")
