"""The command or the call that gives a report again."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from disentangle_metrics.scoring.report import Report

# As signatures abbreviate them.
KINDS = {"c": "categorical", "o": "ordinal", "r": "continuous", "p": "circular"}
TURNS = {f"{turn:.12g}": turn for turn in (2 * math.pi, math.pi)}  # whose last digits signatures leave out


def made_by_command(report: Report) -> bool:
    """Whether ``dm-eval`` made it, rather than a call in Python."""
    return "command" in report.provenance


def command_or_call(report: Report) -> str:
    """The command that made the report, if one did; else the call, with signatures for settings.

    What a report does not hold has the name of what it is: `latents`, `factors`, `encoder`, `images`,
    `loader`, `hierarchy`, and of an :class:`Accumulator` `ranges` and `batches`.
    """
    facts = report.provenance
    if made_by_command(report):
        return str(facts["command"])
    if _pinned(report, "ranges"):
        return _counted(report)
    options = [*_metrics(report), f"seed={report.seed}"]
    if report.groups:
        options.append(f"groups={ {unit: list(places) for unit, places in report.groups.items()}!r}")
    if report.confidence is not None:
        options.append(f"confidence={report.confidence!r}")
        options += [f"replicates={count}" for count in _one(_pinned(report, "replicates"))]
    if report.permutations is not None:
        options.append(f"permutations={report.permutations}")
    options += [f"latent_types={types!r}" for types in _types(report, "latent_kinds", "latent_periods")]
    missing = _one(_pinned(report, "missing"))
    options += [f"missing={how!r}" for how in missing - {"by_design"}]
    if "by_design" in missing and not _has_tree(report):
        options.append("hierarchy=hierarchy")
    options += _factor_types(report)
    if "dataset" in facts:
        return _call("dm.evaluate", [*_data(report), *options])
    options += [*_factor_names(report), *_variant(report)]
    return _call("dm.score", ["latents", "factors" if report.shape[2] else "None", *options])


def subject(report: Report) -> str:
    """What was scored, in a few words."""
    facts = report.provenance
    if "dataset" in facts:
        return f"{_name(facts.get('encoder'))} on {facts['dataset']}"
    files = [_name(facts[role]) for role in ("latents", "factors") if role in facts]
    return " against ".join(files) or "latents against factors"


def _metrics(report: Report) -> list[str]:
    signatures = "".join(f"        {score.signature!r},\n" for score in report.values())
    return [f"metrics=[\n{signatures}    ]", f"protocol={report.protocol!r}"]


def _data(report: Report) -> Iterator[str]:
    """What was encoded: the first arguments of ``dm.evaluate``."""
    facts = report.provenance
    encoder = facts.get("encoder")
    path = encoder.get("path") if isinstance(encoder, Mapping) else None
    chosen = [f"{name}={facts[name]!r}" for name in ("encode_with", "outputs") if name in facts]
    yield "encoder" if path is None else f"dm.load_encoder({', '.join([repr(path), *chosen])})"
    if "image_shape" not in facts:
        yield from ("loader", *_factor_names(report), *_variant(report))
    elif _is_of_arrays(report):
        names = "".join(f", {option}" for option in _factor_names(report))
        yield f"dm.datasets.from_arrays(images, factors{names})"
    else:
        yield f"dm.load_dataset({facts['dataset']!r})"
        yield f"factors={list(report.factor_names)!r}"
    yield f"samples={facts.get('images')}"
    yield from chosen if path is None else ()
    if facts.get("scale", "0..1") != "0..1":
        yield f"scale={facts['scale']!r}"


def _is_of_arrays(report: Report) -> bool:
    data = report.provenance.get("data", {})
    return bool(data) and "path" not in data


def _has_tree(report: Report) -> bool:
    """Whether it is of a data set of ours, which knows its tree."""
    facts = report.provenance
    return "image_shape" in facts and not facts.get("data")


def _factor_names(report: Report) -> list[str]:
    """The names of the factors, if they are no defaults; none where a table had more columns than these."""
    own = not all(re.fullmatch(r"factor_\d+", name) for name in report.factor_names)
    more = any(check.code == "identifier" for check in report.found)
    more = more or "notes" in report.provenance.get("data", {})  # of images: what is left out
    return [f"factor_names={list(report.factor_names)!r}"] if own and not more else []


def _factor_types(report: Report) -> list[str]:
    return [
        f"factor_types={dict(zip(report.factor_names, types, strict=True))!r}"
        for types in _types(report, "kinds", "periods")
        if len(types) == len(report.factor_names)
    ]


def _types(report: Report, kinds: str, periods: str) -> list[list[str]]:
    """The types that the signatures say, if they say them: "circular:360" for the letter p and its period."""
    turns = iter("".join(_one(_pinned(report, periods))).split(","))
    return [
        [_type(letter, next(turns, "") if letter == "p" else "") for letter in letters]
        for letters in _one(_pinned(report, kinds))
        if set(letters) <= set(KINDS)
    ]


def _type(letter: str, turn: str) -> str:
    return f"{KINDS[letter]}:{TURNS.get(turn, turn)}" if turn else KINDS[letter]


def _variant(report: Report) -> list[str]:
    return [f"variant={text!r}" for text in _one(_pinned(report, "variant"))]


def _counted(report: Report) -> str:
    """The call of an accumulator whose bins span the ranges that it was given."""
    options = ["ranges=ranges", *_metrics(report), *_factor_types(report), *_factor_names(report)]
    return (
        _call("dm.Accumulator", options, "accumulator")
        + "\nfor latents, factors in batches:\n    accumulator.update(latents, factors)\n"
        + "report = accumulator.compute()"
    )


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


def _call(function: str, arguments: list[str], result: str = "report") -> str:
    lines = "".join(f"    {argument},\n" for argument in arguments)
    return f"import disentangle_metrics as dm\n\n{result} = {function}(\n{lines})"
