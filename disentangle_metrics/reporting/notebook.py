"""A view in a notebook: HTML without scripts, in the notebook's own colours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from disentangle_metrics.reporting.view import Emphasis, View

LEFT = ' style="text-align: left"'
RIGHT = ' style="text-align: right"'
SHOWN: Mapping[Emphasis, str] = {"": "{}", "best": "<b>{}</b>", "not worse": "<u>{}</u>"}


def as_html(view: View[Any]) -> str:
    """The table, its legend and the remarks."""
    return "\n".join(_lines(view))


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
    yield f'<p style="overflow-wrap: anywhere">{escape(view.facts)}</p>'
    legend = view.explained("In bold", "Underlined")
    if lines := [*view.readings, *legend, *view.notes, *(remark.line for remark in view.remarks)]:
        yield "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"
