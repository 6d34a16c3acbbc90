"""A stored report that someone changed is refused in a line, or read and shown; it is never a raw exception."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics import InputError, Report

CODES = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e\ud800"
HTML = "<img src=x onerror=alert(1)>"
ODD: tuple[Any, ...] = (
    None, True, 0, -1, 3.5, 10**400, 2**63, "", "x", CODES, HTML, "$\\frac{", [], {}, [None], [[1]], {"a": None},
    {"index": [], "data": []}, {"index": ["a"], "data": [1], "columns": ["b", "c"]}, [1, 2, 3], ["a", "a"], float("nan"),
    float("inf"), ["x"] * 3,
)  # fmt: skip
Place = tuple[str | int, ...]


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    """A report with all that a report can hold."""
    rng = np.random.default_rng(0)
    factors = rng.integers(0, 3, (80, 2))
    latents = np.c_[factors + rng.normal(size=(80, 2)) * 0.2, np.ones(80)]
    with pytest.warns(dm.ScoreWarning):
        report = dm.score(
            latents, factors, metrics=["mig", "dci", "modularity", "active_units"], confidence=0.9
        )
    report = report.with_provenance(
        command="dm-eval ...", dataset="sprites", encoder={"path": "a.pt"}, images=80
    )
    as_values: dict[str, Any] = report.to_dict()
    return as_values


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    if place:
        yield place
    items = (
        value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    )
    for key, item in items:
        yield from places(item, (*place, key))


def changed(values: dict[str, Any], place: Place, odd: Any) -> dict[str, Any]:
    """The values with another one at a place; none if it is the ellipsis."""
    values = copy.deepcopy(values)
    inner: Any = values
    for key in place[:-1]:
        inner = inner[key]
    if odd is ...:
        del inner[place[-1]]
    else:
        inner[place[-1]] = odd
    return values


def tampered(values: dict[str, Any]) -> Iterator[tuple[Place, Any]]:
    for place in places(values):
        yield from ((place, odd) for odd in (..., *ODD))


def read_and_shown(values: dict[str, Any], page: bool) -> bool:
    """Whether a report was read; then every rendering of it is without control codes and HTML."""
    try:
        report = Report.from_dict(values)
    except InputError as error:
        return not (str(error).isprintable() and len(str(error)) < 2500)
    texts = [str(report), report._repr_html_(), report.to_markdown(), report.to_latex()]
    texts += [str(report.to_frame()) and "", report.to_json()]
    texts += [str(score) for score in report.values()] + [repr(score) for score in report.values()]
    if page:
        texts.append(report.to_html())
    for text in texts:
        assert not {"\x1b", "\x07", "\x9b", "\u202e", "\ud800"} & set(text)
        text.encode()
    for text in (texts[1], *texts[-1:] * page):
        assert HTML not in text
    return True


def check(values: dict[str, Any], sample: int | None) -> None:
    cases = list(tampered(values))
    if sample is not None:
        cases = [cases[place] for place in np.random.default_rng(1).choice(len(cases), sample, replace=False)]
    read = [
        read_and_shown(changed(values, *case), page=number % 10 == 0) for number, case in enumerate(cases)
    ]
    assert any(read)
    assert not all(read)


def test_the_report_itself_is_read(values: dict[str, Any]) -> None:
    assert read_and_shown(values, page=True)
    assert Report.from_dict(json.loads(json.dumps(values))).to_dict() == values


def test_a_tampered_report_is_refused_or_shown(values: dict[str, Any]) -> None:
    check(values, 80)


@pytest.mark.slow
def test_every_tampered_report_is_refused_or_shown(values: dict[str, Any]) -> None:
    check(values, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "cannot be read"),
        ("", "cannot be read"),
        ("null", "is not a report"),
        ("[]", "is not a report"),
        ('{"format": 1}', "format 1"),
        ('{"format": 1, "scores": null}', "scores must be an object, found None"),
        ('{"format": 1, "scores": {"mig": {"key": "mig"}}}', "has no 'value'"),
        ('{"format": 1, "scores": {"mig": {"key": "b", "value": 1, "signature": ""}}}', "its key is 'b'"),
        ('{"format": 1, "scores": {"m": {"key": "m", "value": 1' + "0" * 400 + ', "signature": ""}}}', "a finite number"),
        ('{"format": 1, "scores": {"m": {"key": "m", "value": 1' + "0" * 9000 + ', "signature": ""}}}', "cannot be read"),
    ],
)  # fmt: skip
def test_what_is_no_report_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(InputError, match=message):
        Report.from_json(tmp_path / "r.json")


def test_a_comparison_is_told_from_a_report() -> None:
    rows = np.arange(400).reshape(200, 2)
    report = dm.score(rows, rows // 4 % 2, metrics="mig", anchors=False)
    comparison = dm.compare({"a": report, "b": report})
    with pytest.raises(InputError, match="not a report but a comparison, which holds no reports: give the"):
        Report.from_json(comparison.to_json())


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_report_that_another_program_saved_is_read(encoding: str, tmp_path: Path) -> None:
    """Editors put a mark before UTF-8, and a PowerShell writes what a command prints as UTF-16."""
    rows = np.arange(400).reshape(200, 2)
    report = dm.score(rows, rows // 4 % 2, metrics="mig", factor_names=["größe", "b"], anchors=False)
    (tmp_path / "r.json").write_text(report.to_json(), encoding=encoding)
    assert Report.from_json(tmp_path / "r.json").to_dict() == report.to_dict()


def test_a_tilde_is_the_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    rows = np.arange(400).reshape(200, 2)
    report = dm.score(rows, rows // 4 % 2, metrics="mig", anchors=False)
    report.to_json("~/r.json")
    tracker = dm.Tracker()
    tracker.log(1, report)
    tracker.to_csv("~/t.csv")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["home", "r.json", "t.csv"]
    assert Report.from_json("~/r.json") == report


def test_a_path_that_is_no_report_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.json", tmp_path / ("a" * 300)):
        with pytest.raises(InputError, match="cannot be read"):
            Report.from_json(path)


def test_names_cannot_command_a_terminal() -> None:
    """Neither in print(report), nor in warnings, nor in errors."""
    import pandas as pd

    rng = np.random.default_rng(0)
    latents = pd.DataFrame({"z": rng.normal(size=50), CODES[:-1]: 1.0, HTML: rng.normal(size=50)})
    factors = pd.DataFrame({f"{CODES[:-1]}v": rng.integers(0, 2, 50), "w": rng.integers(0, 2, 50)})
    with pytest.warns(dm.ScoreWarning) as caught:
        report = dm.score(latents, factors, metrics=["mig_sup", "wsepin", "mig"])
    for text in [str(report), *map(str, report.values()), *(str(warning.message) for warning in caught)]:
        assert "\x1b" not in text
        assert "\x9b" not in text
    assert "\\x1b]0;owned" in str(report)
    assert HTML not in report._repr_html_()
    assert HTML not in report.to_html()
    assert "\x1b" not in report.to_html()
    with pytest.raises(InputError, match=r"\\x1b") as refused:
        dm.score(latents, factors, factor_types={CODES[:-1]: "odd"})
    assert "\x1b" not in str(refused.value)
