"""A view on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from disentangle_metrics.reporting.blocks import in_parts, view_in_parts, widths, with_broken_headers
from disentangle_metrics.reporting.view import LOWER, NEAR, NOTHING

if TYPE_CHECKING:
    from rich.console import Console

    from disentangle_metrics.reporting.blocks import Block, Blocks
    from disentangle_metrics.reporting.view import Emphasis, View

UNIT = "unit"  # the corner of the tables below a report
WIDTH = 80  # columns, where no terminal says how many
PLAIN = str.maketrans(
    {LOWER: "v", NEAR: "~", NOTHING: "-", "…": "...", "±": "+-"}
)  # where the encoding has no such signs
SHOWN: Mapping[Emphasis, tuple[str, str]] = {  # a mark, which plain text keeps, and a style
    "": ("", ""),
    "best": ("*", "bold"),
    "not worse": ("=", "underline"),
}


def render(view: View[Any], console: Console) -> None:
    """Print the table, its legend and the remarks; nothing is cut, at any width.

    A plain string would be searched for the codes of emoji, as in the name ``rs123:A:G``.
    """
    from rich.text import Text

    encoding = console.encoding
    for line in view.answer:
        console.print(Text(printable(line, encoding)))
    if view.answer:
        console.print()
    for part in _fitting_views(view, console.width):
        _print_scores(part, console)
        console.print()
    for block in view.blocks:
        _print_block(block, UNIT, console)
    legend = view.explained(SHOWN["best"][0], SHOWN["not worse"][0])
    for line in (
        view.facts,
        *view.readings,
        *legend,
        *view.notes,
        *(remark.line for remark in view.remarks),
    ):
        console.print(Text(printable(line, encoding)))


def _fitting_views(view: View[Any], width: int) -> list[View[Any]]:
    """The view, or parts of it whose words fit; where one table holds all numbers, headers may break."""

    def word(texts: Iterable[str]) -> int:
        return max((len(word) for text in texts for word in text.split()), default=0)

    room = width - min(word(row.label for row in view.rows), width // 4)
    cells = [1 + word(row.cells[place] for row in view.rows) for place in range(len(view.columns))]
    parts = list(view_in_parts(view, cells, room))
    if len(parts) == 1:
        return parts
    heads = [min(word([column]), width // 4) for column in view.columns]
    return list(view_in_parts(view, list(map(max, cells, heads)), room))


def _print_scores(view: View[Any], console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    encoding = console.encoding
    table.add_column("metric", overflow="fold")
    for column in view.columns:
        table.add_column(Text(printable(column, encoding)), justify="right", overflow="fold")
    for number, group in enumerate(view.groups):
        if number:
            table.add_row()
        table.add_row(Text(printable(group.title, encoding), style="bold"))
        for row in group.rows:
            cells = [
                Text(SHOWN[emphasis][0] + printable(text, encoding), style=SHOWN[emphasis][1])
                for text, emphasis in row.emphasised
            ]
            table.add_row(Text(printable(row.label, encoding)), *cells)
    console.print(table)


def render_blocks(blocks: Blocks, console: Console) -> None:
    """Print the tables and the notes; a table that is too wide goes on in another below it."""
    from rich.text import Text

    for block in blocks.blocks:
        _print_block(block, blocks.corner, console)
    for text in (blocks.facts, *blocks.notes):
        console.print(Text(printable(text, console.encoding)))


def _print_block(whole: Block, corner: str, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    encoding = console.encoding
    for block in _fitting(whole, corner, console.width):
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
        table.add_column(corner, overflow="fold")
        for column, width in zip(block.columns, widths(block), strict=True):
            label = Text(printable(column.label, encoding))
            table.add_column(label, justify="right", overflow="fold", width=min(width, console.width // 2))
        for line in block.lines:
            table.add_row(*(Text(printable(text, encoding)) for text in (line.label, *line.cells)))
        if block.title:
            console.print(Text(printable(block.title, encoding), style="bold"))
        console.print(table)
        console.print()


def _fitting(block: Block, corner: str, width: int) -> Iterator[Block]:
    parts = list(in_parts(block, corner, width, widths(block)))
    if len(parts) > 1:
        block = with_broken_headers(block)
        parts = list(in_parts(block, corner, width, widths(block)))
    yield from parts


def printable(text: str, encoding: str) -> str:
    """Text that a stream of this encoding takes: signs it lacks are replaced."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(PLAIN).encode(encoding, "replace").decode(encoding)
    return text


def as_text(view: View[Any], width: int = WIDTH) -> str:
    """What :func:`render` prints on a terminal of so many columns."""
    return _captured(partial(render, view), width)


def blocks_as_text(blocks: Blocks, width: int = WIDTH) -> str:
    """What :func:`render_blocks` prints on a terminal of so many columns."""
    return _captured(partial(render_blocks, blocks), width)


def _captured(draw: Callable[[Console], None], width: int) -> str:
    from rich.console import Console

    console = Console(width=width, force_terminal=False, no_color=True)
    with console.capture() as capture:
        draw(console)
    return capture.get()
