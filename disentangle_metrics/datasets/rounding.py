"""Numbers that no machine computes otherwise, for data sets that are drawn."""

from __future__ import annotations


def rounded(value: float) -> float:
    """`value` to 30 binary digits after the point: the same on machines whose libm differ."""
    return round(value * 2.0**30) / 2.0**30
