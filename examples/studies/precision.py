"""Does training in bfloat16 change the scores? Ten seeds in both precisions, and a control.

A run is chaotic: the least change of its weights leads it elsewhere. So each seed is trained in float32
twice, the second time with first weights that differ by one part in a million. bfloat16 is compared with the
mean of the two, and their own difference shows what rounding alone does. Runs of one seed share their first
weights, batches and noise. Everything is measured in float32.

pro-VLAE with two latents per layer, sprites pooled to 32x32, beta 0.25 (1 at 64x64), 2,400 steps of 32
images. A run takes two to four minutes on one CPU core. Rows are appended to precision.csv beside this
script; a run that is there already is not made again. The table is printed at the end.

Run: python examples/studies/precision.py [--seeds 10] [--jobs 1]
"""

import argparse
import tempfile
from pathlib import Path

import pandas as pd
import torch
from joblib import Parallel, delayed
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
    """Two lines for each score: the mean difference, its 95 percent interval, the size of one seed's."""
    lines = []
    for name in MEASURED:
        values = rows.pivot(index="seed", columns="trained", values=name).reindex(columns=TRAINED).dropna()
        plain = (values["float32"] + values[NUDGED]) / 2
        for what, difference in (
            ("float32, nudged - not", values[NUDGED] - values["float32"]),
            ("bfloat16 - float32", values["bfloat16"] - plain),
        ):
            half = stats.t.ppf(0.975, len(difference) - 1) * stats.sem(difference)
            lines.append(
                {
                    "score": name,
                    "mean in float32": plain.mean(),
                    "what": what,
                    "seeds": len(difference),
                    "mean difference": difference.mean(),
                    "low": difference.mean() - half,
                    "high": difference.mean() + half,
                    "of one seed": difference.abs().mean(),
                }
            )
    return pd.DataFrame(lines).round(3)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10, help="how many, at least 2")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    chosen = parser.parse_args()
    dataset = dm.load_dataset("sprites", pool=2)
    done = {(row["trained"], int(row["seed"])) for row in rows_of(RESULTS)}
    left = [
        (trained, seed) for seed in range(chosen.seeds) for trained in TRAINED if (trained, seed) not in done
    ]
    runs = Parallel(chosen.jobs, return_as="generator")(delayed(run)(dataset, *one) for one in left)
    for row in runs:
        append(RESULTS, row)
    print(table(pd.read_csv(RESULTS)).to_string(index=False))


if __name__ == "__main__":
    main()
