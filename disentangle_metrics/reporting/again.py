"""The command or the call that gives a report again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from disentangle_metrics.scoring.report import Report

KINDS = {"c": "categorical", "o": "ordinal", "r": "continuous"}  # as signatures abbreviate them


def made_by_command(report: Report) -> bool:
    """Whether ``dm-eval`` made it, rather than a call in Python."""
    return "command" in report.provenance


def command_or_call(report: Report) -> str:
    """The command that made the report, if one did; else the call, with signatures for settings."""
    facts = report.provenance
    if made_by_command(report):
        return str(facts["command"])
    signatures = "".join(f"        {score.signature!r},\n" for score in report.values())
    options = [f"metrics=[\n{signatures}    ]", f"protocol={report.protocol!r}", f"seed={report.seed}"]
    if report.groups:
        options.append(f"groups={ {unit: list(places) for unit, places in report.groups.items()}!r}")
    if report.confidence is not None:
        options.append(f"confidence={report.confidence!r}")
        options += [f"replicates={count}" for count in _one(_pinned(report, "replicates"))]
    if report.permutations is not None:
        options.append(f"permutations={report.permutations}")
    missing = _one(_pinned(report, "missing"))
    options += [f"missing={how!r}" for how in missing - {"by_design"}]
    if "dataset" in facts:
        encoder = facts.get("encoder")
        path = encoder.get("path") if isinstance(encoder, Mapping) else None
        loaded = "encoder" if path is None else f"dm.load_encoder({path!r})"
        data = facts.get("data", {})
        images = f"dm.load_dataset({facts['dataset']!r})"
        if data and "path" not in data:  # arrays
            images = "dm.datasets.from_arrays(images, factors)"
        arguments = [loaded, images, f"samples={facts.get('images')}"]
        if facts.get("scale", "0..1") != "0..1":
            arguments.append(f"scale={facts['scale']!r}")
        if data and "by_design" in missing:  # a data set of ours knows its tree
            options.append("hierarchy=hierarchy")
        return _call("dm.evaluate", [*arguments, *options])
    if "by_design" in missing:
        options.append("hierarchy=hierarchy")
    options += [
        f"factor_types={[KINDS[letter] for letter in kinds]!r}"
        for kinds in _one(_pinned(report, "kinds"))
        if set(kinds) <= set(KINDS)
    ]
    return _call("dm.score", ["latents", "factors" if report.shape[2] else "None", *options])


def subject(report: Report) -> str:
    """What was scored, in a few words."""
    facts = report.provenance
    if "dataset" in facts:
        return f"{_name(facts.get('encoder'))} on {facts['dataset']}"
    files = [_name(facts[role]) for role in ("latents", "factors") if role in facts]
    return " against ".join(files) or "latents against factors"


def _pinned(report: Report, name: str) -> set[str]:
    """What the signatures say of `name`."""
    return {
        found[1] for score in report.values() if (found := re.search(rf"\|{name}:([^|]+)", score.signature))
    }


def _one(values: set[str]) -> set[str]:
    """The value, if there is one alone: several are the defaults of several metrics."""
    return values if len(values) == 1 else set()


def _name(source: Any) -> str:
    if isinstance(source, Mapping):
        return str(source.get("path", "")).replace("\\", "/").rpartition("/")[2]
    return str(source)


def _call(function: str, arguments: list[str]) -> str:
    lines = "".join(f"    {argument},\n" for argument in arguments)
    return f"import disentangle_metrics as dm\n\nreport = {function}(\n{lines})"
