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


def first_stage(comparison, learning_rate):
    """Pro-VLAE of the comparison's ablation, with and without the pre-training KL, until layer 2 wakes."""
    table = comparison.table
    arguments = table["models"][results.PROPOSED]
    changes = {
        "models": {results.PROPOSED: arguments},
        "steps": arguments["wake_steps"][1],
        "betas": [table["ablation_beta"]],
        "seeds": list(SEEDS),
        "learning_rates": [learning_rate],
        "ablation": {WITHOUT: table["ablation"][WITHOUT]},
    }
    return replace(comparison, table={**table, **changes})


def scores(stages, beta):
    """The scores after the first stage of the runs that count, the seeds in order."""
    counts = (stages["stage"] == 1) & (stages["beta"] == beta) & stages["variant"].isin(["", WITHOUT])
    found = stages.loc[counts, ["seed", "variant", "reconstruction", *results.METRICS]]
    found.insert(1, "model", found.pop("variant").replace("", results.PROPOSED))
    return found.sort_values(["seed", "model"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument("--runs", type=Path, default=Path("runs/first-stages"), help="folder of the runs")
    chosen = parser.parse_args()
    mini = read_comparison("mini", "sprites")
    reproduced = read_rows(REPRODUCED)
    comparison = first_stage(mini, mini.learning_rates(reproduced)[results.PROPOSED])
    new = sweep(comparison, chosen.runs, n_jobs=chosen.jobs, advance=lambda row: print(row["key"]))
    stages = pd.concat([results.stages(reproduced), results.stages(new)])
    table = scores(stages, mini.table["ablation_beta"])
    table.to_csv(RESULTS, index=False, float_format="%.6g", lineterminator="\n")
    print(table.to_string(index=False))
    for compared in (table[table["seed"].isin(SEEDS)], table):  # the new seeds alone, and all
        print(results.seed_by_seed(compared).to_string(index=False))
    print(f"{sum(row['cpu_seconds'] for row in new) / 60:.0f} minutes of CPU")


if __name__ == "__main__":
    main()
