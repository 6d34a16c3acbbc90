"""Does the order of models hang on how many latents they have? Rooms with 2, 3 and 6 in a layer.

The runs are those of plan mini at beta 4 with seed 0, but for the number of latents (6, 9 and 18
where there are no layers). Those of 3 and 9 are in the repository; the others are four models twice,
six minutes each on one CPU core. Interrupted, the same command goes on. Writes spare_latents.csv
beside this script.

Run: python examples/studies/spare_latents.py [--jobs 2] [--runs FOLDER]
"""

import argparse
from dataclasses import replace
from pathlib import Path

from reference_models.comparison import results
from reference_models.comparison.rows import read_rows
from reference_models.comparison.runs import read_comparison
from reference_models.comparison.sweep import sweep

RESULTS = Path(__file__).with_suffix(".csv")
REPRODUCED = Path(__file__).parents[1] / "reproduction" / "rooms-mini.jsonl"
PER_LAYER = (2, 6)  # the plan has 3
LAYERS = 3
BETA, SEED, RATE = 4.0, 0, 1e-3  # the pilots chose this rate for all four models


def with_latents(comparison, per_layer):
    """The comparison at one beta and seed, each model with so many latents."""
    latents, steps = LAYERS * per_layer, comparison.table["steps"]
    models = {name: dict(arguments) for name, arguments in comparison.table["models"].items()}
    for name in ("vlae", "pro-vlae"):
        models[name]["latents_per_layer"] = per_layer
    models["beta-vae"]["latents"] = latents
    stages = latents - models["teacher-student"]["first_latents"] + 1
    models["teacher-student"] |= {
        "latents": latents,
        "grow_steps": [steps * stage // stages for stage in range(1, stages)],
    }
    changes = {"models": models, "betas": [BETA], "seeds": [SEED], "learning_rates": [RATE]}
    return replace(comparison, table={**comparison.table, **changes})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument("--runs", type=Path, default=Path("runs/spare-latents"), help="folder of the runs")
    chosen = parser.parse_args()
    mini = read_comparison("mini", "rooms")
    rows = [
        row
        for row in read_rows(REPRODUCED)
        if (row["purpose"], row["beta"], row["seed"]) == ("comparison", BETA, SEED)
    ]
    for per_layer in PER_LAYER:
        comparison = with_latents(mini, per_layer)
        rows += sweep(comparison, chosen.runs, n_jobs=chosen.jobs, advance=lambda row: print(row["key"]))
    table = results.finished(rows)
    table["latents"] = [latents_of(row["arguments"]) for row in rows]
    table = table[
        ["model", "latents", "active_latents", "reconstruction", "kl", *results.METRICS, "cpu_seconds"]
    ]
    table = table.sort_values(["model", "latents"])
    table.to_csv(RESULTS, index=False, float_format="%.6g", lineterminator="\n")
    print(table.to_string(index=False))


def latents_of(arguments):
    return arguments.get("latents") or LAYERS * arguments["latents_per_layer"]


if __name__ == "__main__":
    main()
