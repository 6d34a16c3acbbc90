"""Scores while a network is trained, by a plain PyTorch loop; needs the extras `models` and `report`.

Run it twice: the second run reads the scores of the first, and goes on. It takes half a minute.

python examples/track_training.py [--out FOLDER] [--steps N]
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import nn

import disentangle_metrics as dm

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--out", type=Path, default=Path("tracked"))
parser.add_argument("--steps", type=int, default=400)
arguments = parser.parse_args()
out = arguments.out
out.mkdir(exist_ok=True)
torch.manual_seed(0)

sprites = dm.load_dataset("sprites", pool=2)
rows = np.random.default_rng(0).choice(len(sprites), 4000, replace=False)
images = torch.from_numpy(sprites.images(rows).reshape(4000, -1)).float() / 255
train, test = images[:3000], images[3000:]
factors = sprites.factors(rows[3000:])  # of the images that the network is not trained on

LATENTS, BETA = 6, 4.0
encoder = nn.Sequential(nn.Linear(images.shape[1], 256), nn.ReLU(), nn.Linear(256, 2 * LATENTS))
decoder = nn.Sequential(nn.Linear(LATENTS, 256), nn.ReLU(), nn.Linear(256, images.shape[1]))
both = nn.ModuleList([encoder, decoder])
optimiser = torch.optim.Adam(both.parameters(), lr=1e-3)
tracker = dm.Tracker(
    out / "scores.jsonl",
    metrics=["mig", "mig_sup", "modularity", "mcc", "total_correlation"],
    factor_names=sprites.factor_names,
)

start, checkpoint = 0, out / "checkpoint.pt"
if checkpoint.exists():
    saved = torch.load(checkpoint, weights_only=True)
    both.load_state_dict(saved["networks"])
    optimiser.load_state_dict(saved["optimiser"])
    start = saved["step"]
tracker.rewind(start)  # scores of steps after the checkpoint, if the run stopped there

for step in range(start + 1, start + arguments.steps + 1):
    batch = train[torch.randint(len(train), (128,))]
    mean, logvar = encoder(batch).chunk(2, dim=1)
    code = mean + torch.randn_like(mean) * (logvar / 2).exp()
    reconstruction = nn.functional.binary_cross_entropy_with_logits(decoder(code), batch, reduction="sum")
    kl = 0.5 * (mean**2 + logvar.exp() - 1 - logvar).sum()
    loss = (reconstruction + BETA * kl) / len(batch)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()

    if step % 50 == 0:
        with torch.no_grad():
            latents = encoder(test)[:, :LATENTS]
        report = tracker.log(step, latents, factors)
        scores = report.scalars("val/")  # for writer.add_scalar, wandb.log or mlflow.log_metrics
        print(f"step {step}: loss {loss.item():.0f}, " + ", ".join(f"{k} {v:.3f}" for k, v in scores.items()))
        saved = {"networks": both.state_dict(), "optimiser": optimiser.state_dict(), "step": step}
        torch.save(saved, checkpoint)

print(tracker)
tracker.to_csv(out / "scores.csv", chance=True)
tracker.plot().savefig(out / "scores.png", dpi=160)
