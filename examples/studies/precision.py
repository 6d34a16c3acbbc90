"""Does training in bfloat16 change the scores? Ten seeds in both precisions, and a control.

A run is chaotic: the least change of its weights leads it elsewhere. So a third set of runs is trained in
float32 with first weights that differ by one part in a million. What bfloat16 changes beyond that is its
own. Runs of one seed share their first weights, batches and noise. Everything is measured in float32.

pro-VLAE with two latents per layer, sprites pooled to 32x32, beta 0.25 (1 at 64x64), 2,400 steps of 32
images. A run takes two to four minutes on one CPU core. Rows are appended to precision.csv beside this
script; a run that is there already is not made again. The table is printed at the end.

Run: python examples/studies/precision.py [--seeds 10]
"""

import argparse
import tempfile
from pathlib import Path

import pandas as pd
import torch
from late_latents import PAIRS, STAGE, append, measured, rows_of
from scipy import stats

import disentangle_metrics as dm
from reference_models.models.pro_vlae import ProVLAE
from reference_models.training.train import Settings, train

RESULTS = Path(__file__).with_suffix(".csv")
STEPS = 3 * STAGE
NUDGED = "float32, weights nudged"
TRAINED = {"float32": "float32", NUDGED: "float32", "bfloat16": "bfloat16"}  # each with its precision
MEASURED = ("reconstruction", "mig", "mig_sup")


def run(dataset, trained, seed):
    torch.manual_seed(seed)
    model = ProVLAE(image_shape=[1, 32, 32], **PAIRS)
    if trained == NUDGED:
        with torch.no_grad():
            for weights in model.parameters():
                weights.mul_(1 + 1e-6)
    settings = Settings(
        batch_size=32,
        learning_rate=1e-3,
        warmup_steps=300,
        seed=seed,
        steps=STEPS,
        save_every=STEPS,
        device="cpu",
        precision=TRAINED[trained],
    )
    with tempfile.TemporaryDirectory() as folder:
        train(model, dataset, settings, Path(folder), description={"arguments": PAIRS}, progress=False)
    return {"trained": trained, "seed": seed, **measured(model, dataset)}


def table(rows):
    """The mean of float32, and how far the others' mean and single runs lie from it, seed by seed."""
    values = rows.pivot(index="seed", columns="trained", values=list(MEASURED)).dropna()
    lines = []
    for name in MEASURED:
        plain = values[name]["float32"]
        for trained in (NUDGED, "bfloat16"):
            difference = values[name][trained] - plain
            half = stats.t.ppf(0.975, len(difference) - 1) * stats.sem(difference)
            lines.append(
                {
                    "": name,
                    "mean, float32": plain.mean(),
                    "deviation over seeds": plain.std(),
                    "against float32": trained,
                    "difference": difference.mean(),
                    "low": difference.mean() - half,
                    "high": difference.mean() + half,
                    "of one seed": difference.abs().mean(),
                }
            )
    return pd.DataFrame(lines).round(3), len(values)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    seeds = parser.parse_args().seeds
    dataset = dm.load_dataset("sprites", pool=2)
    done = {(row["trained"], int(row["seed"])) for row in rows_of(RESULTS)}
    for seed in range(seeds):
        for trained in TRAINED:
            if (trained, seed) not in done:
                append(RESULTS, run(dataset, trained, seed))
    lines, count = table(pd.read_csv(RESULTS))
    print(f"\n{count} seeds\n{lines.to_string(index=False)}")


if __name__ == "__main__":
    main()
