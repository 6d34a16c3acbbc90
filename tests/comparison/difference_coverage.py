"""How often intervals of differences hold the true difference, and how often a test errs where there is none.

    python -m tests.comparison.difference_coverage     # prints the table of docs/comparing.md

Two codes of the same rows of a population with bounded latents. The second code is noisier, or it is made like
the first with noise of its own, so that the true difference is 0.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import disentangle_metrics as dm

SIZE, ROWS = 100_000, 1_000
NOISE = {"equally good": 1.0, "noisier": 1.25}  # of the second code, times that of the first


@dataclass(frozen=True)
class Row:
    """Metrics whose differences are measured on the same samples."""

    metrics: tuple[str, ...]
    samples: int
    paired: bool = True


ROWS_OF_TABLE = (
    Row(("mig", "mig_sup", "jemmig", "dcimig", "irs", "total_correlation"), 100),
    Row(("mcc",), 400),  # of the first 100 intervals 0.88 held the truth
    Row(("mig", "mig_sup", "mcc"), 100, paired=False),
    Row(("sap", "explicitness"), 60),
)


@dataclass(frozen=True)
class Coverage:
    """Of one key: the share of intervals that held the truth, and of tests with p below 0.05."""

    key: str
    second: str
    truth: float
    share: float
    significant: float
    samples: int


def codes(noise: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Two codes (SIZE, 4) and their factors (SIZE, 3)."""
    rng = np.random.default_rng(0)
    factors = np.column_stack([rng.integers(n, size=SIZE) for n in (3, 4, 6)])
    a, b, c = factors.T

    def code(scale: float) -> npt.NDArray[np.float64]:
        jitter = scale * rng.uniform(-1.7, 1.7, size=(4, SIZE))
        parts = [a + 0.5 * jitter[0], b + 0.4 * a + 0.7 * jitter[1], c + 1.2 * jitter[2], c + 2.5 * jitter[3]]
        return np.column_stack(parts)

    return code(1.0), code(noise), factors


def measure(row: Row, second: str) -> list[Coverage]:
    """The coverage of every key of the row."""
    first_code, second_code, factors = codes(NOISE[second])
    options: dict[str, Any] = {"metrics": list(row.metrics), "anchors": False}
    rng = np.random.default_rng(1)
    held: dict[str, list[bool]] = {}
    significant: dict[str, list[bool]] = {}
    truths: dict[str, float] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dm.ScoreWarning)
        probes = row.metrics[0] in ("sap", "explicitness")
        if not probes:
            whole = [dm.score(code, factors, **options) for code in (first_code, second_code)]
            truths = {key: whole[1][key].value - whole[0][key].value for key in whole[0]}
        found = []
        for seed in range(row.samples):
            drawn = rng.choice(SIZE, ROWS, replace=False)
            other = drawn if row.paired else rng.choice(SIZE, ROWS, replace=False)
            reports = [
                dm.score(code[rows], factors[rows], confidence=0.95, seed=seed, **options)
                for code, rows in ((first_code, drawn), (second_code, other))
            ]
            found.append(dm.compare({"first": reports[0], "second": reports[1]}))
        if probes:  # what they score depends on the rows they learn from: the truth is of as many
            truths = {key: float(np.mean([c[key].differences[0].value for c in found])) for key in found[0]}
            truths = dict.fromkeys(truths, 0.0) if second == "equally good" else truths
    for comparison in found:
        for key, score in comparison.items():
            (difference,) = score.differences
            assert difference.method == ("same rows" if row.paired else "other rows"), difference
            low, high = difference.interval or (np.nan, np.nan)
            held.setdefault(key, []).append(low <= truths[key] <= high)
            significant.setdefault(key, []).append((difference.p or 1.0) < 0.05)
    return [
        Coverage(key, second, truths[key], np.mean(held[key]), np.mean(significant[key]), row.samples)
        for key in held
    ]


def lines(row: Row, found: list[Coverage]) -> Iterator[str]:
    """The lines of the table."""
    for one in found:
        yield (
            f"| `{one.key}` | {'the same' if row.paired else 'others'} | {one.second} | {one.samples} | "
            f"{one.truth:+.3f} | {one.share:.2f} | {one.significant:.2f} |"
        )


def main() -> None:
    print(
        "| score | rows | second code | samples | true difference | intervals that hold it | p below 0.05 |"
    )
    print("|---|---|---|---:|---:|---:|---:|")
    for row in ROWS_OF_TABLE:
        for second in NOISE:
            for line in lines(row, measure(row, second)):
                print(line, flush=True)


if __name__ == "__main__":
    main()
