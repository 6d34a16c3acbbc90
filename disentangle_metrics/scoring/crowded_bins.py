"""Columns of which one bin of equal width holds most rows, so that it hides what they tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.checks import Check
from disentangle_metrics.inputs.inputs import Inputs
from disentangle_metrics.relations.counted import CountedRelations
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.scoring.binding import Request

FULLEST = 0.5  # share of the rows in one bin of equal width
SAMPLE = 20_000
CONSTANT = 1e-13  # of a latent's place is a range in which no number of bins has a width
DISTINCT = 10  # different values in the fullest bin, from which on it hides something


def heavy_tails(whole: Relations, requests: Sequence[Request]) -> Iterator[Check]:
    """Latents of which one bin of equal width holds most rows, and different values."""
    binned = [r for r in requests if cuts_equally(r.settings)]
    inputs: Inputs = whole.inputs
    if not binned or isinstance(whole, CountedRelations):
        return
    size = int(binned[0].settings["bins"])
    rows = inputs.latents[:: max(1, len(inputs.latents) // SAMPLE)].astype(np.float64)
    low = inputs.latents.min(axis=0).astype(np.float64)
    width = inputs.latents.max(axis=0) - low
    worst: tuple[float, str] | None = None
    count = 0
    for j, name in enumerate(inputs.column_names or inputs.latent_names):
        said = inputs.latent_types[j] if inputs.latent_types else None
        if width[j] <= CONSTANT * np.abs(low[j]) or (said is not None and said.kind == "categorical"):
            continue
        share = _crowded((rows[:, j] - low[j]) / width[j], size)
        if share is None:
            continue
        count += 1
        if worst is None or share > worst[0]:
            worst = share, name
    if worst is not None:
        share, name = worst
        more = f", and {count - 1} more latents like it" if count > 1 else ""
        yield Check(
            "heavy_tails",
            f"{share:.1%} of the rows fall in one of the {size} equal bins of latent {name!r}{more}",
            "use `dm.Metric(..., strategy='quantile')` or `dm.Metric(..., estimator='nearest_neighbours')`, "
            "or look for outliers",
            name,
            {"share": round(share, 4), "latents": count},
        )


def heavy_tails_of_factors(whole: Relations, requests: Sequence[Request]) -> Iterator[Check]:
    """Measured factors of which one bin of equal width holds most rows, and different values."""
    binned = [r for r in requests if cuts_equally(r.settings) and r.needs_factors]
    for factor in whole.inputs.factors if binned else ():
        if factor.kind != "continuous" or factor.values is None or not factor.varies:
            continue
        values = factor.values[~np.isnan(factor.values)]
        low, size = values.min(), int(binned[0].settings["bins"])
        values = values[:: max(1, len(values) // SAMPLE)] - low
        share = _crowded(values / (np.nanmax(factor.values) - low), size)
        if share is not None:
            yield Check(
                "heavy_tails",
                f"{share:.1%} of the rows fall in one of the {size} equal bins of factor {factor.name!r}",
                "look for outliers, such as -999 where a value is missing, or use "
                "`dm.Metric(..., strategy='quantile')`",
                factor.name,
                {"share": round(share, 4)},
            )


def _crowded(column: NDArray[np.float64], size: int) -> float | None:
    """The share of a column in 0..1 that its fullest bin holds, if that is most and hides something."""
    # NumPy cuts no range that is tiny, or far from 0.
    counts, edges = np.histogram(column, size, range=(0, 1))
    share, fullest = float(counts.max() / len(column)), int(counts.argmax())
    inside = column[(column >= edges[fullest]) & (column <= edges[fullest + 1])]
    return None if share <= FULLEST or len(np.unique(inside)) <= DISTINCT else share


def cuts_equally(settings: Mapping[str, object]) -> bool:
    """Whether a metric with these settings counts rows in bins of equal width."""
    return (
        "bins" in settings
        and settings.get("strategy", "quantile") == "uniform"
        and settings.get("estimator", "histogram") == "histogram"
    )
