"""What the metrics of posteriors in fixed bins share: their limits, and what lies beyond them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from disentangle_metrics.checks import Check

OUTSIDE = 0.01  # share of a latent's mass beyond the limits that is worth a warning


def edges_between(limits: tuple[float, float], bins: int) -> tuple[float, ...]:
    """The edges of so many bins of equal width."""
    return tuple(np.linspace(float(limits[0]), float(limits[1]), int(bins) + 1).tolist())


def beyond(names: Iterable[str], shares: Iterable[float], limits: tuple[float, float]) -> tuple[Check, ...]:
    """A remark on each latent with more than 1 percent of its mass beyond the limits."""
    return tuple(
        Check(
            "outside_limits",
            f"{share:.0%} of latent {name} lies outside of {limits[0]:g} .. {limits[1]:g}, in the outer bins",
            "pass wider limits, as in `dm.Metric(..., limits=(-8, 8))`",
            name,
            {"share": round(float(share), 4)},
        )
        for name, share in zip(names, shares, strict=True)
        if share > OUTSIDE
    )
