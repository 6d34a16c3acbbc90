"""A view on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from disentangle_metrics.reporting.view import LOWER, NEAR, NOTHING

if TYPE_CHECKING:
    from rich.console import Console

    from disentangle_metrics.reporting.blocks import Block, Blocks
    from disentangle_metrics.reporting.view import View

WIDTH = 80  # columns, where no terminal says how many
PLAIN = str.maketrans(
    {LOWER: "v", NEAR: "~", NOTHING: "-", "…": "..."}
)  # where the encoding has no such signs


def render(view: View, console: Console) -> None:
    """Print the table, its legend and the remarks; nothing is cut, at any width."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    encoding = console.encoding
    table.add_column("metric", overflow="fold")
    for column in view.columns:
        table.add_column(column, justify="right", overflow="fold")
    for number, group in enumerate(view.groups):
        if number:
            table.add_row()
        table.add_row(Text(printable(group.title, encoding), style="bold"))
        for row in group.rows:
            table.add_row(*(Text(printable(text, encoding)) for text in (row.label, *row.cells)))
    console.print(table)
    console.print()
    for line in (view.facts, *view.readings, *view.legend, *(remark.line for remark in view.remarks)):
        console.print(printable(line, encoding), markup=False, highlight=False)


def render_blocks(blocks: Blocks, console: Console) -> None:
    """Print the tables and the notes; a table that is too wide goes on in another below it."""
    from rich.table import Table
    from rich.text import Text

    encoding = console.encoding
    for block in (narrow for whole in blocks.blocks for narrow in _fitting(whole, blocks.corner, console.width)):
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
        table.add_column(blocks.corner, overflow="fold")
        for column in block.columns:
            table.add_column(Text(printable(column.label, encoding)), justify="right", overflow="fold")
        for line in block.lines:
            table.add_row(*(Text(printable(text, encoding)) for text in (line.label, *line.cells)))
        if block.title:
            console.print(Text(printable(block.title, encoding), style="bold"))
        console.print(table)
        console.print()
    for text in (blocks.facts, *blocks.notes):
        console.print(printable(text, encoding), markup=False, highlight=False)


def _fitting(block: Block, corner: str, width: int) -> Iterator[Block]:
    """The block as blocks of fewer columns, each of which fits into the width if its columns do."""
    first = max(map(len, (corner, *(line.label for line in block.lines))))
    room = width - min(first, width // 2)
    shown, used = 0, 0
    for place, column in enumerate(block.columns):
        words = column.label.split(" ") if not column.key else [column.label]
        needs = 1 + max(map(len, (*words, *(line.cells[place] for line in block.lines))))
        if place > shown and used + needs > room:
            yield _columns(block, shown, place)
            shown, used = place, 0
        used += needs
    yield _columns(block, shown, len(block.columns))


def _columns(block: Block, start: int, end: int) -> Block:
    title = f"{block.title}, continued" if block.title and start else block.title
    lines = tuple(replace(line, cells=line.cells[start:end]) for line in block.lines)
    return replace(block, title=title, columns=block.columns[start:end], lines=lines)


def printable(text: str, encoding: str) -> str:
    """Text that a stream of this encoding takes: signs it lacks are replaced."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(PLAIN).encode(encoding, "replace").decode(encoding)
    return text


def as_text(view: View, width: int = WIDTH) -> str:
    """What :func:`render` prints on a terminal of so many columns."""
    from rich.console import Console

    console = Console(width=width, force_terminal=False, no_color=True)
    with console.capture() as capture:
        render(view, console)
    return capture.get()


def blocks_as_text(blocks: Blocks, width: int = WIDTH) -> str:
    """What :func:`render_blocks` prints on a terminal of so many columns."""
    from rich.console import Console

    console = Console(width=width, force_terminal=False, no_color=True)
    with console.capture() as capture:
        render_blocks(blocks, console)
    return capture.get()
