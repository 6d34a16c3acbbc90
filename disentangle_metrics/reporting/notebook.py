"""A view in a notebook: HTML without scripts, in the notebook's own colours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from disentangle_metrics.text import CODE

if TYPE_CHECKING:
    from disentangle_metrics.reporting.blocks import Block, Blocks
    from disentangle_metrics.reporting.view import Emphasis, View

LEFT = ' style="text-align: left"'
RIGHT = ' style="text-align: right"'
SHOWN: Mapping[Emphasis, str] = {"": "{}", "best": "<b>{}</b>", "not worse": "<u>{}</u>"}


def as_html(view: View[Any]) -> str:
    """The table, its legend and the remarks."""
    return "\n".join(_lines(view))


def blocks_as_html(blocks: Blocks) -> str:
    """The tables, one below the other, and the notes."""
    tables = [line for block in blocks.blocks for line in _block_lines(block, blocks.corner)]
    return "\n".join([*tables, *_notes(blocks.facts, blocks.notes)])


def _lines(view: View[Any]) -> Iterator[str]:
    if view.answer:
        yield f"<p>{' '.join(map(escape, view.answer))}</p>"
    yield "<table>"
    heads = "".join(f'<th scope="col"{RIGHT}>{escape(column)}</th>' for column in view.columns)
    yield f'<thead><tr><th scope="col"{LEFT}>metric</th>{heads}</tr></thead>'
    for group in view.groups:
        span = len(view.columns) + 1
        yield f'<tbody><tr><th colspan="{span}" scope="rowgroup"{LEFT}>{escape(group.title)}</th></tr>'
        for row in group.rows:
            cells = "".join(
                f"<td{RIGHT}>{SHOWN[emphasis].format(escape(text))}</td>" for text, emphasis in row.emphasised
            )
            head = f'<th scope="row" style="text-align: left; font-weight: normal">{escape(row.label)}</th>'
            yield f"<tr>{head}{cells}</tr>"
        yield "</tbody>"
    yield "</table>"
    for block in view.blocks:
        yield from _block_lines(block, "unit")
    legend = view.explained("In bold", "Underlined")
    remarks = (remark.line for remark in view.remarks)
    yield from _notes(view.facts, [*view.readings, *legend, *view.notes, *remarks])


def _block_lines(block: Block, corner: str) -> Iterator[str]:
    yield "<table>"
    if block.title:
        yield f'<caption style="text-align: left; font-weight: bold">{escape(block.title)}</caption>'
    heads = "".join(f'<th scope="col"{RIGHT}>{escape(column.label)}</th>' for column in block.columns)
    yield f'<thead><tr><th scope="col"{LEFT}>{escape(corner)}</th>{heads}</tr></thead>'
    yield "<tbody>"
    for line in block.lines:
        cells = "".join(f"<td{RIGHT}>{escape(cell)}</td>" for cell in line.cells)
        head = f'<th scope="row" style="text-align: left; font-weight: normal">{escape(line.label)}</th>'
        yield f"<tr>{head}{cells}</tr>"
    yield "</tbody>"
    yield "</table>"


def with_code(text: str) -> str:
    """`text` as HTML, with what stands between backticks set as code."""
    return CODE.sub(r"<code>\1</code>", escape(text))


def _notes(facts: str, notes: Sequence[str]) -> Iterator[str]:
    yield f'<p style="overflow-wrap: anywhere">{escape(facts)}</p>'
    if notes:
        yield "<ul>" + "".join(f"<li>{with_code(note)}</li>" for note in notes) + "</ul>"
