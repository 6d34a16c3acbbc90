"""A view as a table to carry away: Markdown, and LaTeX with booktabs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from disentangle_metrics.reporting.blocks import in_parts, view_in_parts
from disentangle_metrics.reporting.extras import need
from disentangle_metrics.reporting.literature import paper_name
from disentangle_metrics.reporting.view import LOWER
from disentangle_metrics.text import CODE

if TYPE_CHECKING:
    from disentangle_metrics.reporting.blocks import Block, Blocks
    from disentangle_metrics.reporting.view import Emphasis, View

LINE = 68  # characters that stand side by side in a paper
GAP = 1  # between two columns, beside the one character that a terminal has there
TALL = 36  # rows that stand above each other in a paper; LaTeX cuts off what is below the page

GREEK = dict(  # capitals that look like Latin ones have no name in LaTeX
    zip(
        [*"αβγδεζηθικλμνξπρςστυφχψω", *"ΓΔΘΛΞΠΣΥΦΨΩ"],
        [
            *("alpha", "beta", "gamma", "delta", "varepsilon", "zeta", "eta", "theta", "iota", "kappa"),
            *("lambda", "mu", "nu", "xi", "pi", "rho", "varsigma", "sigma", "tau", "upsilon", "varphi"),
            *("chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma"),
            *("Upsilon", "Phi", "Psi", "Omega"),
        ],
        strict=True,
    )
)
LATEX = {
    **{letter: rf"$\{name}$" for letter, name in GREEK.items()},
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "≈": r"$\approx$",
    "↓": r"$\downarrow$",
    "∞": r"$\infty$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "→": r"$\rightarrow$",
    "−": "$-$",
    "–": "--",
    "±": r"$\pm$",
}
IN_LATEX: Mapping[Emphasis, str] = {"": "{}", "best": r"\textbf{{{}}}", "not worse": r"\underline{{{}}}"}
IN_MARKDOWN: Mapping[Emphasis, str] = {"": "{}", "best": "**{}**", "not worse": "_{}_"}
WORDS = ("score", "corrected", "chance", "ceiling", "difference")  # columns that are no names


def as_markdown(view: View[Any]) -> str:
    """A pipe table, its legend and the remarks."""
    tabulate = need("tabulate", "a Markdown table").tabulate
    rows: list[list[str]] = []
    for group in view.groups:
        rows.append([f"**{_markdown(group.title)}**", *[""] * len(view.columns)])
        rows += [
            [
                _markdown(row.label),
                *(IN_MARKDOWN[how].format(_markdown(text)) for text, how in row.emphasised),
            ]
            for row in group.rows
        ]
    table = tabulate(
        rows,
        ["metric", *map(_markdown, view.columns)],
        tablefmt="pipe",
        colalign=["left", *["right"] * len(view.columns)],
        disable_numparse=True,
    )
    remarks = [remark.line.lstrip("!-· ") for remark in view.remarks]
    lines = [*view.readings, *view.explained("In bold", "In italics"), *view.notes, *remarks]
    items = [f"- {_with_code(line)}" for line in lines]
    answer = [_markdown(" ".join(view.answer)), ""] if view.answer else []
    below = [text for block in view.blocks for text in ("", _markdown_block(block, "unit"))]
    return (
        "\n".join([*answer, table, *below, "", _markdown(view.facts), *(["", *items] if items else [])])
        + "\n"
    )


def as_latex(view: View[Any], *, caption: str | None = None, label: str = "tab:disentanglement") -> str:
    """A table for a paper, with the names that papers use; needs the LaTeX package booktabs."""
    if caption is None:
        legend = view.explained("In bold", "Underlined")
        caption = latex(" ".join([f"{view.title} ({view.facts}).", *legend]))
    units = [
        _tabular(part, "unit", as_they_are=True) for block in view.blocks for part in _parts(block, "unit")
    ]
    names = max((len(_paper_name(row.key, row.label)) for row in view.rows), default=0)
    needs = [
        GAP + max(map(len, (column, *(row.cells[place] for row in view.rows))))
        for place, column in enumerate(view.columns)
    ]
    parts = view_in_parts(view, needs, LINE - min(names, LINE // 2))
    return _floats([*(table for part in parts for table in _of_view(part)), *units], caption, label)


def _of_view(view: View[Any]) -> Iterator[str]:
    """The scores of a view as a tabular, or as several that are each short enough for a page."""
    groups = [
        (
            latex(group.title),
            [
                [
                    latex(_paper_name(row.key, row.label)),
                    *(IN_LATEX[how].format(latex(text)) for text, how in row.emphasised),
                ]
                for row in group.rows
            ],
        )
        for group in view.groups
    ]
    heads = [latex(column.capitalize() if column in WORDS else column) for column in view.columns]
    yield from tabulars_of_groups(["Metric", *heads], groups)


def blocks_as_markdown(blocks: Blocks) -> str:
    """A pipe table for each block, and the notes."""
    parts = [_markdown_block(block, blocks.corner) for block in blocks.blocks]
    notes = [f"- {_markdown(note.lstrip('!-· '))}" for note in blocks.notes]
    return "\n\n".join([*parts, _markdown(blocks.facts), *(["\n".join(notes)] if notes else [])]) + "\n"


def _markdown_block(block: Block, corner: str) -> str:
    tabulate = need("tabulate", "a Markdown table").tabulate
    table: str = tabulate(
        [[_markdown(text) for text in (line.label, *line.cells)] for line in block.lines],
        [corner, *(_markdown(column.label) for column in block.columns)],
        tablefmt="pipe",
        colalign=["left", *["right"] * len(block.columns)],
        disable_numparse=True,
    )
    return f"**{_markdown(block.title)}**\n\n{table}" if block.title else table


def blocks_as_latex(blocks: Blocks, *, caption: str | None = None, label: str = "tab:disentanglement") -> str:
    """One float with a tabular for each block, wide ones in parts; needs the LaTeX package booktabs."""
    text = " ".join([f"Disentanglement scores ({blocks.facts}).", *blocks.legend])
    text = latex(text) if caption is None else caption
    tabulars = [
        _tabular(block, blocks.corner) for whole in blocks.blocks for block in _parts(whole, blocks.corner)
    ]
    return _floats(tabulars, text, label)


def _floats(tabulars: Iterable[str], caption: str, label: str) -> str:
    """Floats of tabulars, each no taller than a page; the first alone has the caption and the label."""
    stacks: list[list[str]] = []
    room = 0
    for tabular in tabulars:
        rows = tabular.count("\\\\\n") + 1
        if not stacks or rows > room:
            stacks.append([])
            room = TALL
        stacks[-1].append(tabular)
        room -= rows
    first = f"  \\caption{{{caption}}}\n  \\label{{{label}}}"
    more = "  \\addtocounter{table}{-1}\n  \\caption{(continued)}"
    return "\n".join(
        "\n".join(
            [
                r"\begin{table}",
                r"  \centering",
                more if place else first,
                "\n  \\par\\medskip\n".join(stack),
                "\\end{table}\n",
            ]
        )
        for place, stack in enumerate(stacks)
    )


def _parts(block: Block, corner: str) -> Iterator[Block]:
    """The block, or blocks that are narrow and short enough for a page."""
    lines = TALL - 4  # of its rows; the others are its title, its header and the space around it
    needs = [
        GAP
        + max(map(len, (_paper_name(column.key, column.label), *(line.cells[place] for line in block.lines))))
        for place, column in enumerate(block.columns)
    ]
    for part in in_parts(block, corner, LINE, needs):
        for start in range(0, max(1, len(part.lines)), lines):
            title = f"{part.title}, continued" if part.title and start else part.title
            yield replace(part, title=title, lines=part.lines[start : start + lines])


def _tabular(block: Block, corner: str, *, as_they_are: bool = False) -> str:
    """A block; `as_they_are`: headers without a key are names, whose letters stay."""
    heads = [
        latex(
            _paper_name(column.key, column.label) if as_they_are or column.key else column.label.capitalize()
        )
        for column in block.columns
    ]
    lines = [f"  \\begin{{tabular}}{{l{'r' * len(heads)}}}", r"    \toprule"]
    if block.title:
        lines.append(f"    \\multicolumn{{{len(heads) + 1}}}{{l}}{{\\emph{{{latex(block.title)}}}}} \\\\")
    lines += [_row([latex(corner.capitalize()), *heads]), r"    \midrule"]
    for line in block.lines:
        below = r"\quad " if line.label.startswith(" ") else ""
        cells = [below + latex(line.label.strip()), *map(latex, line.cells)]
        lines.append(_row(cells))
    return "\n".join([*lines, r"    \bottomrule", r"  \end{tabular}"])


def tabulars_of_groups(
    header: Sequence[str], groups: Sequence[tuple[str, Sequence[Sequence[str]]]]
) -> Iterator[str]:
    """A tabular of groups of rows, or several that are each short enough for a page; a group is never cut.

    Cells are LaTeX already. The first column is left, the others are right. A title may be empty.
    """
    head = [f"  \\begin{{tabular}}{{l{'r' * (len(header) - 1)}}}", r"    \toprule", _row(header)]
    end = [r"    \bottomrule", r"  \end{tabular}"]
    lines: list[str] = []
    height = 2
    for title, rows in groups:
        if lines and height + len(rows) + 1 > TALL:
            yield "\n".join([*head, *lines, *end])
            lines, height = [], 2
        lines.append(r"    \midrule")
        if title:
            lines.append(f"    \\multicolumn{{{len(header)}}}{{l}}{{\\emph{{{title}}}}} \\\\")
        lines += map(_row, rows)
        height += len(rows) + 1
    yield "\n".join([*head, *lines, *end])


def _row(cells: Sequence[str]) -> str:
    """A row of cells that are LaTeX already.

    The end of the row before it takes a * or a [ for its own, also on the next line.
    """
    text = " & ".join(cells)
    return f"    {'{}' if text.startswith(('*', '[')) else ''}{text} \\\\"


def latex(text: str) -> str:
    """Plain text as LaTeX, with the minus of a number as one."""
    escaped = "".join(LATEX.get(character, character) for character in text)
    return re.sub(r"(?<![\w.-])-(?=\d)", "$-$", escaped)


def _paper_name(key: str, label: str) -> str:
    """What papers call a score, with the arrow that its label has; the label of what has no key."""
    if not key:
        return label
    return f"{paper_name(key)} {LOWER}" if LOWER in label else paper_name(key)


def _with_code(text: str) -> str:
    """Text outside of tables: what stands between backticks is code, and all else is plain."""
    parts = CODE.split(text)  # every second one is code
    return "".join(f"`{part}`" if place % 2 else _markdown(part) for place, part in enumerate(parts))


def _markdown(text: str) -> str:
    """Plain text in which Markdown and HTML find nothing to do."""
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", text)
