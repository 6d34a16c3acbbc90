"""Print a markdown table: DCI from ``fit_boosted_trees`` against the recorded gradient boosting.

    python -m tests.agreement.boosted_trees_table [--bins N] [CASE ...]

The recorded values are those of disentanglement_lib with scikit-learn's GradientBoostingClassifier at its default
settings, mean over the recorded runs. ``reversed`` is the largest difference between two recorded importances of
one factor that are the other way round here: 0.01 says that latents whose importances differ by more than 0.01
are ranked alike.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from disentangle_metrics.estimators.probes.boosted_trees import fit_boosted_trees
from tests.agreement.reference import arrays, first_rows_train, numbers, records

RECORDS = dict(records("disentanglement_lib", "DCI"))


@dataclass(frozen=True)
class Comparison:
    """Ours and the recorded (disentanglement, completeness, test accuracy) of one case."""

    ours: npt.NDArray[np.float64]
    theirs: npt.NDArray[np.float64]
    spread: npt.NDArray[np.float64]
    reversed: float


def compared(case: str, bins: int | None = None) -> Comparison:
    """Fit all factors of a case on its training rows."""
    latents, factors = arrays(case)
    train, test = first_rows_train(len(latents))
    columns, accuracies = [], []
    for factor in factors.T:
        values, codes = np.unique(factor, return_inverse=True)
        trees = fit_boosted_trees(latents[train], codes[train], classes=len(values), bins=bins)
        columns.append(trees.importances)
        accuracies.append(np.mean(trees.predict(latents[test]) == codes[test]))
    importances = np.stack(columns, axis=1)
    ours = np.array([concentration(importances), concentration(importances.T), np.mean(accuracies)])
    recorded = [
        RECORDS[case]["values"][name] for name in ("disentanglement", "completeness", "informativeness_test")
    ]
    theirs = np.array([value["mean"] for value in recorded])
    spread = np.array([value["std"] for value in recorded])
    matrix = numbers(RECORDS[case]["intermediates"]["importance_matrix_latents_by_factors"])
    return Comparison(ours, theirs, spread, largest_reversal(importances, matrix))


def concentration(importances: npt.NDArray[np.float64]) -> float:
    """Rows' 1 - entropy to the base of their length, weighted by their mass."""
    mass = importances.sum(axis=1)
    shares = importances[mass > 0] / mass[mass > 0, None]
    entropy = -np.sum(shares * np.log(np.where(shares > 0, shares, 1)), axis=1) / np.log(importances.shape[1])
    return float((1 - entropy) @ mass[mass > 0] / mass.sum())


def largest_reversal(ours: npt.NDArray[np.float64], theirs: npt.NDArray[np.float64]) -> float:
    """Largest recorded difference between two latents of one factor that we rank the other way round."""
    here, there = ours[:, None] - ours[None], theirs[:, None] - theirs[None]
    return float(np.max(np.abs(there), where=here * there < 0, initial=0))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="*", default=list(RECORDS), metavar="CASE")
    parser.add_argument(
        "--bins", type=int, default=None, help="bins per latent (default: the estimator's own)"
    )
    arguments = parser.parse_args()
    print(
        "| case | D ours | theirs | difference | C ours | theirs | difference "
        "| accuracy ours | theirs | difference | reversed |"
    )
    print("|---" * 11 + "|")
    worst = np.zeros(3)
    for case in arguments.cases:
        result = compared(case, arguments.bins)
        gaps = result.ours - result.theirs
        worst = np.maximum(worst, np.abs(gaps))
        cells = [
            f"{ours:.4f} | {theirs:.4f} | {gap:+.4f}"
            for ours, theirs, gap in zip(result.ours, result.theirs, gaps, strict=True)
        ]
        print(f"| {case} | {' | '.join(cells)} | {result.reversed:.4f} |", flush=True)
    blanks = " |  | ".join(f" | {gap:.4f}" for gap in worst)
    print(f"| largest difference | {blanks} |  |")


if __name__ == "__main__":
    main()
