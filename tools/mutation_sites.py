"""The small changes of a source file that mutation testing tries, one at a time.

A site is a place in the source and what to put there instead. Left alone are type annotations,
docstrings, texts and messages, decorators, imports, and blocks for type checkers only.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
}
OPERATORS: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "/"),
    ast.Mod: ("%", "*"),
    ast.Pow: ("**", "*"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
    ast.MatMult: ("@", "*"),
}
NAMES = {
    "min": "max",
    "max": "min",
    "minimum": "maximum",
    "maximum": "minimum",
    "any": "all",
    "all": "any",
    "argmin": "argmax",
    "argmax": "argmin",
    "floor": "ceil",
    "ceil": "floor",
    "sum": "mean",
    "mean": "sum",
    "nanmean": "nansum",
    "zeros": "ones",
    "ones": "zeros",
    "exp": "log",
    "log": "exp",
    "sqrt": "abs",
    "abs": "negative",
    "hstack": "vstack",
}


@dataclass(frozen=True)
class Site:
    """A change: the characters `start` to `stop` of the file become `new`."""

    line: int
    start: int
    stop: int
    old: str
    new: str

    def applied(self, source: str) -> str:
        """The source with the change."""
        return source[: self.start] + self.new + source[self.stop :]


def sites(source: str) -> list[Site]:
    """Every change, in the order of the file; each gives a source that can be parsed."""
    offsets = [0]
    for line in source.splitlines(keepends=True):
        offsets.append(offsets[-1] + len(line))
    lines = source.splitlines()

    def place(line: int, column: int) -> int:
        return offsets[line - 1] + len(lines[line - 1].encode()[:column].decode())

    found = {}
    for node, start, stop, new in _changes(ast.parse(source), source, place):
        if source[start:stop] != new:
            site = Site(node.lineno, start, stop, source[start:stop], new)
            found[start, stop, new] = site
    return [site for _, site in sorted(found.items()) if _parses(site.applied(source))]


def _parses(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def _changes(
    tree: ast.AST, source: str, place: Callable[[int, int], int]
) -> Iterator[tuple[Any, int, int, str]]:
    """Of each change the node, the characters it replaces, and what they become."""

    def span(of: Any) -> tuple[int, int]:
        return place(of.lineno, of.col_offset), place(of.end_lineno, of.end_col_offset)

    def between(left: Any, right: Any) -> tuple[int, int]:
        return span(left)[1], span(right)[0]

    for node in _walk(tree):
        if isinstance(node, ast.Compare):
            left = node.left
            for operator, right in zip(node.ops, node.comparators, strict=True):
                start, stop = between(left, right)
                gap, old = source[start:stop], _text(operator)
                if gap.count(old) == 1:
                    yield node, start, stop, gap.replace(old, COMPARISONS[type(operator)])
                left = right
        elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            old, new = OPERATORS[type(node.op)]
            start, stop = between(node.left, node.right)
            gap = source[start:stop]
            if gap.count(old) == 1 and not isinstance(node.left, ast.JoinedStr):
                yield node, start, stop, gap.replace(old, new)
        elif isinstance(node, ast.BoolOp):
            old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
            for left, right in zip(node.values, node.values[1:], strict=False):
                start, stop = between(left, right)
                yield node, start, stop, source[start:stop].replace(old, new)
        elif isinstance(node, ast.UnaryOp):
            if not (isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant)):
                yield node, span(node)[0], span(node.operand)[0], ""
        elif isinstance(node, ast.Constant) and not isinstance(node.value, str | bytes | type(...)):
            if isinstance(node.value, bool):
                yield node, *span(node), str(not node.value)
            elif isinstance(node.value, int):
                yield node, *span(node), str(node.value + 1)
            elif isinstance(node.value, float):
                yield node, *span(node), repr(node.value * 2 if node.value else 1.0)
        elif isinstance(node, ast.If | ast.IfExp | ast.While) and not isinstance(
            node.test, ast.Compare | ast.UnaryOp
        ):
            start, stop = span(node.test)
            yield node.test, start, stop, f"not ({source[start:stop]})"
        elif isinstance(node, ast.Attribute) and node.attr in NAMES:
            stop = span(node)[1]
            yield node, stop - len(node.attr), stop, NAMES[node.attr]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NAMES:
            yield node.func, *span(node.func), NAMES[node.func.id]
        elif isinstance(node, ast.AugAssign) or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
        ):
            yield node, *span(node), "pass"


def _text(operator: ast.cmpop) -> str:
    return ast.unparse(ast.Compare(ast.Name("a"), [operator], [ast.Name("b")]))[2:-2]


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run, and that decide what comes out."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(
                child, ast.JoinedStr | ast.Import | ast.ImportFrom | ast.Raise
            ):
                continue
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                continue
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue
            yield child
            yield from _walk(child)
