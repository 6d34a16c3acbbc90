"""What does each metric see? Break one property of a code at a time and watch every score.

Needs nothing but the base install (and matplotlib for the figure).

    python examples/calibration.py                 # a small run: a table on the terminal, seconds
    python examples/calibration.py --full          # writes docs/data/calibration.csv: minutes
    python examples/calibration.py --from docs/data/calibration.csv \\
        --figure docs/images/calibration.png --page docs/calibration.md
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.console import Console
from rich.progress import track

import disentangle_metrics as dm
from disentangle_metrics.metrics.lookup import find_metric
from disentangle_metrics.scoring.protocols import PROTOCOLS

SUITE = PROTOCOLS["default"].suite
QUICK = ("mig", "mig_sup", "jemmig", "dcimig", "modularity", "factor_vae", "irs", "mcc", "total_correlation")
SCORES = {score.key: score for name in SUITE for score in find_metric(name).scores}
COLOURS = {
    "modularity": "#0072b2",
    "compactness": "#d55e00",
    "compactness and modularity": "#882255",
    "explicitness": "#009e73",
    "robustness": "#7a6a00",
    "identifiability": "#555555",
    "independence": "#cc79a7",
    "size": "#000000",
}
Array = npt.NDArray[np.float64]
Factors = npt.NDArray[np.int64]
Code = tuple[Array, Factors]

FACTORS, VALUES, NOISE = 4, 4, 0.02
FULL_ROWS, QUICK_ROWS = 1_500, 800
FULL_SEEDS = 3
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
START, END = "<!-- made by examples/calibration.py -->\n", "<!-- end -->\n"
VOTING = ("factor_vae", "beta_vae", "z_max_variance")


def uniform(rng: np.random.Generator, rows: int) -> Factors:
    """Independent factors, their values equally likely."""
    return rng.integers(VALUES, size=(rows, FACTORS))


def unit(values: npt.ArrayLike) -> Array:
    """Values 0..3, drawn evenly, to mean 0 and deviation 1."""
    centred: Array = np.asarray(values, dtype=np.float64) - 1.5
    scaled: Array = centred / 1.25**0.5
    return scaled


def jittered(rng: np.random.Generator, latents: Array) -> Array:
    """A real encoder is never exact; without this, ties would decide between equal values."""
    noisy: Array = latents + NOISE * rng.normal(size=latents.shape)
    return noisy


def noise(rng: np.random.Generator, strength: float, rows: int) -> Code:
    """Each latent fades from its factor to noise of the same deviation."""
    factors = uniform(rng, rows)
    grain = rng.normal(size=factors.shape)
    return jittered(rng, (1 - strength) * unit(factors) + strength * grain), factors


def rotation(rng: np.random.Generator, strength: float, rows: int) -> Code:
    """Pairs of latents turn by up to 45 degrees."""
    factors = uniform(rng, rows)
    angle = strength * np.pi / 4
    first, second = unit(factors[:, ::2]), unit(factors[:, 1::2])
    turned = (np.cos(angle) * first - np.sin(angle) * second, np.sin(angle) * first + np.cos(angle) * second)
    return jittered(rng, np.stack(turned, axis=2).reshape(rows, FACTORS)), factors


def split(rng: np.random.Generator, strength: float, rows: int) -> Code:
    """Factors move from one latent to two: its two binary digits, one each; the second was noise before.

    The number of latents stays the same, twice that of the factors.
    """
    factors = uniform(rng, rows)
    affected = _share(strength)
    high, low = factors // 2, factors % 2
    first = np.where(affected, 2.0 * high - 1, unit(factors))
    second = np.where(affected, 2.0 * low - 1, rng.normal(size=factors.shape))
    return jittered(rng, np.hstack([first, second])), factors


def merge(rng: np.random.Generator, strength: float, rows: int) -> Code:
    """Pairs of factors move into one latent, as the two digits of a number; the other latent goes away."""
    factors = uniform(rng, rows)
    merged = round(strength * FACTORS / 2)
    pairs = VALUES * factors[:, 0 : 2 * merged : 2] + factors[:, 1 : 2 * merged : 2]
    return jittered(rng, np.hstack([(pairs - 7.5) / 21.25**0.5, unit(factors[:, 2 * merged :])])), factors


def redundancy(rng: np.random.Generator, strength: float, rows: int) -> Code:
    """Latents get copies."""
    factors = uniform(rng, rows)
    return jittered(rng, np.hstack([unit(factors), unit(factors[:, _share(strength)])])), factors


def nonlinearity(rng: np.random.Generator, strength: float, rows: int) -> Code:
    """Latents get their factor's values in the order 2, 0, 3, 1: all is there, but in no straight line."""
    factors = uniform(rng, rows)
    shuffled = np.array([2, 0, 3, 1])[factors]
    return jittered(rng, unit(np.where(_share(strength), shuffled, factors))), factors


def dead_latents(rng: np.random.Generator, strength: float, rows: int) -> Code:
    """Latents are added, up to as many as there are, that hold noise a hundredth as large as the others."""
    factors = uniform(rng, rows)
    dead = 0.01 * rng.normal(size=(rows, round(strength * FACTORS)))
    return np.hstack([jittered(rng, unit(factors)), dead]), factors


def correlated_factors(rng: np.random.Generator, strength: float, rows: int) -> Code:
    """The data, not the code: every second factor repeats the one before it in up to 90 percent of rows."""
    factors = uniform(rng, rows)
    repeats = rng.random((rows, FACTORS // 2)) < 0.9 * strength
    factors[:, 1::2] = np.where(repeats, factors[:, ::2], factors[:, 1::2])
    return jittered(rng, unit(factors)), factors


def few_samples(rng: np.random.Generator, strength: float, rows: int) -> Code:
    """A good, slightly noisy code, seen on ever fewer rows: down to 60."""
    count = round(rows ** (1 - strength) * 60**strength)
    factors = uniform(rng, count)
    return unit(factors) + 0.2 * rng.normal(size=factors.shape), factors


def _share(strength: float) -> npt.NDArray[np.bool_]:
    return np.arange(FACTORS) < round(strength * FACTORS)


BREAKS: dict[str, Callable[[np.random.Generator, float, int], Code]] = {
    breaking.__name__: breaking
    for breaking in (
        noise,
        rotation,
        split,
        merge,
        redundancy,
        nonlinearity,
        dead_latents,
        correlated_factors,
        few_samples,
    )
}


def curves(
    breaks: Sequence[str],
    strengths: Sequence[float],
    rows: int,
    seeds: int = 1,
    metrics: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Scores of every break at every strength.

    Returns
    -------
    pandas.DataFrame
        One row for each break, strength, seed and score: its `value`, and `chance`, the same of shuffled
        rows, at the first and last strength of the first seed (elsewhere NaN).
    """
    # Fewer votes than by default: their error, about 0.01, is well below what the curves show.
    chosen = [
        dm.Metric(name, votes=(2_000, 1_000)) if name in VOTING else name for name in metrics or list(SUITE)
    ]
    runs = [
        (name, strength, seed)
        for name in breaks
        for seed in range(seeds)
        for strength in strengths
        if name != "merge" or (strength * FACTORS / 2) % 1 == 0  # no half pairs
    ]
    found = []
    for name, strength, seed in track(runs, "scoring", console=Console(stderr=True)):
        latents, factors = BREAKS[name](np.random.default_rng(seed), strength, rows)
        values = scores(latents, factors, chosen, seed)
        chance = pd.Series(np.nan, index=values.index)
        if seed == 0 and strength in (strengths[0], strengths[-1]):
            chance = scores(latents, np.random.default_rng(1).permutation(factors), chosen, seed)
        found += [(name, strength, seed, key, values[key], chance[key]) for key in values.index]
    return pd.DataFrame(found, columns=["break", "strength", "seed", "metric", "value", "chance"])


def scores(latents: Array, factors: Factors, metrics: Sequence[Any], seed: int) -> pd.Series:
    """Value of each score; the warnings are about what was broken on purpose."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = dm.score(latents, factors, metrics=metrics, seed=seed, anchors=False)
    return pd.Series({key: score.value for key, score in report.items()})


def sensitivity(table: pd.DataFrame) -> pd.DataFrame:
    """How far each score falls from no break to the full one: scores by breaks."""
    means = table.groupby(["metric", "break", "strength"])["value"].mean().unstack("strength")
    fall = (means[table["strength"].min()] - means[table["strength"].max()]).unstack("break")
    falls: pd.DataFrame = fall.reindex(index=list(SCORES), columns=list(BREAKS)).dropna(how="all")
    return falls


def by_property(table: pd.DataFrame) -> list[str]:
    """The scores of a table, those that measure the same side by side."""
    present = [key for key in SCORES if key in set(table["metric"])]
    return [key for kind in COLOURS for key in present if SCORES[key].property == kind]


def has_chance(metric: str) -> bool:
    """Whether shuffled rows mean anything to a score: some need no factors."""
    return SCORES[metric].property not in ("independence", "size")


def markdown(table: pd.DataFrame) -> str:
    """The table of the page: falls of 0.1 and more stand out; rises have a minus sign."""
    falls = sensitivity(table)
    intact = table[(table["break"] == "noise") & (table["strength"] == 0)].groupby("metric")
    head = ["score", "measures", "unbroken", "chance", *(name.replace("_", " ") for name in falls)]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for metric in by_property(table):
        chance = f"{intact['chance'].mean()[metric]:.2f}" if has_chance(metric) else ""
        cells = [f"`{metric}`", SCORES[metric].property, f"{intact['value'].mean()[metric]:.2f}", chance]
        for fall in falls.loc[metric]:
            number = f"{fall + 0.0:.2f}".replace("-0.00", "0.00")
            cells.append(f"**{number}**" if abs(fall) >= 0.1 else number)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def write_page(table: pd.DataFrame, path: Path) -> None:
    """Put the table between the marks of a page."""
    text = path.read_text(encoding="utf-8")
    before, after = text.split(START)[0], text.split(END)[1]
    path.write_text(f"{before}{START}{markdown(table)}{END}{after}", encoding="utf-8")


def draw(table: pd.DataFrame, path: Path) -> None:
    """A small panel for each score and break; scores by rows, in the colour of what they measure."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.lines import Line2D

    rows = by_property(table)
    breaks = list(dict.fromkeys(table["break"]))
    figure, axes = plt.subplots(
        len(rows), len(breaks), figsize=(1.25 * len(breaks) + 2.6, 0.62 * len(rows) + 1.2), sharex=True
    )
    for line, metric in zip(axes, rows, strict=True):
        of_metric = table[table["metric"] == metric]
        colour = COLOURS[SCORES[metric].property]
        top = 1.0 if SCORES[metric].range[1] == 1 else float(of_metric["value"].max())
        for axis, name in zip(line, breaks, strict=True):
            here = of_metric[of_metric["break"] == name]
            value = here.groupby("strength")["value"].mean()
            chance = here.dropna(subset="chance").groupby("strength")["chance"].mean()
            axis.axhline(0, color="0.85", linewidth=0.6)
            if has_chance(metric):
                axis.plot(chance.index, chance, linestyle=":", color="0.2", linewidth=1.4)
            axis.plot(value.index, value, color=colour, linewidth=1.8)
            axis.set(xlim=(-0.04, 1.04), ylim=(-0.08 * top, 1.08 * top), xticks=[0, 1], yticks=[0, top])
            axis.tick_params(labelsize=7, length=2)
            axis.set_yticklabels([])
            for side in ("top", "right"):
                axis.spines[side].set_visible(False)
        line[0].set_yticklabels(["0", f"{top:.2g}"])
        line[0].set_ylabel(metric, rotation=0, ha="right", va="center", fontsize=9, color=colour)
    for axis, name in zip(axes[0], breaks, strict=True):
        axis.set_title(name.replace("_", "\n"), fontsize=10)
    handles = [Line2D([], [], color=colour, label=kind) for kind, colour in COLOURS.items()]
    handles.append(Line2D([], [], color="0.35", linestyle=":", label="chance"))
    figure.supxlabel("strength of the break", fontsize=10, y=0.035)
    figure.legend(handles=handles, loc="lower center", ncols=len(handles), fontsize=9, frameon=False)
    figure.subplots_adjust(left=0.19, right=0.99, top=0.95, bottom=0.065, wspace=0.12, hspace=0.35)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="the fast metrics only (the default)")
    size.add_argument("--full", action="store_true", help="the whole default suite, five strengths")
    size.add_argument("--from", dest="table", type=Path, metavar="CSV", help="read an earlier run")
    parser.add_argument("--out", type=Path, default=Path("docs/data/calibration.csv"), help="of --full")
    parser.add_argument("--page", type=Path, help="write the table into this page, between its marks")
    parser.add_argument("--figure", type=Path, help="draw the curves to this file")
    arguments = parser.parse_args()
    if arguments.table:
        table = pd.read_csv(arguments.table)
    elif arguments.full:
        table = curves(list(BREAKS), STRENGTHS, rows=FULL_ROWS, seeds=FULL_SEEDS)
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(arguments.out, index=False, float_format="%.6g", lineterminator="\n")
    else:
        table = curves(list(BREAKS), (0.0, 1.0), rows=QUICK_ROWS, metrics=QUICK)
    if arguments.page:
        write_page(table, arguments.page)
    if arguments.figure:
        draw(table, arguments.figure)
    print("How far each score falls when a property is broken (its value without the break, minus with it):")
    print(sensitivity(table).round(2).to_string())


if __name__ == "__main__":
    main()
