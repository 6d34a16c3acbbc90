"""Why pro-VLAE's lowest layer stays unused in short runs: one thing changed at a time.

Each variant trains pro-VLAE on the sprites, pooled to 32x32 for speed, and records what each layer
holds at the end. Rows are appended to lowest_layer.csv beside this script; a variant that is there
already is not run again. A run takes a minute or two on one CPU core.

Run: python examples/studies/lowest_layer.py [--seeds 0 1]
"""

import argparse
import csv
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

import disentangle_metrics as dm
from reference_models.models.pro_vlae import ProVLAE
from reference_models.models.vlae import VLAE
from reference_models.training import Settings, train

RESULTS = Path(__file__).with_suffix(".csv")
STAGE = 800
BASE = {
    "latents_per_layer": 3,
    "beta": 1.0,  # on a quarter of the pixels; the demo's 4 at 64x64
    "gamma": 0.5,
    "wake_steps": [0, STAGE, 2 * STAGE],
    "fade_in_steps": 240,
}
VARIANTS = {  # name -> (model, what differs from BASE, steps)
    "base": (ProVLAE, {}, 3 * STAGE),
    "last stage 3 times as long": (ProVLAE, {}, 5 * STAGE),
    "first two stages a third as long": (
        ProVLAE,
        {"wake_steps": [0, STAGE // 3, 2 * STAGE // 3], "fade_in_steps": STAGE // 10},
        2 * STAGE // 3 + STAGE,
    ),
    "gamma 0": (ProVLAE, {"gamma": 0.0}, 3 * STAGE),
    "no fade-in": (ProVLAE, {"fade_in_steps": 0}, 3 * STAGE),
    "fade-in over the whole stage": (ProVLAE, {"fade_in_steps": STAGE}, 3 * STAGE),
    "beta 0.25": (ProVLAE, {"beta": 0.25}, 3 * STAGE),
    "beta 0.25, last stage 3 times as long": (ProVLAE, {"beta": 0.25}, 5 * STAGE),
    "2 latents per layer": (ProVLAE, {"latents_per_layer": 2}, 3 * STAGE),
    "learned affine after each activation": (ProVLAE, {"affine": True}, 3 * STAGE),
    "no progression (VLAE)": (VLAE, None, 3 * STAGE),
}


class Pooled:
    """A data set with images pooled 2x2."""

    def __init__(self, dataset):
        self.dataset, self.name = dataset, f"{dataset.name} pooled to 32x32"

    def __len__(self):
        return len(self.dataset)

    def images(self, indices):
        images = self.dataset.images(indices)
        n, height, width, channels = images.shape
        return images.reshape(n, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4)).astype(np.uint8)


def run(dataset, name, seed):
    model_class, changes, steps = VARIANTS[name]
    if changes is None:
        arguments = {key: BASE[key] for key in ("latents_per_layer", "beta")}
    else:
        arguments = {**BASE, **changes}
    torch.manual_seed(seed)
    model = model_class(image_shape=[1, 32, 32], **arguments)
    settings = Settings(
        batch_size=32,
        learning_rate=1e-3,
        warmup_steps=300,
        seed=seed,
        steps=steps,
        save_every=steps,
        device="cpu",
    )
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        train(model, dataset, settings, Path(folder), description={"arguments": arguments}, progress=False)
    seconds = time.perf_counter() - began
    return {
        "variant": name,
        "seed": seed,
        "steps": steps,
        **measured(model, dataset),
        "seconds": round(seconds),
    }


def measured(model, dataset):
    """Reconstruction error and KL per image on 5,000 images, and scores of the means, in evaluation mode."""
    model.eval()
    indices = np.random.default_rng(0).choice(len(dataset), 5_000, replace=False)
    images = torch.from_numpy(dataset.images(indices)).permute(0, 3, 1, 2) / 255
    with torch.no_grad():
        outputs = [model(part) for part in images.split(500)]
        mean, logvar = (torch.cat(parts) for parts in zip(*outputs, strict=True))
        logits = torch.cat([model.decode(part) for part in mean.split(500)])
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, images, reduction="sum")
    kl = (0.5 * (mean.square() + logvar.exp() - 1 - logvar)).mean(dim=0).reshape(3, -1).sum(dim=1)
    factors = dataset.dataset.factors(indices)[:, 1:]  # without shape, as the paper's authors do
    posterior = dm.GaussianPosterior(mean, logvar)
    report = dm.score(posterior, factors, metrics=["mig", "mig_sup"], anchors=False)
    return {
        "reconstruction": round(float(loss) / len(images), 2),
        **{f"kl_{layer + 1}": round(float(value), 3) for layer, value in enumerate(kl)},
        **{key: round(score.value, 3) for key, score in report.items()},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    seeds = parser.parse_args().seeds
    dataset = Pooled(dm.load_dataset("sprites"))
    done = set()
    if RESULTS.exists():
        with RESULTS.open(newline="") as file:
            done = {(row["variant"], int(row["seed"])) for row in csv.DictReader(file)}
    for seed in seeds:
        for name in VARIANTS:
            if (name, seed) in done:
                continue
            row = run(dataset, name, seed)
            new = not RESULTS.exists()
            with RESULTS.open("a", newline="") as file:
                writer = csv.DictWriter(file, fieldnames=list(row))
                if new:
                    writer.writeheader()
                writer.writerow(row)
            print(row, flush=True)


if __name__ == "__main__":
    main()
