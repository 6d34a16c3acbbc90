"""A report as it is stored: plain values, checked before they are believed, since files can be changed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from disentangle_metrics.errors import InputError
from disentangle_metrics.kit.files import expanded

FORMAT = 1  # of the JSON file; it rises when a reader of the old one would misread the new

Checked = Callable[[str, Any], None]
"""Raises InputError unless the value, which stands at a place in the report, is of the right form."""


def read_values(source: str | Path, what: str = "report") -> Mapping[str, Any]:
    """The values in the JSON of a report, or of `what` holds several: a file, or a text that begins with {.

    Raises
    ------
    InputError
        If it cannot be read, or is no JSON.
    """
    text = source if isinstance(source, str) and source.lstrip().startswith("{") else None
    place = source if text is None else "the text"
    try:
        stored = expanded(source).read_bytes() if text is None else text  # also UTF-16, or with a mark
        values = json.loads(stored)
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{place} cannot be read as a {what}: {error}") from error
    if not isinstance(values, dict):
        raise InputError(f"{place} is not a {what}")
    return values


def check_report(values: Mapping[str, Any]) -> None:
    """Raise InputError unless these are the values of a report of this format."""
    if isinstance(values, Mapping) and {"names", "left_out"} <= set(values):
        raise InputError(
            "not a report but a comparison, which holds no reports: give the reports that it was made of"
        )
    if not isinstance(values, Mapping) or "scores" not in values or values.get("format") != FORMAT:
        found = values.get("format", "none") if isinstance(values, Mapping) else type(values).__name__
        if isinstance(values, Mapping) and "benchmark" in values:
            raise InputError(
                "not a report but a benchmark, which holds several: `dm.Benchmark.from_json` reads it, and "
                "dm-eval writes a report each with --out DIR"
            )
        if found == FORMAT:
            raise InputError(f"not a report of format {FORMAT}: it has no 'scores'")
        raise InputError(f"not a report of format {FORMAT} (found format: {found!r})")
    _record("the report", values, REPORT, frozenset(("scores",)))
    columns = len(values.get("column_names", ()))
    for unit, places in values.get("groups", {}).items():
        if unit not in values.get("latent_names", ()) or any(place >= columns for place in places):
            raise _wrong(f"groups: {unit}", f"a latent, and places of {columns} columns", places)
    for key, score in values["scores"].items():
        if score.get("key") != key:
            raise InputError(f"not a report: the score {key!r} says that its key is {score.get('key')!r}")


def check_benchmark(values: Mapping[str, Any]) -> None:
    """Raise InputError unless these are the values of a benchmark, but for those of its reports."""
    _record("the benchmark", values, BENCHMARK, frozenset(("reports",)))
    named = set(values.get("names", ()))
    if named != {*values["reports"], *values.get("errors", {})}:
        raise InputError("not a benchmark: its names are not those of its reports and errors")


def check_score(values: Mapping[str, Any]) -> None:
    """Raise InputError unless these are the values of a score."""
    _score("the score", values)


def _wrong(where: str, wanted: str, found: Any) -> InputError:
    shown = repr(found)
    shown = shown if len(shown) <= 80 else f"{shown[:80]} ..."
    return InputError(f"not a report: {where} must be {wanted}, found {shown}")


def _text(where: str, value: Any) -> None:
    if not isinstance(value, str):
        raise _wrong(where, "text", value)
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a character, which pandas does not take
        raise _wrong(where, "text that can be written", value) from None


def _number(where: str, value: Any) -> None:
    try:
        sound = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(float(value))
    except OverflowError:
        sound = False
    if not sound:
        raise _wrong(where, "a finite number", value)


def _whole(where: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise _wrong(where, "a whole number of at least 0", value)


def _share(where: str, value: Any) -> None:
    _number(where, value)
    if not 0 < value < 1:
        raise _wrong(where, "between 0 and 1", value)


def _or_none(check: Checked) -> Checked:
    def checked(where: str, value: Any) -> None:
        if value is not None:
            check(where, value)

    return checked


def _list_of(check: Checked, length: int | None = None) -> Checked:
    def checked(where: str, value: Any) -> None:
        if not isinstance(value, list | tuple) or length not in (None, len(value)):
            raise _wrong(where, "a list" if length is None else f"a list of {length}", value)
        for place, item in enumerate(value):
            check(f"{where}[{place}]", item)

    return checked


def _by_name(check: Checked) -> Checked:
    def checked(where: str, value: Any) -> None:
        if not isinstance(value, Mapping):
            raise _wrong(where, "an object", value)
        for name, item in value.items():
            _text(f"a name in {where}", name)
            check(f"{where}.{name}", item)

    return checked


def _anything(where: str, value: Any, depth: int = 0) -> None:
    """What JSON can hold, not too deep to be shown."""
    if depth > MOST_DEPTH:
        raise _wrong(where, f"at most {MOST_DEPTH} levels deep", "more")
    if isinstance(value, Mapping):
        for name, item in value.items():
            _text(f"a name in {where}", name)
            _anything(where, item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _anything(where, item, depth + 1)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        _number(where, value)
    elif not isinstance(value, str | bool | type(None)):
        raise _wrong(where, "plain", value)


def _cell(where: str, value: Any) -> None:
    if value is not None and not isinstance(value, bool):
        _number(where, value)


def _label(where: str, value: Any) -> None:
    (_text if isinstance(value, str) else _number)(where, value)


def _labels(where: str, value: Any) -> None:
    _list_of(_label)(where, value)
    if len(set(value)) < len(value) or len({isinstance(label, str) for label in value}) > 1:
        raise _wrong(where, "names that are all different, all text or all numbers", value)


def _parts(where: str, value: Any) -> None:
    """A pandas Series by the names of factors or latents."""
    _column(where, value)
    _list_of(_text)(where, value["index"])


def _column(where: str, value: Any) -> None:
    """A pandas Series."""
    if isinstance(value, Mapping) and "columns" in value:
        raise _wrong(where, "a column", value)
    _record(where, value, {"index": _labels, "data": _list_of(_cell)})
    if len(value["index"]) != len(value["data"]):
        raise _wrong(where, "as many numbers as names", value)


def _table(where: str, value: Any) -> None:
    """A pandas DataFrame."""
    _record(where, value, {"index": _labels, "columns": _labels, "data": _list_of(_list_of(_cell))})
    wanted = (len(value["index"]), {len(value["columns"])} if value["index"] else set())
    if (len(value["data"]), set(map(len, value["data"]))) != wanted:
        raise _wrong(where, "a number for each row and column", value)


def _two_levels(where: str, value: Any) -> None:
    """A pandas DataFrame whose columns have two names each."""
    _record(where, value, {"index": _labels, "columns": _list_of(_list_of(_text, 2))})
    names = [" ".join(pair) for pair in value["columns"]]
    _table(where, {**value, "columns": names})


def _layers(where: str, value: Any) -> None:
    """A report of a model's layers, which has none itself."""
    if isinstance(value, Mapping) and "layers" in value:
        raise _wrong(where, "a report without layers", value["layers"])
    check_report(value)


def _groups(where: str, value: Any) -> None:
    _by_name(_list_of(_whole))(where, value)


def _detail(where: str, value: Any, depth: int = 0) -> None:
    """A table, a column, plain values, or an object of them."""
    if isinstance(value, Mapping) and {"index", "data"} <= set(value):
        (_table if "columns" in value else _column)(where, value)
    elif isinstance(value, Mapping) and depth < MOST_DEPTH:
        for name, item in value.items():
            _detail(f"{where}.{name}", item, depth + 1)
    else:
        _anything(where, value, depth)


def _details(where: str, value: Any) -> None:
    _by_name(_detail)(where, value)
    if {"index", "data"} <= set(value):
        raise _wrong(where, "tables by name", value)


def _direction(where: str, value: Any) -> None:
    if value not in ("up", "down"):
        raise _wrong(where, '"up" or "down"', value)


def _record(
    where: str, value: Any, known: Mapping[str, Checked], needed: frozenset[str] | None = None
) -> None:
    """Check the known items of an object; by default all are needed. Others are of newer versions."""
    if not isinstance(value, Mapping):
        raise _wrong(where, "an object", value)
    for name, check in known.items():
        if name in value:
            check(f"{where}: {name}", value[name])
        elif needed is None or name in needed:
            raise InputError(f"not a report: {where} has no {name!r}")


def _score(where: str, value: Any) -> None:
    _record(where, value, SCORE, frozenset(("key", "value", "signature")))


def _finding(where: str, value: Any) -> None:
    _record(where, value, FINDING, frozenset(("message",)))


def _numbers_in_a_line(where: str, value: Any) -> None:
    _text(where, value)
    try:
        tuple(map(float, value.split()))
    except ValueError:
        raise _wrong(where, "numbers with spaces between", value) from None


def _yes_or_no(where: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise _wrong(where, "true or false", value)


def _votes(where: str, value: Any) -> None:
    _record(where, value, {"right": _whole, "votes": _whole, "guess": _number})
    if (
        set(value) != {"right", "votes", "guess"}
        or not value["right"] <= value["votes"]
        or not value["votes"]
    ):
        raise _wrong(where, "a count of right votes and of all", value)
    if not 0 <= value["guess"] < 1:
        raise _wrong(f"{where}: guess", "from 0 to below 1", value["guess"])


def _evidence(where: str, value: Any) -> None:
    resampled: Mapping[str, Checked] = {"interval": _text, "probes": _yes_or_no, "scores": _numbers_in_a_line}
    _record(
        where,
        value,
        {
            "rows": _text,
            "seed": _whole,
            "resampled": _by_name(lambda place, item: _record(place, item, resampled)),
            "votes": _by_name(_votes),
        },
    )


MOST_DEPTH = 20
SCORE: Mapping[str, Checked] = {
    "key": _text,
    "value": _or_none(_number),
    "signature": _text,
    "per_factor": _or_none(_parts),
    "per_latent": _or_none(_parts),
    "interval": _or_none(_list_of(_or_none(_number), 2)),
    "corrected": _or_none(_number),
    "chance": _or_none(_number),
    "ceiling": _or_none(_number),
    "p": _or_none(_number),
    "details": _details,
    "warnings": _list_of(_text),
    "reason": _text,
    "range": _list_of(_or_none(_number), 2),
    "direction": _direction,
    "property": _text,
}
FINDING: Mapping[str, Checked] = {
    "code": _text,
    "message": _text,
    "remedy": _text,
    "about": _text,
    "numbers": _by_name(_anything),
}
BENCHMARK: Mapping[str, Checked] = {
    "names": _list_of(_text),
    "reports": _by_name(lambda where, value: None),  # each is checked when it is read
    "errors": _by_name(_text),
    "notes": _list_of(_text),
    "provenance": _by_name(_anything),
}
REPORT: Mapping[str, Checked] = {
    "scores": _by_name(_score),
    "protocol": _text,
    "seed": _whole,
    "shape": _list_of(_whole, 3),
    "factor_names": _list_of(_text),
    "latent_names": _list_of(_text),
    "warnings": _list_of(_text),
    "seconds": _by_name(_number),
    "provenance": _by_name(_anything),
    "confidence": _or_none(_share),
    "readings": _by_name(_text),
    "permutations": _or_none(_whole),
    "checks": _list_of(_finding),
    "evidence": _evidence,
    "groups": _groups,
    "column_names": _list_of(_text),
    "per_group": _two_levels,
    "layers": _layers,
}
