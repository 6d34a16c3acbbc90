"""How time and memory of every metric grow with rows, latents, factors and values: one at a time.

Each quantity is doubled until a score takes longer than LIMIT or the range ends; the exponent is the
slope of log time over the last three sizes. Peak memory is what Python and NumPy allocate, beyond the
input. A metric starts from as many rows as it can score quickly. The whole study takes some ten
minutes on one core, writes cost_model.csv beside this script, and draws docs/images/cost_model.png.

Run: OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python examples/studies/cost_model.py [METRIC ...] [--figure]
"""

import argparse
import csv
import sys
import time
import tracemalloc
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import disentangle_metrics as dm

RESULTS = Path(__file__).with_suffix(".csv")
FIGURE = Path(__file__).parents[2] / "docs" / "images" / "cost_model.png"
LIMIT = 1.5  # seconds
QUICK = ((0.05, 32_768), (0.8, 4_096))  # if 4,096 rows take less than this, start from so many rows
SLOW = 1_024
BASE = {"latents": 10, "factors": 4, "values": 8}
MOST = {"rows": 262_144, "latents": 80, "factors": 16, "values": 64}
LEAST = {"latents": 5, "factors": 2, "values": 4}
POSTERIOR = ", of posteriors"
COLUMNS = ["metric", "varied", "rows", "latents", "factors", "values", "seconds", "peak_mib"]


def names() -> list[str]:
    """All registered metrics, and the mutual information gap of posteriors."""
    return [*dm.list_metrics(), "mig" + POSTERIOR]


def scene(rows: int, latents: int, factors: int, values: int) -> tuple[dm.GaussianPosterior, np.ndarray]:
    """Posteriors whose first latents tell of a factor each, and the factors."""
    rng = np.random.default_rng(0)
    codes = rng.integers(values, size=(rows, factors))
    mean = rng.normal(size=(rows, latents))
    told = min(latents, factors)
    mean[:, :told] += 4 * codes[:, :told] / values
    return dm.GaussianPosterior(mean, 2 * np.log(rng.uniform(0.1, 0.4, size=mean.shape))), codes


def cost(name: str, sizes: dict[str, int]) -> tuple[float, float]:
    """Seconds (the better of two short runs), and peak of allocations in MiB, of one score."""
    posterior, factors = scene(**sizes)
    base = name.removesuffix(POSTERIOR)
    needs = base in ("rmig", "rjemmig", "informativeness", "wsepin", "unibound") or name != base
    latents = posterior if needs else posterior.mean
    metric = dm.Metric("mig", estimator="posterior") if name == "mig" + POSTERIOR else base

    def run() -> float:
        start = time.perf_counter()
        dm.score(latents, factors, metrics=metric, anchors=False)
        return time.perf_counter() - start

    seconds = run()
    if seconds < LIMIT / 3:
        seconds = min(seconds, run())
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return seconds, peak


def study(name: str) -> Iterator[list[object]]:
    """Rows of the table for one metric."""
    cost(name, {"rows": 512, **BASE})  # imports what it needs
    seconds, _ = cost(name, {"rows": 4_096, **BASE})
    rows = next((rows for limit, rows in QUICK if seconds < limit), SLOW)
    for varied in ("rows", *BASE):
        sizes = {"rows": rows, **BASE}
        size = rows if varied == "rows" else LEAST[varied]
        seconds = 0.0
        while size <= MOST[varied] and seconds < LIMIT:
            sizes[varied] = size
            seconds, peak = cost(name, sizes)
            yield [name, varied, *sizes.values(), f"{seconds:.5f}", f"{peak:.2f}"]
            size *= 2


def exponent(sizes: list[float], costs: list[float]) -> float:
    """Slope of the logarithms over the last three sizes."""
    if len(sizes) < 2:
        return float("nan")
    return float(np.polyfit(np.log(sizes[-3:]), np.log(costs[-3:]), 1)[0])


def exponents(table: list[dict[str, str]]) -> list[dict[str, object]]:
    """For each metric: seconds and MiB at the largest number of rows, and the exponents."""
    found = []
    for name in dict.fromkeys(row["metric"] for row in table):
        line: dict[str, object] = {"metric": name}
        for varied in ("rows", *BASE):
            mine = [row for row in table if row["metric"] == name and row["varied"] == varied]
            sizes = [float(row[varied]) for row in mine]
            line[varied] = exponent(sizes, [float(row["seconds"]) for row in mine])
            if varied == "rows":
                line["memory"] = exponent(sizes, [float(row["peak_mib"]) for row in mine])
                line |= {
                    "at": int(sizes[-1]),
                    "s": float(mine[-1]["seconds"]),
                    "mib": float(mine[-1]["peak_mib"]),
                }
                line["rate"] = line["s"] / line["at"]  # type: ignore[operator]
        found.append(line)
    return sorted(found, key=lambda line: line["rate"])  # type: ignore[arg-type,return-value]


def draw(lines: list[dict[str, object]]) -> None:
    """A dot for each metric and quantity."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        1, 6, figsize=(13, 0.26 * len(lines) + 1.4), sharey=True, layout="constrained"
    )
    place = np.arange(len(lines))[::-1]
    axes[0].scatter([1e6 * line["rate"] for line in lines], place, color="tab:blue", s=28)  # type: ignore[operator]
    axes[0].set(xscale="log", xlabel="µs a row", title="time", ylim=(-1, len(lines)))
    panels = [("rows", "time by rows"), ("memory", "memory by rows"), *((v, f"time by {v}") for v in BASE)]
    for axis, (key, title) in zip(axes[1:], panels, strict=True):
        axis.scatter(
            [line[key] for line in lines], place, color="tab:orange" if key == "memory" else "tab:blue", s=28
        )
        for power in (0, 1, 2):
            axis.axvline(power, color="0.6", linewidth=0.8, zorder=0)
        axis.set(title=title, xlabel="exponent", xlim=(-0.4, 2.6), xticks=[0, 1, 2])
    for axis in axes:
        axis.grid(axis="y", color="0.9")
        axis.set_axisbelow(True)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_yticks(place, [str(line["metric"]) for line in lines])
    figure.savefig(FIGURE, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("metrics", nargs="*", metavar="METRIC", help="by default all")
    parser.add_argument("--figure", action="store_true", help="draw what is in the table; measure nothing")
    arguments = parser.parse_args()
    if not arguments.figure:
        warnings.simplefilter("ignore", dm.ScoreWarning)
        wanted = arguments.metrics or names()
        with RESULTS.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for done, name in enumerate(wanted, start=1):
                print(f"{done} of {len(wanted)}: {name}", file=sys.stderr, flush=True)
                writer.writerows(study(name))
                file.flush()
    with RESULTS.open(newline="") as file:
        lines = exponents(list(csv.DictReader(file)))
    print("| metric | time | at rows | time ~ N | memory ~ N | peak | ~ D | ~ K | ~ values |")
    print("|---|---|---|---|---|---|---|---|---|")
    for line in lines:
        powers = [f"{line[key]:.1f}" for key in ("latents", "factors", "values")]
        growth = f"{line['rows']:.1f} | {line['memory']:.1f}"
        print(
            f"| {line['metric']} | {line['s']:.3f} s | {line['at']:,} | {growth} | {line['mib']:.1f} MiB "
            f"| {' | '.join(powers)} |"
        )
    draw(lines)


if __name__ == "__main__":
    main()
