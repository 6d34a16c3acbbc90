"""The page's section on protocols as called: what is measured, and how it is laid out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tests.agreement.called import CALLED, Called
from tests.agreement.comparison import shown
from tests.agreement.reference import CASES

INTRODUCTION = """
## Protocols as called

`protocol="..."` promises the peer's number without further settings. Each metric of each protocol is called here as
written, on every case that the peer was run on. Each score is compared with the recorded one. `anchors=False` is passed
besides, which changes no score.

- **Split.** The split of the rows is passed only where the peer's run had one: the first n = ceil(2N/3) rows train, the
  rest test. Without it a third of the rows, drawn by the seed, is the test part.
- **Draws** are those of seed 0. Each call is made once, but for `hsu2023`: s = 0, 1, 2.

| protocol | metric | our call | peer's record | cases | largest deviation | of tolerance | tolerance | status |
"""

DIFFERENCES = """
Where a protocol's number is not the peer's, with both:

| protocol | case | score | ours | theirs | why |
|---|---|---|---|---|---|
"""

Results = Mapping[str, Any]


def measure_called(called: Called, rows: dict[str, Any], *, slow: bool, today: str) -> None:
    """Put the results of each case into `rows`."""
    for case in called.records():
        if called.is_slow(case) and not slow:
            continue
        rows[case] = {
            "measured": today,
            "scores": {
                number.key: {
                    "ours": shown(number.ours),
                    "theirs": shown(number.theirs),
                    "deviation": rounded(number.deviation),
                    "share": rounded(number.share),
                }
                for number in called.numbers(case)
            },
        }


def rounded(value: float) -> float | None:
    """Three digits; None for what is not finite, which a JSON file cannot hold."""
    return float(f"{value:.2e}") if math.isfinite(value) else None


def section(found: Mapping[str, Results]) -> str:
    lines = [INTRODUCTION.rstrip("\n"), "\n", "|---" * 9, "|\n"]
    lines += [row(called, found.get(called.name, {})) for called in CALLED]
    lines.append(DIFFERENCES)
    lines += [line for called in CALLED for line in differences(called, found.get(called.name, {}))]
    lines.append(slow_ones(found))
    return "".join(lines)


def row(called: Called, results: Results) -> str:
    peer = f"{called.peer}, {called.recorded}".replace("|", "\\|") + (
        f" ({called.remark})" if called.remark else ""
    )
    cells = [called.protocol, called.metric, f"`{called.call}`", peer, cases(called, results)]
    compared = agreeing(called, results)
    if compared:
        for name, form in (("deviation", ".1e"), ("share", ".2g")):
            cells.append(format(max(finite(score[name]) for score in compared), form))
    else:
        cells += ["", ""]
    return f"| {' | '.join([*cells, called.tolerance, status(called, results)])} |\n"


def cases(called: Called, results: Results) -> str:
    """How many were measured, and which the peer has no record of."""
    recorded = called.records()
    count = f"{len(results)}" if set(results) == set(recorded) else f"{len(results)} of {len(recorded)}"
    if called.of_posterior:
        return f"{count} (p14, the one with a posterior)"
    missing = [case[:3] for case in CASES if case not in recorded]
    return count + (f" (no record of {', '.join(missing)})" if missing else "")


def agreeing(called: Called, results: Results) -> list[dict[str, Any]]:
    """The scores whose record is no known defect."""
    return [
        result["scores"][key]
        for case, result in results.items()
        for key in called.theirs
        if called.explanation(case, key) is None
    ]


def finite(value: float | None) -> float:
    return math.inf if value is None else value


def status(called: Called, results: Results) -> str:
    compared = agreeing(called, results)
    if not compared:
        return "not measured here"
    if not all(finite(score["share"]) <= 1 for score in compared):
        return "**disagrees**"
    left = sorted({name[:3] for name in called.explained})
    return "agrees" + (f"; {', '.join(left)} explained" if left else "")


def differences(called: Called, results: Results) -> list[str]:
    lines = []
    for case, result in sorted(results.items()):
        for key in called.theirs:
            score, title = result["scores"][key], called.explanation(case, key)
            if title is not None:
                lines.append(
                    f"| {called.protocol} | {case[:3]} | {key} | {score['ours']} | {score['theirs']} "
                    f"| [{title}](#{anchor(title)}) |\n"
                )
    return lines


def anchor(title: str) -> str:
    """What a heading of this title is linked by."""
    return "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c in "-_")


def slow_ones(found: Mapping[str, Results]) -> str:
    """Which cases only --slow measures, and when that was last done."""
    lines = [
        "\nMeasured only with `--slow`:\n\n| protocol | metric | cases | last measured |\n|---|---|---|---|\n"
    ]
    for called in CALLED:
        slow = [case for case in called.records() if called.is_slow(case)]
        done = found.get(called.name, {})
        dates = sorted({done[case]["measured"] if case in done else "not yet" for case in slow})
        if slow:
            cases = ", ".join(case[:3] for case in slow)
            lines.append(f"| {called.protocol} | {called.metric} | {cases} | {', '.join(dates)} |\n")
    return "".join(lines)
