"""A report as one page of HTML that asks nothing of any network."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from disentangle_metrics.errors import InputError
from disentangle_metrics.metrics.lookup import score_keys, without_settings
from disentangle_metrics.reporting.again import command_or_call, made_by_command, subject
from disentangle_metrics.reporting.citation import of_report
from disentangle_metrics.reporting.details import detail_tables, shares_of_largest
from disentangle_metrics.reporting.extras import need
from disentangle_metrics.reporting.notebook import with_code
from disentangle_metrics.reporting.palette import MOST_HEAT, PALETTE
from disentangle_metrics.reporting.tables import as_latex
from disentangle_metrics.reporting.traversals import pictures
from disentangle_metrics.reporting.units import names_of_columns
from disentangle_metrics.reporting.view import number, report_view
from disentangle_metrics.text import visible, visible_json
from disentangle_metrics.version import __version__

if TYPE_CHECKING:
    from disentangle_metrics.metrics.definition import MetricDefinition
    from disentangle_metrics.reporting.blocks import Block
    from disentangle_metrics.reporting.details import DetailTable
    from disentangle_metrics.scoring.report import Report, Score

TEMPLATE = "page.html.jinja"
MOST_JSON = 600_000  # characters; a longer report is copied without its tables


@dataclass(frozen=True)
class Mark:
    """Where a score is between 0 and 1: percent of a drawing's width, 0 for what is below; None if not known.

    A `value` below 0 is None too, and an arrow. `below` says whether anything is below 0.
    """

    value: float | None
    chance: float | None
    ceiling: float | None
    low: float | None
    high: float | None
    corrected: float | None
    below: bool
    text: str


@dataclass(frozen=True)
class Cell:
    """A number of a table, and how dark it is in percent."""

    text: str
    heat: int


def as_page(report: Report, *, encoder: Any = None, dataset: Any = None) -> str:
    """The page; see :meth:`Report.to_html`."""
    jinja2 = need("jinja2", "a page of HTML")
    if (encoder is None) != (dataset is None):
        raise InputError("`encoder` and `dataset` go together: pass both, or none")
    view = report_view(report)
    if made_by_command(report):
        view = view.in_shell_words()
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    known = score_keys()
    environment.filters["with_code"] = with_code
    citation = of_report(report)
    marks = {row.score.key: _mark(row.score) for row in view.rows}
    page: str = environment.get_template(TEMPLATE).render(
        subject=subject(report),
        view=view,
        marks=marks,
        below=any(mark is not None and mark.below for mark in marks.values()),
        meanings={key: _meaning(known, without_settings(key), report) for key in report},
        units=[(block, block_cells(block)) for block in view.blocks],
        tables=[(table, _cells(table)) for table in detail_tables(report)],
        pictures=None
        if encoder is None
        else pictures(encoder, dataset, names_of_columns(report), report.provenance, seed=report.seed),
        json=_json(report),
        latex=as_latex(view),
        citation=citation,
        again=command_or_call(report),
        provenance=_lines(report.provenance),
        palette=PALETTE,
        version=__version__,
    )
    return visible(page, keep="\n\t")


def _meaning(known: Mapping[str, MetricDefinition], key: str, report: Report) -> str:
    """One plain sentence; none of a plug-in's score that is not installed here.

    Of a grouped report it speaks of units, which are what a metric reads as latents.
    """
    text = known[key].meaning(key) if key in known else ""
    return text.replace("latent", "unit") if report.groups else text


def _mark(score: Score) -> Mark | None:
    """None for a score that has no value, or no end of its range at 1."""
    if score.range[1] != 1.0 or math.isnan(score.value):
        return None

    def percent(value: float | None) -> float | None:
        return None if value is None or math.isnan(value) else round(100 * min(value, 1.0), 1)

    low, high = score.interval or (None, None)
    numbers = (score.value, score.chance, score.ceiling, low, high, score.corrected)
    percents = [percent(value) for value in numbers]
    below = [place is not None and place < 0 for place in percents]
    value, chance, ceiling, first, last, corrected = (
        None if place is None else max(0.0, place) for place in percents
    )
    told = [f"score {number(score.value)} on a scale from 0 to 1"]
    told += [
        f"{name} {number(value)}"
        for name, value in (("chance", score.chance), ("ceiling", score.ceiling))
        if value is not None
    ]
    if score.interval:
        told.append(f"interval {number(low)} to {number(high)}")
    return Mark(
        None if below[0] else value,
        chance,
        ceiling,
        None if last is None else first or 0.0,
        last,
        corrected,
        any(below),
        ", ".join(told),
    )


def _cells(table: DetailTable) -> list[tuple[str, list[Cell]]]:
    shares = shares_of_largest(table.strength)
    values = table.frame.to_numpy(dtype=float)
    return [
        (
            str(name),
            [Cell(number(value), round(MOST_HEAT * share)) for value, share in zip(row, dark, strict=True)],
        )
        for name, row, dark in zip(table.frame.index, values, shares, strict=True)
    ]


def block_cells(block: Block) -> list[list[Cell]]:
    """The cells of a table of text, darker for larger numbers: shares of 1, or of the largest above 1."""
    numbers = [[_number_in(text) for text in line.cells] for line in block.lines]
    largest = max((value for row in numbers for value in row), default=0.0)
    return [
        [
            Cell(text, round(MOST_HEAT * max(value, 0.0) / max(largest, 1.0)))
            for text, value in zip(line.cells, row, strict=True)
        ]
        for line, row in zip(block.lines, numbers, strict=True)
    ]


def _number_in(text: str) -> float:
    """The number of a cell; 0 of one that holds none."""
    try:
        value = float(text.lstrip("*"))
    except ValueError:
        return 0.0
    return value if math.isfinite(value) else 0.0


def _json(report: Report) -> str:
    text = report.to_json()
    if len(text) > MOST_JSON:
        values = report.to_dict()
        for score in values["scores"].values():
            score["details"] = {}
        text = visible_json(json.dumps(values, indent=2, allow_nan=False, ensure_ascii=False) + "\n")
    return text


def _lines(provenance: Any) -> list[tuple[str, str]]:
    """What is known of the input's origin, flat."""
    lines = []
    for name, item in provenance.items():
        if name == "command":
            continue
        pairs = item.items() if isinstance(item, dict) else [("", item)]
        lines += [
            (f"{name} {key}".strip().replace("_", " "), str(value))
            for key, value in pairs
            if value not in (None, {}, "")
        ]
    return lines
