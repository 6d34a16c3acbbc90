"""Units of several latents: a circle, slots, the parts of a world model's state, the layers of a model.

docs/units.md shows its pictures. Needs the extras `models` and `report`.

python examples/units.py [--out FOLDER]
"""

import argparse
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import disentangle_metrics as dm

matplotlib.use("Agg")
parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--out", type=Path, default=Path("units"))
out = parser.parse_args().out
out.mkdir(exist_ok=True)
rng = np.random.default_rng(0)
ROWS = 4_000

# A direction that is drawn as a circle by two latents
places = rng.integers(8, size=(ROWS, 2))
angle = places[:, 0] * 2 * np.pi / 8
latents = np.column_stack([np.cos(angle), np.sin(angle), places[:, 1]]) + 0.05 * rng.normal(size=(ROWS, 3))
names = ["direction", "size"]
options = {"metrics": ["mig"], "factor_names": names, "anchors": False}
apart = dm.score(latents, places, **options)
together = dm.score(latents, places, groups={"circle": [0, 1]}, **options)
figure, axes = plt.subplots(1, 2, figsize=(6.6, 1.7), layout="constrained")
dm.plot.units(apart, ax=axes[0])
dm.plot.units(together, ax=axes[1])
figure.savefig(out / "circle.png", dpi=160)

# Slots: a vector for each object; in the second model the last slot also holds the object before it
objects = rng.integers(4, size=(ROWS, 3))
clean = rng.normal(size=(4, 4))[objects] + 0.1 * rng.normal(size=(ROWS, 3, 4))
leaking = clean.copy()
leaking[:, 2] += 0.7 * clean[:, 1]
slots = {f"slot {s}": range(4 * s, 4 * s + 4) for s in range(3)}
options = {"metrics": ["mig"], "groups": slots, "factor_names": [f"object {s}" for s in range(3)]}
figure, axes = plt.subplots(1, 2, figsize=(6.6, 2.0), layout="constrained")
for ax, (name, vectors) in zip(axes, {"clean": clean, "leaking": leaking}.items(), strict=True):
    report = dm.score(vectors.reshape(ROWS, -1), objects, anchors=False, **options)
    dm.plot.units(report, ax=ax)
    ax.set_title(f"{name} slots: MIG {report['mig'].value:.2f}", loc="left", fontsize=7.5)
figure.savefig(out / "slots.png", dpi=160)

# The parts of a state
quantities = pd.DataFrame(
    {"x": rng.uniform(-1, 1, ROWS), "y": rng.uniform(-1, 1, ROWS), "speed": rng.normal(size=ROWS)}
)
quantities["contact"] = (rng.random(ROWS) < 0.3).astype(int)
read = {"position": ["x", "y"], "velocity": ["speed"], "contact": ["contact", "x"]}
columns = [quantities[own].to_numpy() @ rng.normal(size=(len(own), 3)) for own in read.values()]
state = np.hstack(columns) + 0.1 * rng.normal(size=(ROWS, 9))
parts = {name: range(3 * place, 3 * place + 3) for place, name in enumerate(read)}
report = dm.score(state, quantities, groups=parts, metrics=["mig"], anchors=False)
dm.plot.units(report).savefig(out / "state.png", dpi=200)

# The layers of a model
sprites = dm.load_dataset("sprites")
encoder = dm.load_encoder("pro-vlae-sprites", device="cpu")
metrics = ["mig", "mig_sup", "dci_informativeness"]
report = dm.evaluate(encoder, sprites, groups="layers", metrics=metrics, anchors=False)
dm.plot.units(report).savefig(out / "layers.png", dpi=200)
print(report)
