"""Draw the rooms of both packages, and list them in docs/architecture.md, from the imports of the code.

    python -m tools.draw_imports            # write both
    python -m tools.draw_imports --check    # exit 1 if either is not that of the code

A room is a folder or a loose file of a package. It stands one floor above the highest room that it imports.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import escape

from tools.made_file import deliver

ROOT = Path(__file__).parents[1]
PAGE, PICTURE = ROOT / "docs" / "architecture.md", ROOT / "docs" / "images" / "architecture.svg"
PACKAGES = ("disentangle_metrics", "reference_models")
START, END = "<!-- made by tools/draw_imports.py -->", "<!-- end -->"
FACE = "__init__"
OF_ALL = (
    5  # a loose room without imports of its own that so many rooms import is drawn as ground, without arrows
)

BOX, HIGH, GAP, STEP, MARGIN, TITLE = 132, 30, 22, 84, 20, 34
PASSAGE = 16  # the width that an arrow takes on a floor that it only passes
COLOURS = {"disentangle_metrics": ("#e8f1fa", "#2f6ca8"), "reference_models": ("#fbefe2", "#b06a1d")}

Imports = Mapping[str, set[str]]  # room -> the rooms of the same package that it imports


def read(package: str) -> tuple[dict[str, set[str]], dict[str, str]]:
    """The imports of each room, and what each room says of itself in a line."""
    imports: dict[str, set[str]] = {}
    purposes: dict[str, str] = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        below = path.relative_to(ROOT / package)
        room = below.parts[0].removesuffix(".py")
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = (module.split(".") for module in _modules(tree, package))
        imports.setdefault(room, set()).update(name[1] for name in names if len(name) > 1)
        if len(below.parts) == 1 or below.parts[1:] == ("__init__.py",):
            purposes[room] = " ".join((ast.get_docstring(tree) or "").split("\n\n")[0].split())
    for room, others in imports.items():
        others &= set(imports) - {room, FACE}
    return imports, purposes


def _modules(node: ast.AST, package: str) -> Iterator[str]:
    """The modules of the package that a file imports, wherever it does, but not for type checkers alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names if alias.name.split(".")[0] == package)
        elif isinstance(child, ast.ImportFrom) and (child.module or "").split(".")[0] == package:
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        yield from _modules(child, package)


def ground(imports: Imports) -> list[str]:
    """Loose files that import no room and that many others import: they lie below everything."""
    users = {room: sum(room in others for others in imports.values()) for room in imports}
    loose = {path.stem for path in (ROOT / PACKAGES[0]).glob("*.py")} - {FACE}
    return sorted(room for room in loose if not imports[room] and users[room] >= OF_ALL)


def floors(imports: Imports) -> dict[str, int]:
    """How high each room stands: one above the highest that it imports."""
    heights: dict[str, int] = {}

    def height(room: str, above: tuple[str, ...] = ()) -> int:
        if room in above:
            raise SystemExit(f"rooms import each other: {' > '.join([*above, room])}")
        if room not in heights:
            heights[room] = 1 + max((height(other, (*above, room)) for other in imports[room]), default=-1)
        return heights[room]

    for room in imports:
        height(room)
    return heights


def needed(imports: Imports) -> list[tuple[str, str]]:
    """The imports that no chain of others implies: few enough to be drawn."""

    def reached(room: str) -> set[str]:
        return set().union(*({other} | reached(other) for other in imports[room])) if imports[room] else set()

    return [
        (room, other)
        for room, others in sorted(imports.items())
        for other in sorted(others)
        if not any(other in reached(third) for third in others - {other})
    ]


def drawing() -> str:
    """The picture of both packages, one below the other."""
    pieces: list[str] = []
    top, widest = MARGIN, 0
    for package in PACKAGES:
        piece, width, height = _storeys(package, top)
        pieces += piece
        top, widest = top + height + MARGIN, max(widest, width)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="0 0 {widest} {top}" width="{widest}" height="{top}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="13">\n'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#667"/></marker></defs>\n'
        f'<rect width="{widest}" height="{top}" fill="white"/>\n' + "\n".join(pieces) + "\n</svg>\n"
    )


def _storeys(package: str, top: float) -> tuple[list[str], int, int]:
    """The boxes and arrows of one package, and the room they take."""
    imports, _ = read(package)
    below = ground(imports) if package == PACKAGES[0] else []
    imports = {room: others - set(below) for room, others in imports.items() if room not in (*below, FACE)}
    heights, edges = floors(imports), needed(imports)
    stories: list[list[str]] = [[] for _ in range(max(heights.values()) + 1)]
    for room, height in sorted(heights.items()):
        stories[height].append(room)
    ways: list[list[str]] = []  # of each arrow: its room, the passages on the floors between, the other room
    for room, other in edges:
        passages = [f"{room}>{other}@{floor}" for floor in range(heights[room] - 1, heights[other], -1)]
        for floor, passage in zip(range(heights[room] - 1, heights[other], -1), passages, strict=True):
            stories[floor].append(passage)
        ways.append([room, *passages, other])
    _order(stories, ways)

    widths = [sum(_width(node) for node in story) + GAP * (len(story) - 1) for story in stories]
    width = max(*widths, 620) + 2 * MARGIN
    places: dict[str, tuple[float, float]] = {}  # the middle of each
    for floor, story in enumerate(stories):
        left = (width - widths[floor]) / 2
        y = top + TITLE + (len(stories) - 1 - floor) * STEP + HIGH / 2
        for node in story:
            places[node] = left + _width(node) / 2, y
            left += _width(node) + GAP
    fill, line = COLOURS[package]
    bottom = top + TITLE + (len(stories) - 1) * STEP + HIGH
    pieces = [f'<text x="{MARGIN}" y="{top + 14:.0f}" font-weight="bold" fill="{line}">{package}</text>']
    pieces += [_arrow([places[node] for node in way]) for way in ways]
    pieces += [_box(room, *places[room], BOX, fill, line) for room in sorted(heights)]
    lowest = ", ".join(below) if package == PACKAGES[0] else f"the public names of {PACKAGES[0]}"
    pieces.append(_box(lowest, width / 2, bottom + 50, 600, "#f3f3f3", "#888"))
    return pieces, int(width), int(bottom + 50 + HIGH / 2 - top)


def _width(node: str) -> int:
    return PASSAGE if ">" in node else BOX


def _order(stories: list[list[str]], ways: list[list[str]]) -> None:
    """Put each room near the middle of what it is joined to, so that few arrows cross."""
    joined: dict[str, list[str]] = {}
    for way in ways:
        for upper, lower in pairwise(way):
            joined.setdefault(upper, []).append(lower)
            joined.setdefault(lower, []).append(upper)
    best = [list(story) for story in stories]
    for sweep in range(40):
        order = range(len(stories)) if sweep % 2 else range(len(stories) - 1, -1, -1)
        for floor in order:
            around_it = [stories[j] for j in (floor - 1, floor + 1) if 0 <= j < len(stories)]
            near = {node: place for story in around_it for place, node in _spread(story)}
            places = {node: place for place, node in _spread(stories[floor])}
            middle = {}
            for node in stories[floor]:
                neighbours = [near[other] for other in joined.get(node, ()) if other in near]
                middle[node] = sum(neighbours) / len(neighbours) if neighbours else places[node]
            stories[floor].sort(key=lambda node, middle=middle: (middle[node], node))
        if _crossings(stories, ways) < _crossings(best, ways):
            best = [list(story) for story in stories]
    stories[:] = best


def _spread(story: list[str]) -> Iterator[tuple[float, str]]:
    for i, node in enumerate(story):
        yield (i + 0.5) / len(story), node


def _crossings(stories: list[list[str]], ways: list[list[str]]) -> int:
    place = {node: i for story in stories for i, node in enumerate(story)}
    level = {node: floor for floor, story in enumerate(stories) for node in story}
    steps = [step for way in ways for step in pairwise(way)]
    return sum(
        (place[a] - place[c]) * (place[b] - place[d]) < 0
        for i, (a, b) in enumerate(steps)
        for c, d in steps[:i]
        if level[a] == level[c]
    )


def _box(name: str, x: float, y: float, width: float, fill: str, line: str) -> str:
    return (
        f'<rect x="{x - width / 2:.1f}" y="{y - HIGH / 2:.1f}" width="{width}" height="{HIGH}" rx="5" '
        f'fill="{fill}" stroke="{line}"/>'
        f'<text x="{x:.1f}" y="{y + 4.5:.1f}" text-anchor="middle" fill="#222">{escape(name)}</text>'
    )


def _arrow(points: list[tuple[float, float]]) -> str:
    """From the foot of a room, straight down through the passages, to the head of another."""
    stops = [(points[0][0], points[0][1] + HIGH / 2)]
    for x, y in points[1:-1]:
        stops += [(x, y - HIGH / 2), (x, y + HIGH / 2)]
    stops.append((points[-1][0], points[-1][1] - HIGH / 2))
    path = f"M{stops[0][0]:.1f},{stops[0][1]:.1f}"
    for i, ((x, y), (to_x, to_y)) in enumerate(pairwise(stops)):
        bend = (to_y - y) / 2
        path += (
            f" L{to_x:.1f},{to_y:.1f}"
            if i % 2
            else f" C{x:.1f},{y + bend:.1f} {to_x:.1f},{to_y - bend:.1f} {to_x:.1f},{to_y:.1f}"
        )
    return f'<path d="{path}" fill="none" stroke="#667" stroke-width="1.2" marker-end="url(#tip)"/>'


def listing() -> str:
    """The rooms of both packages from the top floor down, with what they are for and what they import."""
    lines = []
    for package in PACKAGES:
        imports, purposes = read(package)
        heights = floors(imports)
        lines += [f"| `{package}` | what it is for | imports |", "|---|---|---|"]
        for room in sorted(imports, key=lambda room: (-heights[room], room)):
            if room != FACE:
                others = ", ".join(f"`{other}`" for other in sorted(imports[room])) or "–"
                lines.append(f"| `{room}` | {purposes[room].replace('|', chr(92) + '|')} | {others} |")
        lines.append("")
    return "\n".join(lines)


def page() -> str:
    """The page with the list of the code in its place."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(START)
    return f"{before}{START}\n{listing()}{END}{rest.split(END, 1)[1]}"


if __name__ == "__main__":
    deliver(PICTURE, drawing())
    deliver(PAGE, page())
