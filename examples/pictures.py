"""Every picture of dm.plot, drawn from the bundled checkpoints; docs/pictures.md shows them.

Needs the extras `models` and `report`.

python examples/pictures.py [--out FOLDER]
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA

import disentangle_metrics as dm
from reference_models import bundled

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--out", type=Path, default=Path("pictures"))
out = parser.parse_args().out
out.mkdir(exist_ok=True)

sprites = dm.load_dataset("sprites")
rows = np.random.default_rng(0).choice(len(sprites), 1000, replace=False)
encoder = dm.load_encoder("pro-vlae-sprites", device="cpu")
images = sprites.images(rows).transpose(0, 3, 1, 2).astype(np.float32) / 255
latents, _ = encoder(images)
factors = sprites.factors(rows)
names = sprites.factor_names
metrics = ["mig", "mig_sup", "jemmig", "modularity", "factor_vae", "mcc", "irs", "total_correlation"]
report = dm.score(latents, factors, metrics=metrics, factor_names=names, confidence=0.95, replicates=50)

# The scores of the bundled checkpoints come with them.
three = {
    name: dm.Report.from_json(file().with_suffix(".scores.json"))
    for name, file in {
        "pro-VLAE": bundled.pro_vlae_sprites,
        "VLAE": bundled.vlae_sprites,
        "beta-VAE": bundled.beta_vae_sprites,
    }.items()
}
wide = latents.shape[1] // 3  # latents of each of its three layers
flat = images.reshape(len(images), -1)
several = {
    "pro-VLAE": latents,
    **{f"its layer {layer + 1}": latents[:, wide * layer : wide * (layer + 1)] for layer in range(3)},
    **{f"PCA of {size}": PCA(size, random_state=0).fit_transform(flat) for size in (3, 6, 12)},
    "noise": np.random.default_rng(1).normal(size=(len(rows), 6)),
}
ranked = dm.benchmark(several, factors, metrics=metrics, factor_names=names)
# Positions and scales are measurements here, so that a linear probe can read them.
eased = dm.benchmark(
    {"pro-VLAE": latents, "PCA of 6": several["PCA of 6"]},
    factors,
    metrics=["dci_es"],
    factor_names=names,
    factor_types=sprites.factor_types,
)
drawn = np.random.default_rng(1)
hue = drawn.uniform(0, 360, size=3_000)  # two latents go round with it, as docs/units.md explains
size = drawn.integers(3, size=3_000)
ring = np.column_stack([np.cos(np.radians(hue)), np.sin(np.radians(hue)), size])
ring = ring + 0.1 * drawn.normal(size=ring.shape)
layers = [f"layer {latent // wide + 1}" for latent in range(3 * wide)]

figures = {
    "scores": report.plot(),
    "several": dm.plot.scores(three),
    "table": three["pro-VLAE"]["mig"].plot(groups=layers),
    "tables": dm.plot.table(three, metric="dci_disentanglement"),
    "parts": dm.plot.parts(three, metric="mig"),
    "latents": dm.plot.parts(report["mig_sup"]),
    "ranks": ranked.plot(),
    "capacity": dm.plot.capacity(eased["pro-VLAE"]),
    "capacities": dm.plot.capacity(eased),
    "circle": dm.plot.circle(
        ring,
        np.column_stack([hue, size]),
        factor="hue",
        unit=[0, 1],
        factor_names=["hue", "size"],
        factor_types={"hue": "circular:360"},
    ),
    "latent": dm.plot.latent(latents, factors, factor_names=names, latent="z_2", factor="scale"),
}
for name, figure in figures.items():
    figure.savefig(out / f"{name}.png", dpi=160)
report.to_html(out / "report.html", encoder=encoder, dataset=sprites)
print(f"{out}: {', '.join(figures)}, and report.html")
