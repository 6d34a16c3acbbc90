"""Does the pre-training KL turn the axes of pro-VLAE's first stage? Ten seeds more, that stage alone.

The ablation of plan mini on sprites cannot tell: of five seeds two take the positions more nearly one
by one with the pre-training KL (gamma 0.5) than without. Here the first stage of those runs, a third
of their steps, is trained with ten other seeds, with and without: twenty runs of six minutes each on
one CPU core. The number of seeds was fixed beforehand. Interrupted, the same command goes on. Writes
first_stages.csv beside this script, with the five seeds that are in the repository.

Run: python examples/studies/first_stages.py [--jobs 2] [--runs FOLDER]
"""

import argparse
from dataclasses import replace
from pathlib import Path

import pandas as pd

from reference_models.comparison import results
from reference_models.comparison.rows import read_rows
from reference_models.comparison.runs import read_comparison
from reference_models.comparison.sweep import sweep

RESULTS = Path(__file__).with_suffix(".csv")
REPRODUCED = Path(__file__).parents[1] / "reproduction" / "sprites-mini.jsonl"
WITHOUT = "no pre-training KL"
SEEDS = range(5, 15)  # the comparison has 0 to 4
RATE = 5e-4  # the pilots chose it for pro-VLAE


def first_stage(comparison):
    """Pro-VLAE of the comparison's ablation, with and without the pre-training KL, until layer 2 wakes."""
    table = comparison.table
    arguments = table["models"][results.PROPOSED]
    changes = {
        "models": {results.PROPOSED: arguments},
        "steps": arguments["wake_steps"][1],
        "betas": [table["ablation_beta"]],
        "seeds": list(SEEDS),
        "learning_rates": [RATE],
        "ablation": {WITHOUT: table["ablation"][WITHOUT]},
    }
    return replace(comparison, table={**table, **changes})


def scores(stages, beta):
    """The scores after the first stage of the runs that count, the seeds in order."""
    counts = (stages["stage"] == 1) & (stages["beta"] == beta) & stages["variant"].isin(["", WITHOUT])
    found = stages.loc[counts, ["seed", "variant", "reconstruction", *results.METRICS]]
    found.insert(1, "gamma", found.pop("variant").map({"": 0.5, WITHOUT: 0.0}))
    return found.sort_values(["seed", "gamma"], ascending=[True, False])


def differences(table):
    """With minus without, seed by seed, as an ablation is compared: the new seeds alone, and all."""
    runs = table.assign(model=table["gamma"].map({0.5: results.PROPOSED, 0.0: WITHOUT}))
    return pd.concat(map(results.seed_by_seed, (runs[runs["seed"].isin(SEEDS)], runs)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument("--runs", type=Path, default=Path("runs/first-stages"), help="folder of the runs")
    chosen = parser.parse_args()
    mini = read_comparison("mini", "sprites")
    new = sweep(
        first_stage(mini), chosen.runs, n_jobs=chosen.jobs, advance=lambda row: print(row["key"], flush=True)
    )
    stages = pd.concat([results.stages(read_rows(REPRODUCED)), results.stages(new)])
    table = scores(stages, mini.table["ablation_beta"])
    table.to_csv(RESULTS, index=False, float_format="%.6g", lineterminator="\n")
    print(table.to_string(index=False))
    print(differences(table).to_string(index=False))
    print(f"{sum(row['cpu_seconds'] for row in new) / 60:.0f} minutes of CPU")


if __name__ == "__main__":
    main()
