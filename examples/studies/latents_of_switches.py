"""Which latent holds which factor of `switches`, in each run of the comparison that `dm-reproduce` made.

A row of latents_of_switches.csv, beside this script, is a latent of a run: how well it and each factor tell
one another, the smaller of both ways, from R4c's table. Layers are numbered from the lowest. A run takes
half a minute on one CPU core.

Run: dm-reproduce --plan mini --dataset switches --out runs/switches
     python examples/studies/latents_of_switches.py runs/switches/runs/*/model.safetensors
"""

import argparse
import json
from pathlib import Path

import pandas as pd

import disentangle_metrics as dm

RESULTS = Path(__file__).with_suffix(".csv")


def measured(path, dataset):
    """A row for each latent of a run, with what the run is in the first columns."""
    run = json.loads(path.with_suffix(".json").read_text())
    report = dm.evaluate(dm.load_encoder(path), dataset, metrics="r4c", groups="none", anchors=False)
    table = report["r4c"].details["both_ways"].round(3).reset_index(names="latent")
    each = run["arguments"].get("latents_per_layer", len(table))
    table.insert(0, "layer", [1 + place // each for place in range(len(table))])
    for name, value in (
        ("seed", run["seed"]),
        ("model", run["architecture"]),
        ("beta", run["arguments"]["beta"]),
    ):
        table.insert(0, name, value)
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", type=Path, nargs="+")
    dataset = dm.load_dataset("switches", pool=2)
    found = pd.DataFrame()
    for path in parser.parse_args().checkpoints:
        print(path, flush=True)
        found = pd.concat([found, measured(path, dataset)])
        found.sort_values(["beta", "model", "seed"], kind="stable").to_csv(RESULTS, index=False)
    print(RESULTS)


if __name__ == "__main__":
    main()
