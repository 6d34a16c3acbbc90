"""What a report stores of units of several latents; a report of single latents stores nothing of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from disentangle_metrics.scoring.plain_values import plain, revived

if TYPE_CHECKING:
    from disentangle_metrics.scoring.report import Report

ITEMS = ("groups", "column_names", "per_group", "layers")


def plain_units(report: Report) -> dict[str, Any]:
    """The items of a report that are of units, as plain values, as far as it has them."""
    items: dict[str, Any] = {}
    if report.groups:
        items = {"groups": plain(report.groups), "column_names": list(report.column_names)}
    if report.per_group is not None:
        items["per_group"] = plain(report.per_group)
    if report.layers is not None:
        items["layers"] = report.layers.to_dict()
    return items


def revived_units(values: Mapping[str, Any], report: type[Report]) -> dict[str, Any]:
    """The items that :func:`plain_units` wrote, out of the values of a report."""
    items: dict[str, Any] = {}
    if "groups" in values:
        items["groups"] = {name: tuple(columns) for name, columns in values["groups"].items()}
        items["column_names"] = tuple(values.get("column_names", ()))
    if "per_group" in values:
        items["per_group"] = revived(values["per_group"])
    if "layers" in values:
        items["layers"] = report.from_dict(values["layers"])
    return items
