"""Several tables, each with columns of its own: the content of many reports, whatever shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from disentangle_metrics.checks import once_each
from disentangle_metrics.reporting.ranks import first_scores, mean_ranks
from disentangle_metrics.reporting.view import (
    HEADLINE,
    NEAR,
    NOTHING,
    WITH_P,
    bounds,
    by_property,
    in_groups,
    legend,
    lower_is_better,
    near_chance,
    number,
    probability,
    readings,
    report_remarks,
    with_arrow,
)

if TYPE_CHECKING:
    from disentangle_metrics.reporting.view import View
    from disentangle_metrics.scoring.report import Report, Score

FAILED = "failed"
LONG = 12  # characters of a header that is broken where columns need the room
MOST_STEPS = 20  # shown of a training run


@dataclass(frozen=True)
class Column:
    """A header, and the key of the score below it, if it is one."""

    label: str
    key: str = ""


@dataclass(frozen=True)
class Line:
    """A row of a table."""

    label: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """A table with a title; it may have none."""

    title: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Blocks:
    """The content of many reports.

    Attributes
    ----------
    corner
        The header of the first column: what a row is.
    blocks
        The tables.
    facts
        One line: rows, latents, factors, protocol, seed.
    readings, legend, remarks
        How factors were read, what the signs mean, and what to know; a line each.
    """

    corner: str
    blocks: tuple[Block, ...]
    facts: str
    readings: tuple[str, ...] = ()
    legend: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Every line below the facts."""
        return (*self.readings, *self.legend, *self.remarks)


def benchmark_blocks(
    reports: Mapping[str, Report],
    errors: Mapping[str, str],
    names: Sequence[str],
    *,
    ranked: Mapping[str, Report],
    unranked: Sequence[str] = (),
    brief: bool = False,
) -> Blocks:
    """The scores of several representations, then their mean ranks; `errors` are of those that failed.

    `ranked` holds the reports with the scores alone that can be ranked; `unranked` says why others cannot.
    """
    failed = [f"!! {name} failed: {errors[name]}" for name in names if name in errors]
    if not reports:
        lines = tuple(Line(name, (errors[name],)) for name in names)
        return Blocks("representation", (Block("", (Column("error"),), lines),), "no scores")
    return Blocks(
        "representation",
        (*_score_blocks(reports, names, brief=brief), *_rank_blocks(ranked, names)),
        _facts(reports, "representation"),
        _readings(reports),
        _legend(reports, ranked=len(reports) > 1),
        (*failed, *(f"! {text}" for text in unranked), *_remarks(reports)),
    )


def tracker_blocks(reports: Mapping[int, Report], changes: Sequence[str]) -> Blocks:
    """The scores of the last steps of a training run; `changes` are what makes them hard to compare."""
    if not reports:
        return Blocks("step", (), "no step was logged")
    named = {str(step): report for step, report in list(reports.items())[-MOST_STEPS:]}
    latest = {f"step {name}": report for name, report in list(named.items())[-1:]}
    legend_lines = _legend(named, ranked=False)
    if len(reports) > MOST_STEPS:
        shown = f"These are the last {MOST_STEPS} of {len(reports):,} steps; to_frame() has all."
        legend_lines = (shown, *legend_lines)
    columns = [score for _, scores in by_property(first_scores(named).values()) for score in scores]
    return Blocks(
        "step",
        (_score_block("", columns, named, list(named)),),
        _facts(named, "step"),
        _readings(latest),
        legend_lines,
        (*(f"! {text}" for text in changes), *_remarks(latest)),
    )


def widths(block: Block) -> list[int]:
    """The characters that each column needs, if its header is broken at spaces and line breaks."""
    return [
        max(map(len, (*column.label.split(), *(line.cells[place] for line in block.lines))))
        for place, column in enumerate(block.columns)
    ]


def in_parts(block: Block, corner: str, width: int, needs: Sequence[int] | None = None) -> Iterator[Block]:
    """The block, or blocks of fewer columns, each of so many characters if no column has more.

    `needs` are the characters of each column; by default header and cells in one line.
    """
    if needs is None:
        needs = [
            max(len(column.label), room) for column, room in zip(block.columns, widths(block), strict=True)
        ]
    room = width - min(max(map(len, (corner, *(line.label for line in block.lines)))), width // 2)
    for start, end in _spans(needs, room):
        yield _columns(block, start, end)


def _spans(needs: Sequence[int], room: int) -> Iterator[tuple[int, int]]:
    """Where each part of so many characters begins and ends, if no column has more."""
    start, used = 0, 0
    for place, characters in enumerate(needs):
        if place > start and used + 1 + characters > room:
            yield start, place
            start, used = place, 0
        used += 1 + characters
    yield start, len(needs)


def view_in_parts(view: View[Any], needs: Sequence[int], room: int) -> Iterator[View[Any]]:
    """The view, or views of fewer columns where each is a representation; `needs` are their characters."""
    for start, end in _spans(needs, room) if view.several else [(0, len(needs))]:
        groups = (
            replace(
                group,
                rows=tuple(
                    replace(row, cells=row.cells[start:end], emphasis=row.emphasis[start:end])
                    for row in group.rows
                ),
            )
            for group in view.groups
        )
        yield replace(view, columns=view.columns[start:end], groups=tuple(groups))


def with_broken_headers(block: Block) -> Block:
    """The block with long keys in two lines."""

    def broken(label: str) -> str:
        head, bar, tail = label.rpartition("_")
        return f"{head}{bar}\n{tail}" if bar and len(label) > LONG else label

    return replace(block, columns=tuple(replace(of, label=broken(of.label)) for of in block.columns))


def _columns(block: Block, start: int, end: int) -> Block:
    title = f"{block.title}, continued" if block.title and start else block.title
    lines = tuple(replace(line, cells=line.cells[start:end]) for line in block.lines)
    return replace(block, title=title, columns=block.columns[start:end], lines=lines)


def _score_blocks(reports: Mapping[str, Report], names: Sequence[str], *, brief: bool) -> list[Block]:
    scores = list(first_scores(reports).values())
    groups = in_groups(scores, brief=brief)
    if len(scores) <= len(HEADLINE):  # few scores stand in one table
        few = [score for _, members in groups for score in members]
        block = _score_block("", few, reports, names)
        labels = [
            f"{of.label} ({score.property or 'other'})" for of, score in zip(block.columns, few, strict=True)
        ]
        columns = (replace(of, label=label) for of, label in zip(block.columns, labels, strict=True))
        return [replace(block, columns=tuple(columns))]
    return [_score_block(title, of, reports, names) for title, of in groups]


def _score_block(
    title: str, scores: Sequence[Score], reports: Mapping[str, Report], names: Sequence[str]
) -> Block:
    columns = tuple(Column(_label(score), score.key) for score in scores)
    return Block(title, columns, _lines(reports, names, scores))


def _lines(reports: Mapping[str, Report], names: Sequence[str], columns: Sequence[Score]) -> tuple[Line, ...]:
    keys = [score.key for score in columns]
    lines = []
    for name in names:
        if name not in reports:
            lines.append(Line(name, (FAILED, *[NOTHING] * (len(keys) - 1))))
            continue
        scores = [reports[name].scores.get(key) for key in keys]
        lines.append(Line(name, tuple(NOTHING if score is None else _cell(score) for score in scores)))
        if any(score is not None and score.interval is not None for score in scores):
            of = f"  {100 * (reports[name].confidence or 0):g}% interval"
            lines.append(Line(of, tuple(NOTHING if score is None else _interval(score) for score in scores)))
        if any(score is not None and score.p is not None for score in scores):
            lines.append(
                Line("  p", tuple(probability(None if score is None else score.p) for score in scores))
            )
    return tuple(lines)


def _rank_blocks(reports: Mapping[str, Report], names: Sequence[str]) -> list[Block]:
    ranked = mean_ranks(reports)
    if not ranked:
        return []
    columns = tuple(Column(f"{of.property} ({len(of.keys)})") for of in ranked)
    lines = [
        Line(name, tuple(f"{of.mean[name]:.2f}" if name in of.mean else NOTHING for of in ranked))
        for name in names
    ]
    return [Block("mean rank", columns, tuple(lines))]


def _label(score: Score) -> str:
    return with_arrow(score.key, score)


def _cell(score: Score) -> str:
    return (f"{NEAR} " if near_chance(score) else "") + number(score.value)


def _interval(score: Score) -> str:
    if score.interval is None:
        return NOTHING
    corrected = "" if score.corrected is None else f"{number(score.corrected)} "
    return corrected + bounds(score.interval)


def _legend(reports: Mapping[str, Report], *, ranked: bool) -> tuple[str, ...]:
    scores = [score for report in reports.values() for score in report.values()]
    lines = legend(
        lower=any(map(lower_is_better, scores)),
        near=any(map(near_chance, scores)),
        interval=any(score.interval is not None for score in scores),
    )
    if any(score.interval is not None for score in scores):
        lines.append("Below a score: the corrected score, then its interval.")
    if any(score.p is not None for score in scores):
        lines.append(WITH_P)
    if ranked:
        lines.append(
            "Mean rank: over the scores of a property, 1 is best. The number in brackets counts the scores: "
            "those that every representation has. Equal scores share their mean rank."
        )
    return tuple(lines)


def _facts(reports: Mapping[str, Report], noun: str) -> str:
    count = f"{len(reports)} {noun}{'s' if len(reports) > 1 else ''}"
    shapes = {name: report.shape for name, report in reports.items()}
    first = next(iter(reports.values()))
    latents = "units of latents" if any(report.groups for report in reports.values()) else "latents"
    facts = [
        _alike({name: shape[place] for name, shape in shapes.items()}, what)
        for place, what in enumerate(("rows", latents, "factors"))
    ]
    return f"{count}: {', '.join(facts)}; protocol {first.protocol}, seed {first.seed}"


def _alike(numbers: Mapping[str, int], what: str) -> str:
    """ "400 rows", or "6 to 10 latents"."""
    low, high = min(numbers.values()), max(numbers.values())
    return f"{low:,} {what}" if low == high else f"{low:,} to {high:,} {what}"


def _readings(reports: Mapping[str, Report]) -> tuple[str, ...]:
    return once_each({name: readings(report) for name, report in reports.items()}, ", ".join)


def _remarks(reports: Mapping[str, Report]) -> tuple[str, ...]:
    """The remarks, each once, the serious ones first."""
    remarks = {name: report_remarks(report) for name, report in reports.items()}
    once = dict.fromkeys(remark for of_one in remarks.values() for remark in of_one)
    lines = []
    for remark in sorted(once, key=lambda remark: remark.severity != "serious"):
        of = [name for name, of_one in remarks.items() if remark in of_one]
        text = remark.text if len(of) == len(reports) else f"{', '.join(of)}: {remark.text}"
        lines.append(replace(remark, text=text).line)
    return tuple(lines)
