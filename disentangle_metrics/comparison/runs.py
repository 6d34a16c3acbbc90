"""What is compared: for each representation a report, one for each training run, or arrays to score."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

from disentangle_metrics.comparison.differences import FEWEST_RUNS
from disentangle_metrics.errors import InputError, ScoreWarning
from disentangle_metrics.inputs.gaussian_posterior import GaussianPosterior
from disentangle_metrics.scoring.report import Report
from disentangle_metrics.scoring.requests import Metric
from disentangle_metrics.scoring.score import score

DECIDED_HERE = ("latents", "factors", "metrics", "confidence", "anchors")
ACCEPTED = "a Report, a list of Reports, a mapping from seeds to Reports, or latents with `factors`"


@dataclass(frozen=True)
class Runs:
    """The reports of one representation.

    Attributes
    ----------
    reports
        One for each training run.
    seeds
        The seed of each, if they came by seed.
    remarks
        What to know of the arrays that were scored here; None of reports, which have said it.
    """

    name: str
    reports: tuple[Report, ...]
    seeds: tuple[Any, ...] = ()
    remarks: tuple[str, ...] | None = None

    def paired_with(self, other: Runs) -> list[tuple[Report, Report]] | None:
        """The runs of both by the seeds that both have, else by place; None if they cannot be paired."""
        if self.seeds and other.seeds:
            theirs = dict(zip(other.seeds, other.reports, strict=True))
            pairs = [
                (own, theirs[seed])
                for seed, own in zip(self.seeds, self.reports, strict=True)
                if seed in theirs
            ]
            return pairs or None
        if len(self.reports) != len(other.reports):
            return None
        return list(zip(self.reports, other.reports, strict=True))

    def why_unpaired(self, other: Runs) -> str:
        """Why the runs of both are not paired unless the caller says so; empty if they are."""
        own, theirs = set(self.seeds), set(other.seeds)
        if bool(own) != bool(theirs):
            return f"only those of {(self if own else other).name} have seeds"
        if own != theirs:
            both = len(own & theirs)
            more = "; `paired=True` compares these alone" if both >= FEWEST_RUNS else ""
            return f"they share {both or 'none'} of {len(own | theirs)} seeds{more}"
        counts = len(self.reports), len(other.reports)
        return "" if counts[0] == counts[1] else f"they are {counts[0]} and {counts[1]}"


def read_runs(
    results: Any,
    factors: Any,
    metrics: Iterable[str | Metric] | None,
    confidence: float,
    scoring: Mapping[str, Any],
) -> dict[str, Runs]:
    """The runs of each representation; arrays are scored."""
    if not isinstance(results, Mapping) or isinstance(results, Report):
        raise InputError(
            "`results` must be a mapping from names to reports, such as {'vlae': a, 'pro-vlae': b}; got "
            f"{type(results).__name__}"
        )
    if len(results) < 2:
        raise InputError(f"`results` must hold at least two representations, got {len(results)}")
    _check_options(scoring)
    runs: dict[str, Runs] = {}
    for given, item in results.items():
        name = str(given)
        if name in runs:
            twins = " and ".join(repr(key) for key in results if str(key) == name)
            raise InputError(f"`results`: {twins} are one name as text; give each its own")
        members, seeds = _members(name, item)
        remarks: tuple[str, ...] | None = None
        if not all(isinstance(member, Report) for member in members):
            if factors is None:
                raise InputError(f"`results`: under {name!r} is {_kind(item)}; {_what_to_pass(members)}")
            options = {**scoring, "metrics": metrics, "anchors": False}
            if len(members) == 1:
                options["confidence"] = confidence
            else:  # the spread of the runs is what counts
                options.pop("replicates", None)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ScoreWarning)  # compare() says each once
                made = {
                    place: _scored(
                        name if len(members) == 1 else f"run {place} of {name}", member, factors, options
                    )
                    for place, member in enumerate(members)
                    if not isinstance(member, Report)
                }
            members = [made.get(place, member) for place, member in enumerate(members)]
            remarks = tuple(text for report in made.values() for text in report.warnings)
        runs[name] = Runs(name, tuple(members), seeds, remarks)
    if all(item.remarks is None for item in runs.values()) and (factors is not None or scoring):
        extra = [*(["factors"] if factors is not None else []), *scoring]
        raise InputError(f"`{extra[0]}` is for arrays, and `results` holds reports only")
    return runs


def _scored(name: str, latents: Any, factors: Any, options: Mapping[str, Any]) -> Report:
    """The report of an array; an error about it says of which."""
    try:
        return score(latents, factors, **options)
    except InputError as error:
        if "`latents`" not in str(error):  # no fault of this one
            raise
        raise InputError(f"`results`: {name}: {error}") from error


def _members(name: str, item: Any) -> tuple[Sequence[Any], tuple[Any, ...]]:
    """The runs in one entry, and their seeds."""
    if isinstance(item, Report):
        return [item], ()
    if hasattr(item, "rewind"):  # a Tracker is a mapping too
        step = next(reversed(list(item)), 0)
        raise InputError(
            f"`results`: under {name!r} is a Tracker, whose steps are no training runs; pass the report of "
            f"one step, such as `tracker[{step}]`"
        )
    if isinstance(item, Mapping):
        members, seeds = list(item.values()), tuple(item)
    elif isinstance(item, list | tuple) and (not item or any(_is_run(member) for member in item)):
        members, seeds = list(item), ()
    else:
        return [item], ()
    if not members:
        raise InputError(f"`results`: there is nothing under {name!r}")
    for number, member in enumerate(members):
        if not _is_run(member):
            told = _what_to_pass(members)
            raise InputError(f"`results`: run {number} of {name!r} is {_kind(member)}; {told}")
    return members, seeds


def _is_run(member: Any) -> bool:
    """Whether something is a whole run, rather than a row of an array."""
    return isinstance(member, Report | GaussianPosterior) or _dimensions(member) == 2


def _dimensions(member: Any) -> int:
    if hasattr(member, "shape"):
        return len(member.shape)
    depth = 0
    while isinstance(member, list | tuple) and member:
        member, depth = member[0], depth + 1
    return depth


def _check_options(scoring: Mapping[str, Any]) -> None:
    accepted = [name for name in inspect.signature(score).parameters if name not in DECIDED_HERE]
    for name in scoring:
        if name not in accepted:
            raise InputError(f"compare() has no option {name!r}; of score() it takes {', '.join(accepted)}")


def _what_to_pass(members: Sequence[Any]) -> str:
    """What an entry takes; of files how they are read."""
    given = members[0] if members else None
    first = given[0] if isinstance(given, list | tuple) and given else given
    files = isinstance(first, str | PathLike)
    return f"pass {ACCEPTED}" + ("; read a file by `dm.Report.from_json(path)`" if files else "")


def _kind(item: Any) -> str:
    name = type(item).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
