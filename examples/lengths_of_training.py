"""Does the order of the models hold when they train longer? Scores of every run at one beta, by length.

python examples/lengths_of_training.py [ROWS...] [--beta B] [--out FILE.png]

ROWS are files of rows of one data set, one for each length; by default those of sprites beside this
file. A table of the differences goes to stdout.
"""

import argparse
from pathlib import Path

from reference_models.comparison.figures import LABELS, OTHER, STYLES, figure, legend_below
from reference_models.comparison.page import probability
from reference_models.comparison.results import METRICS, PROPOSED, finished, tables
from reference_models.comparison.rows import read_rows

parser = argparse.ArgumentParser(description=__doc__)
FOLDER = Path(__file__).parent / "reproduction"
parser.add_argument(
    "rows",
    type=Path,
    nargs="*",
    default=[FOLDER / f"sprites-{plan}.jsonl" for plan in ("mini", "long", "gpu")],
)
parser.add_argument("--beta", type=float, default=1.0)
parser.add_argument("--out", type=Path, default=Path("lengths.png"))
given = parser.parse_args()

lengths = []
for path in given.rows:
    rows = [row for row in read_rows(path) if row["beta"] == given.beta and row["purpose"] == "comparison"]
    runs = finished(rows)
    title = f"{runs['iterations'].iloc[0]:,} steps of {runs['batch_size'].iloc[0]}"
    lengths.append((title, runs, tables(rows)["differences"]))

drawn, axes = figure(len(METRICS))
models = list(STYLES)
for axis, metric in zip(axes, METRICS, strict=True):
    for place, (_, runs, _) in enumerate(lengths):
        for offset, model in enumerate(models):
            scores = runs.loc[runs["model"] == model, metric]
            colour, marker = STYLES.get(model, OTHER)
            x = place + 0.2 * (offset - (len(models) - 1) / 2)
            label = model if place == 0 else None
            axis.plot([x] * len(scores), scores, marker, color=colour, alpha=0.5, markersize=5)
            axis.plot([x - 0.08, x + 0.08], [scores.mean()] * 2, color=colour, linewidth=2.5, label=label)
    axis.set_xticks(range(len(lengths)), [title.replace(" of ", "\nof ") for title, *_ in lengths])
    axis.set(ylabel=LABELS[metric])
    axis.set_ylim(bottom=0)
    axis.grid(axis="y", alpha=0.25)
legend_below(drawn, axes[0])
drawn.savefig(given.out)

print("| length | against | seeds | " + " | ".join(LABELS[metric] for metric in METRICS) + " | error, nats |")
print("|---" * (4 + len(METRICS)) + "|")
for title, runs, differences in lengths:
    of_model = runs.groupby("model")
    errors, seeds = of_model["reconstruction"].mean(), of_model["seed"].nunique()
    tested = {} if differences.empty else dict(list(differences.groupby("other")))  # else too few seeds
    for other in (model for model in models if model in tested):
        of_metric = tested[other].set_index("metric").loc[list(METRICS)]
        cells = [
            f"{row.difference:+.2f} [{row.low:.2f}, {row.high:.2f}], p {probability(row.p_holm)}"
            for row in of_metric.itertuples()
        ]
        both = f"{min(seeds[PROPOSED], seeds[other])}", f"{errors[PROPOSED]:.0f}, {errors[other]:.0f}"
        print(f"| {title} | {other} | {both[0]} | {' | '.join(cells)} | {both[1]} |")
print(f"{given.out}")
